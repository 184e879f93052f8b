import { describe, expect, test } from "vitest";
import { all, page, refused, success, weirOf } from "../test/support/answering-graphql.js";

describe("invoices", () => {
  test("are listed page by page, as far as they are read", async () => {
    const { weir, operations } = await weirOf(
      page([{ id: "a" }, { id: "b" }], "b"),
      page([{ id: "c" }], null),
    );
    const listed = await all(weir.invoices.list({ customer: "acme", status: "draft" }));
    expect(listed.map(({ id }) => id)).toEqual(["a", "b", "c"]);
    expect(operations().map(({ variables }) => variables)).toEqual([
      { customer: "acme", status: "draft", after: null },
      { customer: "acme", status: "draft", after: "b" },
    ]);
  });

  test("no page is asked for that nobody reads", async () => {
    const { weir, asked } = await weirOf(page([{ id: "a" }], "a"));
    for await (const invoice of weir.invoices.list()) {
      expect(invoice.id).toBe("a");
      break;
    }
    expect(asked).toHaveLength(1);
  });

  test("one that is not there is null", async () => {
    const { weir, operations } = await weirOf({ invoice: null }, { creditNote: null });
    expect(await weir.invoices.find("INV-000001")).toBeNull();
    expect(await weir.invoices.findCreditNote("CN-000001")).toBeNull();
    expect(operations()).toHaveLength(2);
  });

  test("are previewed, created, refreshed, finalized and voided in operations of the schema", async () => {
    const { weir, operations, asked } = await weirOf(
      { invoicePreview: { currency: "USD" } },
      success({ created: true, invoice: { id: "inv_1" } }),
      success({ id: "inv_1", revision: 2 }),
      success({ id: "inv_1", number: "INV-000001" }),
      success({ number: "CN-000001", voids: true }),
    );
    const at = "2027-01-20T00:00:00Z";
    expect(await weir.invoices.preview("sub_1", at)).toEqual({ currency: "USD" });
    const { created, invoice } = await weir.invoices.create("sub_1", at, { idempotencyKey: "k1" });
    expect([created, invoice.id]).toEqual([true, "inv_1"]);
    expect((await weir.invoices.refresh("inv_1")).revision).toBe(2);
    expect((await weir.invoices.finalize("inv_1")).number).toBe("INV-000001");
    expect((await weir.invoices.void("INV-000001", "wrong address")).voids).toBe(true);
    expect(operations().map(({ variables }) => variables)).toEqual([
      { subscription: "sub_1", at },
      { subscription: "sub_1", at },
      { id: "inv_1" },
      { id: "inv_1" },
      { id: "INV-000001", reason: "wrong address" },
    ]);
    expect(asked.map(({ idempotencyKey }) => idempotencyKey)).toEqual(["", "k1", "", "", ""]);
  });

  test("a refusal is thrown with its code and details", async () => {
    const { weir } = await weirOf(refused("earlier-draft", { invoice: "inv_0" }));
    await expect(weir.invoices.finalize("inv_1")).rejects.toMatchObject({
      code: "earlier-draft",
      problem: { details: { invoice: "inv_0" } },
    });
  });
});

test("credit notes give back lines, whole or in part, and are listed", async () => {
  const { weir, operations } = await weirOf(
    success({ number: "CN-000001" }),
    success({ number: "CN-000002" }),
    page([{ number: "CN-000001" }, { number: "CN-000002" }], null),
  );
  const lines = [{ line: "inl_1", minor: "250" }, { line: "inl_2" }];
  await weir.invoices.issueCreditNote("INV-000001", { reason: "outage", lines });
  await weir.invoices.issueCreditNote("INV-000001", { reason: "the rest" });
  const listed = await all(weir.invoices.creditNotes({ invoice: "INV-000001" }));
  expect(listed.map(({ number }) => number)).toEqual(["CN-000001", "CN-000002"]);
  expect(operations().map(({ variables }) => variables)).toEqual([
    { invoice: "INV-000001", reason: "outage", lines },
    { invoice: "INV-000001", reason: "the rest" },
    { invoice: "INV-000001", after: null },
  ]);
});

describe("an explanation", () => {
  const events = (ids: string[], endCursor: string | null) => ({
    nodes: ids.map((id) => ({ id })),
    endCursor,
  });

  test("comes with the first events, and its evidence goes on from there", async () => {
    const { weir, operations } = await weirOf(
      { explanation: { reproduced: true, events: events(["1", "2"], "c2") } },
      { explanation: { events: events(["3", "4"], "c4") } },
      { explanation: { events: events(["5"], null) } },
    );
    const line = { invoice: "INV-000001", line: "inl_1" };
    const explanation = await weir.invoices.explain(line, { first: 2 });
    expect(explanation.reproduced).toBe(true);
    const after = explanation.events.endCursor ?? undefined;
    const rest = await all(weir.invoices.evidence(line, { after }));
    expect(rest.map(({ id }) => id)).toEqual(["3", "4", "5"]);
    expect(operations().map(({ variables }) => variables)).toEqual([
      { ...line, first: 2, after: null },
      { ...line, first: 500, after: "c2" },
      { ...line, first: 500, after: "c4" },
    ]);
  });

  test("is there before an invoice is, of a price", async () => {
    const { weir, operations } = await weirOf(
      { explanation: { invoiceId: null, events: events([], null) } },
      { explanation: { events: events([], null) } },
    );
    const line = { subscription: "sub_1", price: "tokens" };
    expect((await weir.invoices.explain(line)).invoiceId).toBeNull();
    expect(await all(weir.invoices.evidence(line))).toEqual([]);
    expect(operations()[0]?.variables).toEqual({ ...line, at: null, first: 50, after: null });
  });
});

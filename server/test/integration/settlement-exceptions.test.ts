import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openSettlementWorld, type SettlementWorld } from "../support/settlement/settlement-world.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";
import { charge, report, statement } from "../support/settlement/small-files.js";

let weir: TestWeir;
let world: SettlementWorld;
let worlds = 0;

beforeAll(async () => {
  weir = await startTestWeir("settlement-exceptions");
});
afterAll(() => weir?.close());
beforeEach(async () => {
  worlds += 1;
  world = await openSettlementWorld(weir, `settlement-exceptions-${worlds}`);
});

describe("exceptions are decided by people", () => {
  const decide = () => weir.weir.services.settlement.exceptions;
  const one = async () => {
    const [exception] = await world.exceptions();
    if (exception === undefined) throw new Error("nothing is open");
    return exception;
  };

  test("matched to a payment that was unknown to the file's reference, and taken back", async () => {
    await world.settle(world.stripe, "a.csv", report(charge(9)));
    const payment = await world.capture("pi_other", 1_000n);
    const open = await one();
    const input = { exception: open.id, version: open.version };
    const done = await decide().resolve(world.caller, {
      ...input,
      resolution: { kind: "match", target: payment },
      note: "asked Stripe",
    });
    expect(done).toMatchObject({
      state: "resolved",
      version: 2,
      resolution: { kind: "match", to: payment, note: "asked Stripe" },
    });
    expect(await world.balance("suspense")).toBe(0n);
    expect(await world.balance("provider_fees")).toBe(30n);
    expect(await world.balance(`provider_clearing:${world.stripe}`)).toBe(970n);
    await world.checkBooks();
    // Settled through payments: that stays.
    await expect(
      decide().reopen(world.caller, { exception: open.id, version: 2, reason: "no" }),
    ).rejects.toMatchObject({ slug: "settlement-not-undoable" });
  });

  test("matched to an invoice, then taken back by a reversal, then given to the customer's balance", async () => {
    const { id, number } = await world.invoice();
    await world.settle(
      world.bank,
      "camt.xml",
      statement([{ amount: 2_000n, credit: true, reference: "B/1", name: "Somebody" }]),
    );
    expect(await world.balance("suspense")).toBe(2_000n);
    const open = await one();
    await decide().resolve(world.caller, {
      exception: open.id,
      version: 1,
      resolution: { kind: "match", target: number },
    });
    expect(await world.balance("suspense")).toBe(0n);
    expect(await world.balance(`receivable:${world.customer}`)).toBe(0n);
    const back = await decide().reopen(world.caller, {
      exception: open.id,
      version: 2,
      reason: "another customer's",
    });
    expect(back).toMatchObject({ state: "open", version: 3 });
    expect(await world.balance("suspense")).toBe(2_000n);
    expect(await world.balance(`receivable:${world.customer}`)).toBe(2_000n);
    expect(await world.balance(`cash:${world.bank}`)).toBe(2_000n);
    const receivable = await weir.weir.services.payments.receivables.find(world.organization, id);
    expect(receivable).toMatchObject({ state: "open", paid: 0n });
    await decide().resolve(world.caller, {
      exception: open.id,
      version: 3,
      resolution: { kind: "balance", customer: "acme" },
    });
    expect(await world.balance(`customer_balance:${world.customer}`)).toBe(2_000n);
    expect(await world.balance("suspense")).toBe(0n);
    await world.checkBooks();
  });

  test("booked to fees, rounding or bad debt, and back", async () => {
    await world.settle(
      world.stripe,
      "a.csv",
      report({ id: "txn_a", category: "other_adjustment", currency: "EUR", gross: -100n, fee: 0n }),
    );
    let version = 1;
    const { id } = await one();
    for (const [account, sign] of [
      ["provider_fees", 1n],
      ["rounding", 1n],
      ["bad_debt", 1n],
    ] as const) {
      await decide().resolve(world.caller, { exception: id, version, resolution: { kind: "book", account } });
      expect(await world.balance(account)).toBe(100n * sign);
      expect(await world.balance("suspense")).toBe(0n);
      await decide().reopen(world.caller, { exception: id, version: version + 1, reason: "again" });
      expect(await world.balance(account)).toBe(0n);
      expect(await world.balance("suspense")).toBe(-100n);
      version += 2;
    }
    await world.checkBooks();
  });

  test("returned to the sender: the bank's line that takes it out is matched to it", async () => {
    await world.settle(world.bank, "1.xml", statement([{ amount: 777n, credit: true, reference: "B/1" }]));
    const open = await one();
    await decide().resolve(world.caller, {
      exception: open.id,
      version: 1,
      resolution: { kind: "return" },
      note: "sent to us by mistake",
    });
    const out = { amount: 777n, credit: false, reference: "B/2" };
    await world.settle(world.bank, "2.xml", statement([out], { id: "STMT-2", sequence: 2 }));
    expect(await world.said()).toEqual([]);
    expect(await world.balance("suspense")).toBe(0n);
    await expect(
      decide().reopen(world.caller, { exception: open.id, version: 2, reason: "no" }),
    ).rejects.toMatchObject({ slug: "target-settled" });
  });

  test("two operators on the same exception: the second is told who did what, and nothing happens twice", async () => {
    await world.settle(
      world.stripe,
      "a.csv",
      report({ id: "txn_a", category: "other_adjustment", currency: "EUR", gross: -100n, fee: 0n }),
    );
    const { id } = await one();
    const book = { exception: id, version: 1, resolution: { kind: "book", account: "rounding" } } as const;
    const outcomes = await Promise.allSettled([
      decide().resolve(world.caller, book),
      decide().ignore(
        { ...world.caller, key: "key_other" as typeof world.caller.key },
        { exception: id, version: 1, reason: "too small" },
      ),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const refused = outcomes.find(({ status }) => status === "rejected") as PromiseRejectedResult;
    const refusal = refused.reason as { slug: string; problem: Record<string, unknown> };
    expect(refusal.slug).toBe("exception-changed");
    expect(refusal.problem).toMatchObject({
      version: 2,
      by: expect.stringMatching(/^key_/) as string,
      resolution: { kind: expect.stringMatching(/book|ignore/) as string },
    });
    expect([0n, -100n]).toContain(await world.balance("suspense"));
    await world.checkBooks();
  });

  test("the same request again, by its key, is done once", async () => {
    await world.settle(
      world.stripe,
      "a.csv",
      report({ id: "txn_a", category: "other_adjustment", currency: "EUR", gross: -100n, fee: 0n }),
    );
    const { id } = await one();
    const book = { exception: id, version: 1, resolution: { kind: "book", account: "rounding" } } as const;
    const first = await decide().resolve(world.caller, book, "once");
    expect(await decide().resolve(world.caller, book, "once")).toEqual(first);
    expect(await world.balance("rounding")).toBe(100n);
  });

  test("what it cannot be is refused, and nothing is posted", async () => {
    const { number } = await world.invoice();
    const payment = await world.capture("pi_1", 900n);
    await world.settle(world.stripe, "a.csv", report(charge(9)));
    const { id } = await one();
    const attempt = (resolution: Parameters<ReturnType<typeof decide>["resolve"]>[1]["resolution"]) =>
      decide().resolve(world.caller, { exception: id, version: 1, resolution });
    await expect(attempt({ kind: "match", target: number })).rejects.toMatchObject({
      slug: "exception-not-that",
    });
    await expect(attempt({ kind: "match", target: payment })).rejects.toMatchObject({
      slug: "exception-not-that",
    });
    await expect(attempt({ kind: "match", target: "pay_nothing" })).rejects.toMatchObject({
      slug: "target-not-found",
    });
    await expect(attempt({ kind: "balance", customer: "nobody" })).rejects.toMatchObject({
      slug: "customer-not-found",
    });
    expect(await one()).toMatchObject({ state: "open", version: 1 });
    expect(await world.balance("suspense")).toBe(1_000n);
  });

  test("a target that another record has settled is not settled again", async () => {
    const payment = await world.capture("pi_1", 1_000n);
    await world.settle(world.stripe, "a.csv", report(charge(1), charge(9)));
    const open = (await world.exceptions())[0];
    await expect(
      decide().resolve(world.caller, {
        exception: open?.id ?? "",
        version: 1,
        resolution: { kind: "match", target: payment },
      }),
    ).rejects.toMatchObject({ slug: "target-settled" });
  });

  test("every decision is audited", async () => {
    await world.settle(
      world.stripe,
      "a.csv",
      report({ id: "txn_a", category: "other_adjustment", currency: "EUR", gross: -100n, fee: 0n }),
    );
    const { id } = await one();
    await decide().resolve(world.caller, {
      exception: id,
      version: 1,
      resolution: { kind: "book", account: "rounding" },
    });
    await decide().reopen(world.caller, { exception: id, version: 2, reason: "wrong" });
    const { auditLog } = await weir.graphql<{ auditLog: { nodes: { action: string }[] } }>(
      `{ auditLog(first: 10, target: "${id}") { nodes { action } } }`,
      {},
      world.key,
    );
    expect(auditLog.nodes.map(({ action }) => action).sort()).toEqual([
      "exception.reopen",
      "exception.resolve",
    ]);
  });
});

import { expect, test } from "vitest";
import { all, page, refused, success, weirOf } from "../test/support/answering-graphql.js";

test("an invoice is charged, written off, and says how it was paid", async () => {
  const { weir, operations, asked } = await weirOf(
    success({ id: "pat_1", state: "pending" }),
    success({ id: "pat_2" }),
    success({ state: "uncollectible" }),
    { invoice: { id: "inv_1", attempts: [], postings: [] } },
    page([{ id: "pay_1" }], "pay_1"),
    page([{ id: "pay_2" }], null),
  );
  expect((await weir.invoices.pay("INV-000001", {}, { idempotencyKey: "k1" })).state).toBe("pending");
  await weir.invoices.pay("INV-000001", { method: "pmt_1", amount: "5.00" });
  expect((await weir.invoices.writeOff("INV-000001", "bankrupt")).state).toBe("uncollectible");
  const paid = await weir.invoices.howPaid("INV-000001");
  expect(paid?.payments.map(({ id }) => id)).toEqual(["pay_1", "pay_2"]);
  expect(operations().map(({ variables }) => variables)).toEqual([
    { invoice: "INV-000001" },
    { invoice: "INV-000001", method: "pmt_1", amount: "5.00" },
    { invoice: "INV-000001", reason: "bankrupt" },
    { id: "INV-000001" },
    { invoice: "INV-000001", after: null },
    { invoice: "INV-000001", after: "pay_1" },
  ]);
  expect(asked[0]?.idempotencyKey).toBe("k1");
});

test("an invoice that is not there is paid by nothing", async () => {
  const { weir, asked } = await weirOf({ invoice: null });
  expect(await weir.invoices.howPaid("INV-000009")).toBeNull();
  expect(asked).toHaveLength(1);
});

test("payments and attempts are listed, found, received, looked up, canceled and settled", async () => {
  const { weir, operations } = await weirOf(
    page([{ id: "pay_1" }], null),
    { payment: null },
    success({ id: "pay_1" }),
    page([{ id: "pat_1" }], null),
    { paymentAttempt: { id: "pat_1" } },
    success({ id: "pat_1" }),
    success({ id: "pat_1" }),
    success({ id: "pat_1" }),
  );
  await all(weir.payments.list({ customer: "acme" }));
  expect(await weir.payments.find("pay_9")).toBeNull();
  const received = { customer: "acme", amount: "5.00", reference: "check 1", invoices: ["INV-000001"] };
  await weir.payments.receive(received);
  await all(weir.payments.attempts({ state: "unknown", parked: true }));
  expect((await weir.payments.findAttempt("pat_1"))?.id).toBe("pat_1");
  await weir.payments.lookUpAttempt("pat_1");
  await weir.payments.cancelAttempt("pat_1");
  await weir.payments.settleAttempt("pat_1", { outcome: "failed", reason: "not there" });
  expect(operations().map(({ variables }) => variables)).toEqual([
    { customer: "acme", invoice: null, after: null },
    { id: "pay_9" },
    received,
    { invoice: null, customer: null, state: "unknown", parked: true, after: null },
    { id: "pat_1" },
    { attempt: "pat_1" },
    { attempt: "pat_1" },
    { attempt: "pat_1", outcome: "failed", reason: "not there" },
  ]);
});

test("payment methods are listed, attached, made the default and detached; pages and links are made", async () => {
  const { weir, operations } = await weirOf(
    page([{ id: "pmt_1" }], null),
    success({ id: "pmt_1" }),
    success({ id: "pmt_1" }),
    success({ id: "pmt_1" }),
    success({ url: "https://provider.example/page" }),
    success({ url: "https://weir.example/pay/token", expiresAt: "2028-01-31T00:00:00Z" }),
  );
  await all(weir.paymentMethods.list({ customer: "acme", detached: true }));
  await weir.paymentMethods.attach({
    customer: "acme",
    account: "stripe",
    method: "pm_1",
    makeDefault: true,
  });
  await weir.paymentMethods.setDefault("pmt_1");
  await weir.paymentMethods.detach("pmt_1");
  const url = await weir.paymentMethods.createSetupPage({ customer: "acme" });
  expect(url).toBe("https://provider.example/page");
  const link = await weir.paymentMethods.createUpdateLink({ customer: "acme", account: "stripe" });
  expect(link.url).toContain("/pay/");
  expect(operations().map(({ variables }) => variables)).toEqual([
    { customer: "acme", detached: true, after: null },
    { customer: "acme", account: "stripe", method: "pm_1", makeDefault: true },
    { method: "pmt_1" },
    { method: "pmt_1" },
    { customer: "acme" },
    { customer: "acme", account: "stripe" },
  ]);
});

test("refunds, disputes and receivables", async () => {
  const { weir, operations } = await weirOf(
    page([{ id: "ref_1" }], null),
    { refund: null },
    success({ id: "ref_1" }),
    refused("refund-above-captured"),
    page([{ id: "dsp_1" }], null),
    { dispute: null },
    success({ id: "dsp_1" }),
    success({ id: "dsp_1" }),
    page([{ invoiceId: "inv_1" }], null),
  );
  await all(weir.refunds.list({ payment: "pay_1", state: "failed" }));
  expect(await weir.refunds.find("ref_9")).toBeNull();
  const refund = { payment: "pay_1", source: "goodwill", reason: "sorry" } as const;
  await weir.refunds.create({ ...refund, amount: "5.00" });
  await expect(weir.refunds.create(refund)).rejects.toMatchObject({ code: "refund-above-captured" });
  await all(weir.disputes.list({ state: "needs_response" }));
  expect(await weir.disputes.find("dsp_9")).toBeNull();
  await weir.disputes.submitEvidence("dsp_1", { receipt: "here" }, { submit: true, idempotencyKey: "k" });
  await weir.disputes.accept("dsp_1");
  await all(weir.receivables.list({ overdue: true }));
  expect(operations()[6]?.variables).toEqual({
    dispute: "dsp_1",
    evidence: [{ field: "receipt", text: "here" }],
    submit: true,
  });
});

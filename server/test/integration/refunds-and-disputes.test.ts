import { afterAll, beforeAll, expect, test } from "vitest";
import type { CustomerId, InvoiceId } from "../../src/kernel/ids.js";
import { formatInstant, minute, type Instant } from "../../src/kernel/instant.js";
import type { Payment } from "../../src/payments/store/payments.js";
import { eventually } from "../support/eventually.js";
import { startPayingOrganization, type PayingOrganization } from "../support/paying-organization.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let paying: PayingOrganization;
const payments = () => weir.weir.services.payments;
const organization = () => paying.caller.organization;
let month = 1;

async function nextMonth(): Promise<void> {
  month += 1;
  const at = new Date(Date.UTC(2028, month, 1) - 86_400_000 * 27);
  await paying.advance(`${at.toISOString().slice(0, 10)}T00:00:00Z`);
}

/** A customer who has paid an invoice. */
async function paid(
  name: string,
  card = "4242424242424242",
): Promise<{ customer: CustomerId; invoice: InvoiceId; payment: Payment }> {
  const customer = (await paying.customer(name, card)) as CustomerId;
  await nextMonth();
  const [receivable] = await payments().receivables.list(organization(), { customer, limit: 1 });
  const [payment] = await payments().charges.payments(organization(), { customer, limit: 1 });
  return { customer, invoice: receivable!.invoice, payment: payment! };
}

const balanceOf = async (code: string, currency = "USD") => {
  const accounts = await weir.weir.services.ledger.accounts(organization(), { prefix: code, limit: 50 });
  const found = accounts.find((one) => one.code === code && one.currency === currency);
  return found === undefined ? 0n : found.debit - found.credit;
};

/** Nothing of the organization is at work, and its books balance. */
async function expectBalanced(): Promise<void> {
  const books = await weir.weir.services.ledger.trialBalance(organization());
  expect(books.balanced).toBe(true);
  expect(books.differences).toEqual([]);
}

beforeAll(async () => {
  weir = await startTestWeir("refunds");
  paying = await startPayingOrganization(weir, "refunds", {
    delays: { refund_ms: 50, dispute_ms: 50, disputeDecision_ms: 50 },
  });
});
afterAll(async () => {
  await paying?.stop();
  await weir?.close();
});

test("partial refunds never come to more than was captured, whoever asks at once", async () => {
  const { payment, customer } = await paid("partial");
  const { refunds } = payments();
  const ask = (amount: bigint) =>
    refunds.create(paying.caller, { payment: payment.id, amount, source: "goodwill", reason: "sorry" });
  const outcomes = await Promise.allSettled([ask(900n), ask(900n), ask(900n)]);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
  const refused = outcomes.find((one): one is PromiseRejectedResult => one.status === "rejected");
  expect(refused?.reason).toMatchObject({ slug: "refund-above-captured" });
  await expect(ask(201n)).rejects.toMatchObject({ slug: "refund-above-captured" });
  await ask(200n);
  const all = await eventually(
    () => refunds.list(organization(), { payment: payment.id, limit: 10 }),
    (list) => list.every(({ state }) => state === "succeeded"),
  );
  expect(all.map(({ state, amount }) => `${state} ${amount}`).sort()).toEqual([
    "succeeded 200",
    "succeeded 900",
    "succeeded 900",
  ]);
  expect(await balanceOf("refunds")).toBe(2000n);
  expect(await balanceOf(`receivable:${customer}`)).toBe(0n);
  await expectBalanced();
});

test("a refund that fails later is posted back, and a person is told", async () => {
  const { payment } = await paid("failing", "4000000000005126");
  const before = await balanceOf(`provider_clearing:${paying.account}`);
  const refund = await payments().refunds.create(paying.caller, {
    payment: payment.id,
    source: "goodwill",
    reason: "sorry",
  });
  const ended = await eventually(
    async () => (await payments().refunds.find(organization(), refund.id))!,
    ({ state }) => state === "failed",
  );
  expect(ended).toMatchObject({ state: "failed", failure: expect.any(String) });
  expect(await balanceOf(`provider_clearing:${paying.account}`)).toBe(before);
  await expectBalanced();
});

test("nothing is sent again once the provider may have forgotten its key, whatever the organization's time", async () => {
  const { payment } = await paid("key-window");
  const before = await balanceOf(`provider_clearing:${paying.account}`);
  // Twice each: a client tries a broken connection again by itself.
  const { faults } = paying.stripe.simulator;
  faults.add({ operation: "refunds.create", times: 4, effect: { kind: "drop_before" } });
  const find = async (id: string) => (await payments().refunds.find(organization(), id))!;
  const lost = async (strikes: number) => {
    const refund = await payments().refunds.create(paying.caller, {
      payment: payment.id,
      amount: 500n,
      source: "goodwill",
      reason: "sorry",
    });
    // Real time, which the provider counts in, on a clock that stands in 2028.
    expect(Math.abs(refund.sentAt! - weir.weir.services.clock.now())).toBeLessThan(minute);
    await eventually(
      async () =>
        faults.list()[0]!.strikes -
        strikes +
        (await weir.weir.services.workflows.countBusy(organization(), "")),
      (left) => left === 0,
    );
    expect(await find(refund.id)).toMatchObject({ state: "pending", ref: undefined });
    return refund.id;
  };
  const [young, old] = [await lost(2), await lost(4)];
  await weir.weir.services.postgres.inOrganization(
    organization(),
    (sql) => sql`UPDATE refunds SET sent_at = sent_at - interval '24 hours' WHERE id = ${old}`,
  );
  const { now } = (await weir.weir.services.testClocks.find(organization()))!;
  await paying.advance(formatInstant((now + 10 * minute) as Instant));
  await eventually(
    () => find(young),
    ({ state }) => state === "succeeded",
  );
  expect(await find(young)).toMatchObject({ state: "succeeded", ref: expect.stringMatching(/^re_/) });
  expect(await find(old)).toMatchObject({
    state: "failed",
    failure: "it never reached the provider, and is too old to be sent",
  });
  // Once at the provider, and what was not sent is back.
  expect(paying.stripe.simulator.ledger.charge(await paying.chargeOf(payment.ref!))).toMatchObject({
    refunded: 500,
  });
  expect(before - (await balanceOf(`provider_clearing:${paying.account}`))).toBe(500n);
  await expectBalanced();
});

test("a credit note of a paid invoice is the customer's balance, and goes back as money", async () => {
  const { payment, invoice, customer } = await paid("credited");
  const note = await weir.weir.services.billing.creditNotes.issue(paying.caller, {
    invoice,
    reason: "too much",
  });
  expect(note.toBalance).toBe(payment.amount);
  expect(await balanceOf(`customer_balance:${customer}`)).toBe(-payment.amount);
  const refund = await payments().refunds.create(paying.caller, {
    payment: payment.id,
    source: "balance",
    creditNote: note.id,
    reason: "given back",
  });
  await expect(
    payments().refunds.create(paying.caller, {
      payment: payment.id,
      source: "balance",
      amount: 1n,
      reason: "again",
    }),
  ).rejects.toMatchObject({ slug: "refund-above-captured" });
  await eventually(
    async () => (await payments().refunds.find(organization(), refund.id))!,
    ({ state }) => state === "succeeded",
  );
  expect(await balanceOf(`customer_balance:${customer}`)).toBe(0n);
  await expectBalanced();
});

test("a refund can leave the invoice owed again, which is then charged again", async () => {
  const { payment, invoice } = await paid("reopened");
  await payments().refunds.create(paying.caller, {
    payment: payment.id,
    source: "invoice",
    amount: 500n,
    reason: "wrong card",
  });
  expect(await payments().receivables.find(organization(), invoice)).toMatchObject({
    state: "open",
    paid: payment.amount - 500n,
  });
  const attempt = await payments().charges.pay(paying.caller, { invoice });
  expect(attempt.amount).toBe(500n);
  await eventually(
    async () => (await payments().receivables.find(organization(), invoice))!,
    ({ state }) => state === "paid",
  );
  await expectBalanced();
});

test.each<[string, (of: { customer: CustomerId; invoice: InvoiceId }) => Promise<unknown>, object, bigint]>([
  [
    "paid in part otherwise",
    ({ customer, invoice }) =>
      payments().charges.receive(paying.caller, {
        customer,
        currency: "USD",
        amount: 600n,
        reference: "by transfer",
        invoices: [invoice],
      }),
    { state: "paid" },
    600n,
  ],
  [
    "written off",
    ({ invoice }) => payments().receivables.writeOff(paying.caller, { invoice, reason: "gone" }),
    { state: "paid", writtenOff: 0n },
    0n,
  ],
  [
    "voided",
    ({ invoice }) => weir.weir.services.billing.creditNotes.void(paying.caller, { invoice, reason: "wrong" }),
    { state: "void" },
    1000n,
  ],
])(
  "a refund that fails after its invoice was %s: what the invoice does not need is the customer's balance",
  async (name, meanwhile, receivable, toBalance) => {
    const { payment, customer, invoice } = await paid(name.replaceAll(" ", "-"));
    const { refunds, receivables } = payments();
    const refund = await refunds.create(paying.caller, {
      payment: payment.id,
      amount: 1000n,
      source: "invoice",
      reason: "charged again",
    });
    const find = async () => (await refunds.find(organization(), refund.id))!;
    const { ref } = await eventually(find, ({ state }) => state === "succeeded");
    await meanwhile({ customer, invoice });
    const [badDebt, balance] = [await balanceOf("bad_debt"), await balanceOf(`customer_balance:${customer}`)];
    paying.stripe.simulator.failRefund(ref!);
    const failed = await eventually(find, ({ state }) => state === "failed");
    expect(failed).toMatchObject({ toBalance });
    const kept = name === "voided" ? payment.amount - 1000n : payment.amount;
    expect(await receivables.find(organization(), invoice)).toMatchObject({ ...receivable, paid: kept });
    expect(await balanceOf(`receivable:${customer}`)).toBe(0n);
    expect(await balanceOf(`customer_balance:${customer}`)).toBe(balance - toBalance);
    expect(await balanceOf("bad_debt")).toBe(name === "written off" ? badDebt - 1000n : badDebt);
    await expectBalanced();
  },
);

test("two methods that are to be the default at once: one of them is", async () => {
  const customer = (await paying.customer("twice-default")) as CustomerId;
  const attach = () =>
    payments().methods.attach(paying.caller, {
      customer: "twice-default",
      account: paying.account,
      method: paying.stripe.simulator.createPaymentMethod({ number: "4242424242424242" }),
      makeDefault: true,
    });
  const attached = await Promise.all([attach(), attach(), attach(), attach()]);
  await Promise.all(attached.map(({ id }) => payments().methods.setDefault(paying.caller, id)));
  const all = await payments().methods.list(organization(), { customer, limit: 10 });
  expect(all).toHaveLength(4);
  expect(all.filter(({ isDefault }) => isDefault)).toHaveLength(1);
});

test("dispute after refund, dispute won: the money is taken once and comes back, the fee stays apart", async () => {
  const { payment } = await paid("disputed");
  await payments().refunds.create(paying.caller, {
    payment: payment.id,
    amount: 500n,
    source: "goodwill",
    reason: "sorry",
  });
  await eventually(
    () => payments().refunds.list(organization(), { payment: payment.id, limit: 1 }),
    ([one]) => one?.state === "succeeded",
  );
  const clearing = await balanceOf(`provider_clearing:${paying.account}`);
  const amount = payment.amount - 500n;
  paying.stripe.simulator.dispute(await paying.chargeOf(payment.ref!), { amount: Number(amount) });
  const [dispute] = await eventually(
    () => payments().disputes.list(organization(), { payment: payment.id, limit: 1 }),
    (list) => list.length === 1,
  );
  expect(dispute).toMatchObject({ state: "needs_response", amount: { minor: amount } });
  expect(await balanceOf(`disputes:${paying.account}`)).toBe(amount);
  expect(await balanceOf(`provider_clearing:${paying.account}`)).toBe(clearing - amount - dispute!.fee.minor);
  await payments().disputes.submitEvidence(paying.caller, {
    dispute: dispute!.id,
    evidence: { uncategorized_text: "winning_evidence" },
    submit: true,
  });
  await eventually(
    () => payments().disputes.list(organization(), { payment: payment.id, limit: 1 }),
    ([one]) => one?.state === "won",
  );
  expect(await balanceOf(`disputes:${paying.account}`)).toBe(0n);
  await expectBalanced();
});

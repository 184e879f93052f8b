import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askerOf } from "../support/graphql-answers.js";
import { stripeKey } from "../support/paying-organization.js";
import {
  attemptSelection,
  goodCard,
  money,
  startPaymentsApi,
  type Attempt,
  type Money,
  type Nodes,
  type PaymentsApi,
} from "../support/payments-api.js";

let started: PaymentsApi;
let weir: PaymentsApi["weir"];
let paying: PaymentsApi["paying"];
let others: PaymentsApi["others"];
let api: PaymentsApi["api"];
let advance: PaymentsApi["advance"];
let billed: PaymentsApi["billed"];
let billedIn: PaymentsApi["billedIn"];
let attach: PaymentsApi["attach"];
let attemptUntil: PaymentsApi["attemptUntil"];

beforeAll(async () => {
  started = await startPaymentsApi("payments-graphql");
  ({ weir, paying, others, api, advance, billed, billedIn, attach, attemptUntil } = started);
});
afterAll(() => started?.close());

const receivableOf = async (invoice: string) =>
  (
    await api.ask<{
      invoice: {
        receivable: { state: string; open: Money; paid: Money; writtenOff: Money; overdue: boolean };
      };
    }>(
      `{ invoice(id: "${invoice}") { receivable { state overdue open ${money} paid ${money} writtenOff ${money} } } }`,
    )
  ).invoice.receivable;

describe("charging an invoice", () => {
  test("an attempt is stored, and what became of it is told with its history, run and payment", async () => {
    const { invoice } = await billed("charged");
    await attach("charged");
    const pay = `payInvoice(invoice: "${invoice}", amount: "5.00")`;
    const attempt = await api.change<Attempt>(pay, attemptSelection, "pay-1");
    expect(await api.change<Attempt>(pay, attemptSelection, "pay-1")).toMatchObject({ id: attempt.id });
    expect(await api.refusal(pay.replace("5.00", "6.00"), "pay-1")).toBe("idempotency-key-reused");
    await attemptUntil(attempt.id, ({ state }) => state === "succeeded");
    expect(await receivableOf(invoice)).toMatchObject({
      state: "open",
      open: { amount: "15.00" },
      paid: { amount: "5.00" },
    });
    const { paymentAttempt } = await api.ask<{
      paymentAttempt: {
        events: { input: string; state: string }[];
        run: string;
        payment: { settlement: object };
      };
    }>(`{ paymentAttempt(id: "${attempt.id}") {
      number providerRef invoice { id } method { last4 } account { key } run events { position input outcome state at }
      payment { amount ${money} toBalance ${money} toppedUp ${money} settlement { providerRef gross ${money} fee ${money} net ${money} rate }
        attempt { id } allocations { invoiceId amount ${money} } postings { reason transfers { debit credit amount ${money} } } }
    } }`);
    expect(paymentAttempt).toMatchObject({ number: 1, invoice: { id: invoice }, method: { last4: "4242" } });
    expect(paymentAttempt.events.map(({ input, state }) => `${input} ${state}`)).toEqual([
      "created pending",
      "succeeded succeeded",
    ]);
    expect(paymentAttempt.payment).toMatchObject({
      amount: { amount: "5.00" },
      toBalance: { amount: "0.00" },
      settlement: { gross: { amount: "5.00" }, fee: { amount: "0.45" }, net: { amount: "4.55" }, rate: null },
      attempt: { id: attempt.id },
      allocations: [{ invoiceId: invoice, amount: { amount: "5.00" } }],
      postings: [
        { reason: "payment.capture", transfers: [{ amount: { amount: "5.00" } }] },
        { reason: "payment.settle", transfers: [{ debit: "provider_fees", amount: { amount: "0.45" } }] },
      ],
    });
    const { run } = await api.ask<{ run: { steps: object[] } }>(
      `{ run(id: "${paymentAttempt.run}") { steps { name state } } }`,
    );
    expect(run.steps).toEqual([
      { name: "create", state: "succeeded" },
      { name: "confirm", state: "succeeded" },
    ]);

    const rest = await api.change<Attempt>(`payInvoice(invoice: "${invoice}")`, attemptSelection);
    await attemptUntil(rest.id, ({ state }) => state === "succeeded");
    expect(await receivableOf(invoice)).toMatchObject({ state: "paid", open: { amount: "0.00" } });
    expect(await api.refusal(`payInvoice(invoice: "${invoice}")`)).toBe("nothing-owed");
    const { invoice: paid } = await api.ask<{
      invoice: { attempts: object[]; payments: Nodes<object> };
    }>(
      `{ invoice(id: "${invoice}") { attempts { number state run } payments(first: 10) { nodes { amount ${money} } } } }`,
    );
    expect(paid.attempts).toMatchObject([{ number: 1 }, { number: 2 }]);
    expect(paid.payments.nodes).toHaveLength(2);
  });

  test("is refused: unknown or another's invoice, a draft, no method, an amount that is not open or not of the currency", async () => {
    const { invoice } = await billed("refused");
    const pay = (more: string, of = invoice) => api.refusal(`payInvoice(invoice: "${of}"${more})`);
    expect(await pay("", others.invoice)).toBe("invoice-not-found");
    expect(await pay(', amount: "1.00"', others.invoice)).toBe("invoice-not-found");
    const { subscriptions } = await api.ask<{ subscriptions: Nodes<{ id: string }> }>(
      '{ subscriptions(customer: "refused") { nodes { id } } }',
    );
    const { invoice: draft } = await api.change<{ invoice: { id: string } }>(
      `createInvoice(subscription: "${subscriptions.nodes[0]!.id}")`,
      "{ invoice { id } }",
    );
    expect(await pay("", draft.id)).toBe("invoice-not-finalized");
    expect(await pay("")).toBe("no-payment-method");
    expect(await pay(`, method: "${others.method}"`)).toBe("no-payment-method");
    for (const amount of ["0", "-1.00", "1.001", "ten", "99999999999999999999.00"])
      expect(await pay(`, amount: "${amount}"`), amount).toBe("invalid-amount");
    await attach("refused");
    expect(await pay(', amount: "20.01"')).toBe("invalid-amount");
  });

  test("a currency that the account lacks is refused, and says which it has", async () => {
    await api.change(
      `createProviderAccount(key: "euros", provider: "stripe", currencies: ["EUR"], secrets: [{ name: "secretKey", value: "${stripeKey}" }], settings: [{ name: "apiBase", value: "${paying.stripe.url}" }])`,
      "{ id }",
    );
    const { invoice } = await billed("dollars");
    const { id } = await api.change<{ id: string }>(
      `attachPaymentMethod(customer: "dollars", account: "euros", method: "${paying.stripe.simulator.createPaymentMethod({ number: goodCard })}")`,
      "{ id }",
    );
    const answer = await api.answer(`payInvoice(invoice: "${invoice}", method: "${id}")`, "{ id }");
    expect(answer).toMatchObject({
      code: "currency-not-charged",
      message: expect.stringContaining("EUR") as string,
    });
    await api.change('archiveProviderAccount(account: "euros")', "{ id }");
    expect(await api.refusal(`payInvoice(invoice: "${invoice}", method: "${id}")`)).toBe(
      "provider-account-archived",
    );
  });

  test("yen have no decimals, dinars three: amounts are read, charged and shown by the currency", async () => {
    const yen = await billedIn("JPY", "1250");
    await attach(yen.customer);
    expect(
      await api.answer(`payInvoice(invoice: "${yen.invoice}", amount: "1250.5")`, "{ id }"),
    ).toMatchObject({
      code: "invalid-amount",
      message: expect.stringContaining("JPY has no decimals") as string,
    });
    const paid = await api.change<Attempt & { amount: Money }>(
      `payInvoice(invoice: "${yen.invoice}", amount: "250")`,
      `{ id state amount ${money} }`,
    );
    expect(paid.amount).toEqual({ amount: "250", currency: "JPY" });
    await attemptUntil(paid.id, ({ state }) => state === "succeeded");
    expect(await receivableOf(yen.invoice)).toMatchObject({ open: { amount: "1000", currency: "JPY" } });

    const dinars = await billedIn("KWD", "1.235");
    await attach(dinars.customer);
    expect(await api.refusal(`payInvoice(invoice: "${dinars.invoice}", amount: "1.2345")`)).toBe(
      "invalid-amount",
    );
    // Stripe takes the last digit of three as zero only: said before anything is sent.
    const whole = await api.change<Attempt>(`payInvoice(invoice: "${dinars.invoice}")`, attemptSelection);
    const failed = await attemptUntil(whole.id, ({ state }) => state === "failed");
    expect(failed.decline).toEqual({ code: "amount", hardness: "setup" });
    const part = await api.change<Attempt>(
      `payInvoice(invoice: "${dinars.invoice}", amount: "1.230")`,
      attemptSelection,
    );
    await attemptUntil(part.id, ({ state }) => state === "succeeded");
    expect(await receivableOf(dinars.invoice)).toMatchObject({
      open: { amount: "0.005" },
      paid: { amount: "1.230" },
    });
    // Nor does it give back others.
    const { payments } = await api.ask<{ payments: Nodes<{ id: string }> }>(
      `{ payments(first: 1, customer: "${dinars.customer}") { nodes { id } } }`,
    );
    const refund = (amount: string) =>
      `createRefund(payment: "${payments.nodes[0]?.id}", amount: "${amount}", source: goodwill, reason: "sorry")`;
    expect(await api.answer(refund("0.125"), "{ id }")).toMatchObject({
      code: "amount-not-taken",
      message: expect.stringContaining(
        "Stripe takes amounts in KWD with a last digit of zero only",
      ) as string,
    });
    expect(await api.change(refund("0.120"), "{ state }")).toMatchObject({ state: "pending" });
  });

  test("an attempt that waits for its customer is canceled once; one that has ended is not", async () => {
    const { invoice } = await billed("absent");
    await attach("absent", "4000002760003184");
    const { id } = await api.change<Attempt>(`payInvoice(invoice: "${invoice}")`, attemptSelection);
    const ended = await attemptUntil(id, ({ state }) => state !== "pending" && state !== "processing");
    // Off-session, Stripe declines what needs the customer.
    expect(ended).toMatchObject({
      state: "failed",
      decline: { code: "authentication_required", hardness: "hard" },
    });
    expect(await api.refusal(`cancelPaymentAttempt(attempt: "${id}")`)).toBe("payment-attempt-ended");
    expect(
      await api.change<Attempt>(`lookUpPaymentAttempt(attempt: "${id}")`, attemptSelection),
    ).toMatchObject({ state: "failed" });
  });

  test("an outcome that nobody knows is looked up, canceled, or settled by a person", async () => {
    const { simulator } = paying.stripe;
    /** An attempt of which no answer ever came; the provider stays silent about it until it is `heard`. */
    const unknown = async (name: string) => {
      const { invoice } = await billed(name);
      await attach(name);
      const faults = ["confirm", "retrieve", "cancel"].map((operation) =>
        simulator.faults.add({ operation: `payment_intents.${operation}`, effect: { kind: "drop_before" } }),
      );
      const heard = () => faults.forEach((fault) => simulator.faults.remove(fault));
      const { id } = await api.change<Attempt>(`payInvoice(invoice: "${invoice}")`, attemptSelection);
      await attemptUntil(id, ({ state }) => state === "unknown");
      return { id, invoice, heard };
    };
    const settled = await unknown("unsure");
    expect(await api.refusal(`payInvoice(invoice: "${settled.invoice}")`)).toBe("payment-in-progress");
    expect(await api.refusal(`writeOffInvoice(invoice: "${settled.invoice}", reason: "gone")`)).toBe(
      "payment-in-progress",
    );
    expect(
      await api.change<Attempt>(`lookUpPaymentAttempt(attempt: "${settled.id}")`, attemptSelection),
    ).toMatchObject({ state: "unknown" });
    const settle = `settlePaymentAttempt(attempt: "${settled.id}", outcome: failed, reason: "not on the dashboard")`;
    expect(await api.refusal(settle.replace("not on the dashboard", ""))).toBe("invalid-settlement");
    const done = await api.change<Attempt>(settle, attemptSelection, "settle-1");
    expect(done).toMatchObject({ state: "failed", decline: { code: "settled_by_hand" } });
    expect(await api.change<Attempt>(settle, attemptSelection, "settle-1")).toEqual(done);
    expect(await api.refusal(settle)).toBe("payment-attempt-known");
    expect(await api.refusal(settle.replace("failed", "succeeded"), "settle-1")).toBe(
      "idempotency-key-reused",
    );

    settled.heard();

    const canceled = await unknown("cancelled");
    canceled.heard();
    const cancel = `cancelPaymentAttempt(attempt: "${canceled.id}")`;
    const answer = await api.answer<Attempt>(cancel, attemptSelection, "cancel-1");
    // Its own run may have found out meanwhile: then that is what became of it.
    if (answer.data === undefined) expect(answer.code).toBe("payment-attempt-ended");
    else {
      expect(answer.data.state).toBe("canceled");
      expect(await api.change<Attempt>(cancel, attemptSelection, "cancel-1")).toEqual(answer.data);
    }
    for (const field of ["lookUpPaymentAttempt", "cancelPaymentAttempt"])
      expect(await api.refusal(`${field}(attempt: "${others.attempt}")`)).toBe("payment-attempt-not-found");
    expect(
      await api.refusal(`settlePaymentAttempt(attempt: "${others.attempt}", outcome: failed, reason: "r")`),
    ).toBe("payment-attempt-not-found");
  });

  test("attempts are listed by invoice, customer and state", async () => {
    const { of, all, failed, parked } = await api.ask<{
      of: Nodes<{ number: number; state: string }>;
      all: Nodes<{ id: string }>;
      failed: Nodes<{ state: string }>;
      parked: Nodes<object>;
    }>(`{
      of: paymentAttempts(customer: "charged") { nodes { number state } }
      all: paymentAttempts(first: 200) { nodes { id } }
      failed: paymentAttempts(state: failed) { nodes { state } }
      parked: paymentAttempts(parked: true) { nodes { id } }
    }`);
    expect(of.nodes.length).toBeGreaterThan(1);
    expect(of.nodes.length).toBeLessThan(all.nodes.length);
    expect(new Set(failed.nodes.map(({ state }) => state))).toEqual(new Set(["failed"]));
    expect(parked.nodes).toEqual([]);
    await expect(
      api.ask(`{ paymentAttempts(invoice: "${others.invoice}") { nodes { id } } }`),
    ).rejects.toThrow("invoice-not-found");
  });
});

describe("money that came in elsewhere", () => {
  test("pays what is open, first due first; what is too much is the customer's balance", async () => {
    const { id, invoice } = await billed("checks");
    const receive = (amount: string, reference: string, more = "") =>
      `receivePayment(customer: "checks", amount: "${amount}", currency: "USD", reference: "${reference}"${more})`;
    const selection = `{ id source sourceId amount ${money} toBalance ${money} note account { key } allocations { invoiceId amount ${money} } postings { reason } }`;
    const first = await api.change<{ id: string }>(
      receive("12.50", "check 1", ', note: "by post"'),
      selection,
      "check-1",
    );
    expect(first).toMatchObject({
      source: "manual",
      sourceId: "check 1",
      note: "by post",
      account: null,
      toBalance: { amount: "0.00" },
      allocations: [{ invoiceId: invoice, amount: { amount: "12.50" } }],
    });
    expect(await api.change(receive("12.50", "check 1", ', note: "by post"'), selection, "check-1")).toEqual(
      first,
    );
    expect(await api.refusal(receive("13.50", "check 1"), "check-1")).toBe("idempotency-key-reused");
    expect(await api.refusal(receive("13.50", "check 1"))).toBe("payment-recorded");
    const second = await api.change(receive("10", "check 2", `, invoices: ["${invoice}"]`), selection);
    expect(second).toMatchObject({
      toBalance: { amount: "2.50" },
      allocations: [{ amount: { amount: "7.50" } }],
    });
    const { ledgerAccounts } = await api.ask<{ ledgerAccounts: Nodes<{ balance: Money }> }>(
      `{ ledgerAccounts(prefix: "customer_balance:${id}") { nodes { balance ${money} } } }`,
    );
    expect(ledgerAccounts.nodes).toEqual([{ balance: { amount: "2.50", currency: "USD" } }]);
    const { payments, payment } = await api.ask<{ payments: Nodes<{ sourceId: string }>; payment: object }>(
      `{ payments(customer: "checks") { nodes { sourceId } } payment(id: "${first.id}") { customer { key } } }`,
    );
    // Two of one millisecond have no order.
    expect(payments.nodes.map(({ sourceId }) => sourceId).toSorted()).toEqual(["check 1", "check 2"]);
    expect(payment).toEqual({ customer: { key: "checks" } });
  });

  test("is refused: no currency, decimals that it has not, another's invoice, what is empty or to come", async () => {
    const receive = (amount: string, currency: string, more = "") =>
      api.answer(
        `receivePayment(customer: "checks", amount: "${amount}", reference: "r"${currency}${more})`,
        "{ id }",
      );
    expect(await receive("1.00", "")).toMatchObject({
      code: "invalid-amount",
      details: { errors: [{ field: "currency" }] },
    });
    expect(await receive("1.00", ', currency: "XXQ"')).toMatchObject({
      details: { errors: [{ field: "currency" }] },
    });
    expect(await receive("1.5", ', currency: "JPY"')).toMatchObject({
      details: { errors: [{ field: "amount" }] },
    });
    expect(await receive("1.2345", ', currency: "KWD"')).toMatchObject({
      details: { errors: [{ field: "amount" }] },
    });
    const usd = ', currency: "USD"';
    expect(await receive("1.00", usd, ', note: ""')).toMatchObject({ code: "invalid-payment" });
    expect(await receive("1.00", usd, ', receivedAt: "2099-01-01T00:00:00Z"')).toMatchObject({
      code: "posting-in-future",
    });
    expect(await receive("1.00", usd, `, invoices: ["${others.invoice}"]`)).toMatchObject({
      code: "invoice-not-found",
    });
    const { invoice } = await billed("somebody");
    expect(await receive("1.00", usd, `, invoices: ["${invoice}"]`)).toMatchObject({ code: "not-the-payer" });
    expect(
      await api.refusal(
        `receivePayment(customer: "${others.customer}", amount: "1.00", currency: "USD", reference: "r")`,
      ),
    ).toBe("customer-not-found");
    expect(
      await api.change(
        `receivePayment(customer: "in-kwd", amount: "0.005", reference: "three decimals")`,
        `{ amount ${money} }`,
      ),
    ).toEqual({ amount: { amount: "0.005", currency: "KWD" } });
  });

  test("what is never paid is written off, once", async () => {
    const { invoice } = await billed("given-up");
    const off = `writeOffInvoice(invoice: "${invoice}", reason: "bankrupt")`;
    const selection = `{ state writtenOff ${money} open ${money} }`;
    const done = await api.change(off, selection, "off-1");
    expect(done).toMatchObject({
      state: "uncollectible",
      writtenOff: { amount: "20.00" },
      open: { amount: "0.00" },
    });
    expect(await api.change(off, selection, "off-1")).toEqual(done);
    expect(await api.refusal(off)).toBe("nothing-owed");
    expect(await api.refusal(`writeOffInvoice(invoice: "${others.invoice}", reason: "r")`)).toBe(
      "invoice-not-found",
    );
    expect(await api.refusal(`writeOffInvoice(invoice: "${invoice}", reason: "")`)).toBe("invalid-write-off");
  });

  test("receivables are listed by customer, state and what is overdue", async () => {
    await paying.customer("terms");
    await api.change('updateCustomer(customer: "terms", paymentTermsDays: 20)', "{ id }");
    await advance();
    const listed = async (filter: string) =>
      (
        await api.ask<{ receivables: Nodes<{ state: string; overdue: boolean; customer: { key: string } }> }>(
          `{ receivables(${filter}, first: 200) { nodes { state overdue customer { key } invoice { number } open ${money} dunning { state retries } } } }`,
        )
      ).receivables.nodes;
    expect(await listed('customer: "terms"')).toMatchObject([{ state: "open", overdue: false }]);
    expect(await listed('customer: "terms", overdue: true')).toEqual([]);
    expect((await listed("overdue: true")).every(({ overdue, state }) => overdue && state === "open")).toBe(
      true,
    );
    expect((await listed("overdue: true")).length).toBeGreaterThan(0);
    expect((await listed("state: uncollectible")).map(({ customer }) => customer.key)).toEqual(["given-up"]);
    const pages: string[] = [];
    let after = "";
    for (;;) {
      const { receivables } = await api.ask<{
        receivables: Nodes<{ invoiceId: string }> & { pageInfo: { endCursor: string; hasNextPage: boolean } };
      }>(`{ receivables(first: 3${after}) { nodes { invoiceId } pageInfo { endCursor hasNextPage } } }`);
      pages.push(...receivables.nodes.map(({ invoiceId }) => invoiceId));
      if (!receivables.pageInfo.hasNextPage) break;
      after = `, after: "${receivables.pageInfo.endCursor}"`;
    }
    expect(new Set(pages).size).toBe(pages.length);
    expect(pages.length).toBe(
      (await listed("first: 200".slice(0, 0) + "state: open")).length +
        (await listed("state: paid")).length +
        (await listed("state: uncollectible")).length,
    );
  });
});

test("from why a line costs what it costs one comes to the attempts, payments, refunds, references and postings", async () => {
  const { invoice, payment } = await billed("explained", goodCard);
  await api.change(
    `createRefund(payment: "${payment}", source: goodwill, reason: "sorry", amount: "1.00")`,
    "{ id }",
  );
  const { invoice: billedInvoice } = await api.ask<{ invoice: { lines: { id: string }[] } }>(
    `{ invoice(id: "${invoice}") { lines { id } } }`,
  );
  const { lineExplanation } = await api.ask<{ lineExplanation: { money: Money; invoice: object } }>(
    `{ lineExplanation(invoice: "${invoice}", line: "${billedInvoice.lines[0]!.id}") { money ${money} invoice {
      number receivable { state paid ${money} }
      postings { reason transfers { debit credit amount ${money} } }
      attempts { state providerRef run }
      payments { nodes { providerRef amount ${money} settlement { providerRef fee ${money} } postings { reason }
        refunds { amount ${money} postings { reason } } disputes { id } } }
    } } }`,
  );
  expect(lineExplanation).toMatchObject({
    money: { amount: "20.00" },
    invoice: {
      receivable: { state: "paid", paid: { amount: "20.00" } },
      postings: [{ reason: "invoice.finalize" }],
      attempts: [
        {
          state: "succeeded",
          providerRef: expect.stringMatching(/^pi_/) as string,
          run: `charge:${invoice}:1`,
        },
      ],
      payments: {
        nodes: [
          {
            providerRef: expect.stringMatching(/^pi_/) as string,
            settlement: { providerRef: expect.stringMatching(/^txn_/) as string },
            postings: [{ reason: "payment.capture" }, { reason: "payment.settle" }],
            refunds: [
              {
                amount: { amount: "1.00" },
                postings: expect.arrayContaining([{ reason: "refund.make" }]) as unknown,
              },
            ],
            disputes: [],
          },
        ],
      },
    },
  });
});

test("a read key reads, and changes nothing", async () => {
  const { identity } = weir.weir.services;
  const { secret } = await identity.issueSystemKey(paying.caller.organization, {
    name: "reader",
    kind: "read",
  });
  const reader = askerOf(weir, secret);
  const { payments } = await reader.ask<{ payments: Nodes<object> }>(
    "{ payments(first: 1) { nodes { id } } }",
  );
  expect(payments.nodes).toHaveLength(1);
  for (const field of [
    'payInvoice(invoice: "x")',
    'createRefund(payment: "x", source: goodwill, reason: "r")',
    'createCardUpdateLink(customer: "linked")',
    'createProviderAccount(key: "k", provider: "stripe")',
    'receivePayment(customer: "checks", amount: "1", currency: "USD", reference: "r")',
    "setDunningSchedule(hour: 1)",
  ])
    expect(await reader.refusal(field), field).toBe("wrong-key-kind");
});

test("every change is on record, and no secret is in it or in any other answer", async () => {
  await started.expectRecorded(
    "invoice.pay",
    "invoice.write_off",
    "payment_attempt.look_up",
    "payment_attempt.settle",
    "payment.receive",
  );
  started.expectNoSecret();
});

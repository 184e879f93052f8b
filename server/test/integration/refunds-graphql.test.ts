import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import {
  goodCard,
  money,
  startPaymentsApi,
  type Money,
  type Nodes,
  type PaymentsApi,
} from "../support/payments-api.js";

let started: PaymentsApi;
let paying: PaymentsApi["paying"];
let other: PaymentsApi["other"];
let others: PaymentsApi["others"];
let api: PaymentsApi["api"];
let billed: PaymentsApi["billed"];
let billedIn: PaymentsApi["billedIn"];
let attach: PaymentsApi["attach"];
let attemptUntil: PaymentsApi["attemptUntil"];

beforeAll(async () => {
  started = await startPaymentsApi("refunds-graphql");
  ({ paying, other, others, api, billed, billedIn, attach, attemptUntil } = started);
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

describe("refunds", () => {
  const refund = (payment: string, source: string, more = "") =>
    `createRefund(payment: "${payment}", source: ${source}, reason: "asked for"${more})`;
  const selection = `{ id state source amount ${money} payment { id } invoice { id } creditNote { number } providerRef failure postings { reason } }`;

  test("give back a part, then the rest, never more than came in", async () => {
    const { payment, invoice } = await billed("regretting", goodCard);
    const part = refund(payment!, "goodwill", ', amount: "5.00"');
    const made = await api.change<{ id: string }>(part, selection, "refund-1");
    expect(made).toMatchObject({
      source: "goodwill",
      amount: { amount: "5.00" },
      payment: { id: payment },
      invoice: null,
    });
    expect(await api.change<{ id: string }>(part, selection, "refund-1")).toMatchObject({ id: made.id });
    expect(await api.refusal(part.replace("5.00", "6.00"), "refund-1")).toBe("idempotency-key-reused");
    await eventually(
      async () =>
        (
          await api.ask<{ refund: { state: string; providerRef: string } }>(
            `{ refund(id: "${made.id}") ${selection} }`,
          )
        ).refund,
      ({ state, providerRef }) => state === "succeeded" && providerRef.startsWith("re_"),
    );
    for (const amount of ["15.01", "20.00"])
      expect(await api.refusal(refund(payment!, "goodwill", `, amount: "${amount}"`))).toBe(
        "refund-above-captured",
      );
    for (const amount of ["0", "-1", "1.001"])
      expect(await api.refusal(refund(payment!, "goodwill", `, amount: "${amount}"`))).toBe("invalid-amount");
    expect(await api.refusal(refund(payment!, "balance", ', amount: "1.00"'))).toBe("refund-above-balance");
    expect(await api.refusal(refund(payment!, "goodwill").replace("asked for", ""))).toBe("invalid-refund");
    expect(await api.refusal(refund(others.payment, "goodwill"))).toBe("payment-not-found");
    const rest = await api.change(refund(payment!, "invoice"), selection);
    expect(rest).toMatchObject({ amount: { amount: "15.00" }, invoice: { id: invoice } });
    expect(await receivableOf(invoice)).toMatchObject({ state: "open", open: { amount: "15.00" } });
    expect(await api.refusal(refund(payment!, "goodwill"))).toBe("refund-above-captured");
    const { refunds, payment: paid } = await api.ask<{
      refunds: Nodes<object>;
      payment: { refunds: object[] };
    }>(
      `{ refunds(payment: "${payment}") { nodes { amount ${money} } } payment(id: "${payment}") { refunds { postings { reason transfers { debit credit } } } } }`,
    );
    expect(refunds.nodes).toHaveLength(2);
    expect(paid.refunds).toMatchObject([
      { postings: expect.arrayContaining([expect.objectContaining({ reason: "refund.make" })]) as unknown },
      {},
    ]);
  });

  test("pay out a credit note from the balance; and are counted in the payment's currency", async () => {
    const { payment, invoice } = await billed("credited", goodCard);
    const note = await api.change<{ id: string; number: string }>(
      `issueCreditNote(invoice: "${invoice}", reason: "outage")`,
      "{ id number postings { reason } }",
    );
    const made = await api.change(refund(payment!, "balance", `, creditNote: "${note.number}"`), selection);
    expect(made).toMatchObject({ amount: { amount: "20.00" }, creditNote: { number: note.number } });
    const { customer, invoice: yen } = await billedIn("JPY", "1250");
    await attach(customer);
    const attempt = await api.change<{ id: string }>(`payInvoice(invoice: "${yen}")`, "{ id }");
    await attemptUntil(attempt.id, ({ state }) => state === "succeeded");
    const { payments } = await api.ask<{ payments: Nodes<{ id: string }> }>(
      `{ payments(invoice: "${yen}") { nodes { id } } }`,
    );
    const id = payments.nodes[0]!.id;
    expect(await api.answer(refund(id, "goodwill", ', amount: "10.5"'), "{ id }")).toMatchObject({
      code: "invalid-amount",
      message: expect.stringContaining("JPY has no decimals") as string,
    });
    expect(await api.change(refund(id, "goodwill", ', amount: "10"'), selection)).toMatchObject({
      amount: { amount: "10", currency: "JPY" },
    });
    expect(await api.refusal(refund(id, "balance", ', creditNote: "CN-999999"'))).toBe(
      "credit-note-not-found",
    );
  });

  test("of money that came in elsewhere are made at once, and go back elsewhere", async () => {
    await billed("checks");
    const payment = await api.change<{ id: string }>(
      'receivePayment(customer: "checks", amount: "12.00", currency: "USD", reference: "check 1")',
      "{ id }",
    );
    const made = await api.change(refund(payment.id, "goodwill", ', amount: "1.00"'), selection);
    expect(made).toMatchObject({ state: "succeeded", providerRef: null });
    const { refunds } = await api.ask<{ refunds: Nodes<{ state: string }> }>(
      "{ refunds(state: succeeded) { nodes { state } } }",
    );
    expect(refunds.nodes.length).toBeGreaterThan(0);
    expect(refunds.nodes.every(({ state }) => state === "succeeded")).toBe(true);
  });
});

describe("disputes", () => {
  const selection = `{ id state reason amount ${money} held ${money} fee ${money} evidence { field text } evidenceDueAt submittedAt closedAt account { key } payment { id } postings { reason } }`;
  interface Dispute {
    readonly id: string;
    readonly state: string;
    readonly submittedAt: string | null;
  }

  async function disputed(name: string): Promise<Dispute> {
    const { payment } = await billed(name, "4000000000000259");
    return eventually(
      async () =>
        (
          await api.ask<{ disputes: Nodes<Dispute> }>(
            `{ disputes(payment: "${payment}") { nodes ${selection} } }`,
          )
        ).disputes.nodes[0]!,
      (dispute) => dispute !== undefined,
    );
  }

  test("take evidence, which is kept until it is submitted, and are won by it", async () => {
    const dispute = await disputed("doubting");
    expect(dispute).toMatchObject({
      state: "needs_response",
      amount: { amount: "20.00" },
      account: { key: "stripe" },
    });
    const evidence = (text: string, more = "") =>
      `submitDisputeEvidence(dispute: "${dispute.id}", evidence: [{ field: "uncategorized_text", text: "${text}" }]${more})`;
    const kept = await api.change<Dispute>(evidence("it was delivered"), selection);
    expect(kept).toMatchObject({
      state: "needs_response",
      submittedAt: null,
      evidence: [{ field: "uncategorized_text", text: "it was delivered" }],
    });
    const sent = await api.change<Dispute>(
      evidence("winning_evidence", ", submit: true"),
      selection,
      "evidence-1",
    );
    expect(sent.submittedAt).not.toBeNull();
    const won = await eventually(
      async () =>
        (await api.ask<{ dispute: Dispute }>(`{ dispute(id: "${dispute.id}") ${selection} }`)).dispute,
      ({ state }) => state === "won",
    );
    expect(won).toMatchObject({ closedAt: expect.any(String) as string });
    // The same request again is answered, although the dispute is decided by now.
    expect(
      await api.change<Dispute>(evidence("winning_evidence", ", submit: true"), selection, "evidence-1"),
    ).toEqual(won);
    expect(await api.refusal(evidence("more"))).toBe("dispute-closed");
    expect(await api.refusal(evidence("more"), "evidence-1")).toBe("idempotency-key-reused");
    expect(await api.refusal(`acceptDispute(dispute: "${dispute.id}")`)).toBe("dispute-closed");
  });

  test("are accepted: the money is gone, and posted as such", async () => {
    const dispute = await disputed("conceding");
    for (const evidence of ["[]", '[{ field: "No Name", text: "x" }]'])
      expect(
        await api.refusal(`submitDisputeEvidence(dispute: "${dispute.id}", evidence: ${evidence})`),
      ).toBe("invalid-evidence");
    const twice = '[{ field: "receipt", text: "a" }, { field: "receipt", text: "b" }]';
    expect(await api.refusal(`submitDisputeEvidence(dispute: "${dispute.id}", evidence: ${twice})`)).toBe(
      "invalid-evidence",
    );
    const accept = `acceptDispute(dispute: "${dispute.id}")`;
    const lost = await api.change<Dispute>(accept, selection, "accept-1");
    expect(lost).toMatchObject({ state: "lost", postings: [{}, {}, {}] });
    expect(await api.change<Dispute>(accept, selection, "accept-1")).toEqual(lost);
    const { disputes } = await api.ask<{ disputes: Nodes<{ state: string }> }>(
      "{ disputes(state: lost) { nodes { state } } }",
    );
    expect(disputes.nodes).toEqual([{ state: "lost" }]);
    expect(await api.refusal('acceptDispute(dispute: "dsp_unknown")')).toBe("dispute-not-found");
  });
});

test("payouts are told with what they posted", async () => {
  const payout = paying.stripe.simulator.payOut("usd");
  expect(payout).toBeDefined();
  const selection = `{ id providerRef state amount ${money} account { key } arrivesOn receivedAt postings { reason transfers { debit credit amount ${money} } } }`;
  const [found] = await eventually(
    async () =>
      (
        await api.ask<{ payouts: Nodes<{ id: string; state: string; amount: Money }> }>(
          `{ payouts(account: "stripe") { nodes ${selection} } }`,
        )
      ).payouts.nodes,
    ([one]) => one?.state === "paid",
  );
  expect(found).toMatchObject({
    providerRef: payout,
    receivedAt: null,
    postings: [{ reason: "payout.send", transfers: [{ amount: found!.amount }] }],
  });
  const { payout: one, payouts } = await api.ask<{ payout: object; payouts: Nodes<object> }>(
    `{ payout(id: "${found!.id}") { id } payouts(state: failed) { nodes { id } } }`,
  );
  expect([one, payouts.nodes]).toEqual([{ id: found!.id }, []]);
  await expect(api.ask(`{ payouts(account: "${other.account}") { nodes { id } } }`)).rejects.toThrow(
    "provider-account-not-found",
  );
});

test("every change is on record", async () => {
  await started.expectRecorded("refund.create", "dispute.submit_evidence", "dispute.accept");
  started.expectNoSecret();
});

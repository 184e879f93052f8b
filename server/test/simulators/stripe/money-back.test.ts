import type Stripe from "stripe";
import { describe, expect, test } from "vitest";
import { collectWebhooks, describeEachClient, openInProcess, pay, typesOf } from "./opened-simulator.js";

const minute = 60_000;
const day = 24 * 60 * minute;

describeEachClient("refunds by the official SDK", (open) => {
  test("are partial or the rest, up to what was paid, and stand in the charge and the books", async () => {
    const { stripe, simulator } = await open();
    const { intent, charge } = await pay(stripe);
    const part = await stripe.refunds.create({
      payment_intent: intent.id,
      amount: 3_000,
      reason: "requested_by_customer",
      metadata: { weir: "ref_1" },
      expand: ["balance_transaction"],
    });
    expect(part).toMatchObject({
      status: "succeeded",
      charge: charge.id,
      balance_transaction: { type: "refund", amount: -3_000, fee: 0, net: -3_000 },
    });
    await expect(stripe.refunds.create({ charge: charge.id, amount: 7_001 })).rejects.toMatchObject({
      statusCode: 400,
      param: "amount",
    });
    const rest = await stripe.refunds.create({ charge: charge.id });
    expect(rest.amount).toBe(7_000);
    await expect(stripe.refunds.create({ charge: charge.id })).rejects.toMatchObject({
      code: "charge_already_refunded",
    });
    const after = await stripe.charges.retrieve(charge.id, { expand: ["refunds"] });
    expect(after).toMatchObject({ amount_refunded: 10_000, refunded: true });
    expect(after.refunds?.data.map(({ id }) => id)).toEqual([rest.id, part.id]);
    expect((await stripe.refunds.list({ payment_intent: intent.id })).data).toHaveLength(2);
    expect((await stripe.refunds.update(part.id, { metadata: { a: "1" } })).metadata).toEqual({
      weir: "ref_1",
      a: "1",
    });
    expect(simulator.ledger.charge(charge.id)).toMatchObject({ captured: 10_000, refunded: 10_000 });
    await expect(stripe.refunds.create({ amount: 5 })).rejects.toMatchObject({ code: "parameter_missing" });
  });

  test("of some cards are pending first, or fail after they succeeded; then the money is back", async () => {
    const { stripe, simulator } = await open();
    const slow = await pay(stripe, "pm_card_pendingRefund");
    const pending = await stripe.refunds.create({ charge: slow.charge.id });
    expect(pending).toMatchObject({ status: "pending", pending_reason: "processing" });
    const bad = await pay(stripe, "pm_card_refundFail");
    const failing = await stripe.refunds.create({ charge: bad.charge.id, amount: 4_000 });
    expect(failing.status).toBe("succeeded");
    const before = simulator.ledger.balance("usd");
    await simulator.advance(minute);
    expect((await stripe.refunds.retrieve(pending.id)).status).toBe("succeeded");
    const failed = await stripe.refunds.retrieve(failing.id, { expand: ["failure_balance_transaction"] });
    expect(failed).toMatchObject({
      status: "failed",
      failure_reason: "lost_or_stolen_card",
      failure_balance_transaction: { type: "refund_failure", amount: 4_000 },
    });
    expect(await stripe.charges.retrieve(bad.charge.id)).toMatchObject({
      amount_refunded: 0,
      refunded: false,
    });
    expect(simulator.ledger.charge(bad.charge.id)?.refunded).toBe(0);
    const after = simulator.ledger.balance("usd");
    expect(after.available + after.pending).toBe(before.available + before.pending + 4_000);
    expect(() => simulator.failRefund(failing.id)).toThrow("cannot fail");
  });
});

describeEachClient("disputes by the official SDK", (open) => {
  test("take the money and a fee at once, and give the money back when they are won", async () => {
    const { stripe, simulator } = await open();
    const { charge } = await pay(stripe, "pm_card_createDispute");
    await simulator.advance(minute);
    const [dispute] = (await stripe.disputes.list({ charge: charge.id })).data;
    expect(dispute).toMatchObject({
      status: "needs_response",
      reason: "fraudulent",
      amount: 10_000,
      is_charge_refundable: false,
      balance_transactions: [
        { type: "adjustment", reporting_category: "dispute", amount: -10_000, fee: 1_500 },
      ],
    });
    expect((await stripe.charges.retrieve(charge.id)).disputed).toBe(true);
    await expect(stripe.refunds.create({ charge: charge.id })).rejects.toMatchObject({
      code: "charge_disputed",
    });
    const staged = await stripe.disputes.update(dispute!.id, {
      evidence: { customer_name: "Ada" },
      submit: false,
    });
    expect(staged).toMatchObject({
      status: "needs_response",
      evidence_details: { has_evidence: true, submission_count: 0 },
    });
    const submitted = await stripe.disputes.update(dispute!.id, {
      evidence: { uncategorized_text: "winning_evidence" },
    });
    expect(submitted).toMatchObject({ status: "under_review", evidence_details: { submission_count: 1 } });
    await simulator.advance(minute);
    const won = await stripe.disputes.retrieve(dispute!.id);
    expect(won.status).toBe("won");
    expect(won.balance_transactions.map(({ net }) => net)).toEqual([-11_500, 10_000]);
    expect(simulator.ledger.charge(charge.id)).toMatchObject({ captured: 10_000, disputed: 0 });
    expect((await stripe.refunds.create({ charge: charge.id })).status).toBe("succeeded");
  });

  test("are lost by evidence, by giving up, and by waiting too long", async () => {
    const { stripe, simulator } = await open();
    const { charge: first } = await pay(stripe);
    const byEvidence = simulator.dispute(first.id, { reason: "product_not_received" });
    await stripe.disputes.update(byEvidence, { evidence: { uncategorized_text: "losing_evidence" } });
    const byGivingUp = simulator.dispute((await pay(stripe)).charge.id);
    expect((await stripe.disputes.close(byGivingUp)).status).toBe("lost");
    const byWaiting = simulator.dispute((await pay(stripe)).charge.id);
    await simulator.advance(10 * day);
    expect(await stripe.disputes.retrieve(byEvidence)).toMatchObject({
      status: "lost",
      reason: "product_not_received",
    });
    expect(await stripe.disputes.retrieve(byWaiting)).toMatchObject({
      status: "lost",
      evidence_details: { past_due: true },
    });
    await expect(stripe.disputes.close(byWaiting)).rejects.toMatchObject({ statusCode: 400 });
    await expect(
      stripe.disputes.update(byWaiting, { evidence: { customer_name: "late" } }),
    ).rejects.toMatchObject({ statusCode: 400 });
    expect(simulator.ledger.charge(first.id)?.disputed).toBe(10_000);
  });
});

describe("disputes", () => {
  test("that are inquiries move no money unless they are escalated", async () => {
    const { stripe, simulator } = openInProcess();
    const { charge } = await pay(stripe, "pm_card_createDisputeInquiry");
    await simulator.advance(minute);
    const [inquiry] = (await stripe.disputes.list()).data;
    expect(inquiry).toMatchObject({
      status: "warning_needs_response",
      is_charge_refundable: true,
      balance_transactions: [],
    });
    expect(simulator.ledger.charge(charge.id)?.disputed).toBe(0);
    simulator.escalateDispute(inquiry!.id);
    expect(simulator.ledger.charge(charge.id)?.disputed).toBe(10_000);
    expect((await stripe.disputes.retrieve(inquiry!.id)).status).toBe("needs_response");
    const { charge: other } = await pay(stripe);
    const closed = simulator.dispute(other.id, { isInquiry: true });
    simulator.decideDispute(closed, "lost");
    expect((await stripe.disputes.retrieve(closed)).status).toBe("warning_closed");
    expect(simulator.ledger.charge(other.id)?.disputed).toBe(0);
  });

  test("after a refund can debit a second time; more than was taken they cannot", async () => {
    const { stripe, simulator } = openInProcess();
    const { charge } = await pay(stripe);
    await stripe.refunds.create({ charge: charge.id });
    simulator.dispute(charge.id, { amount: 10_000 });
    expect(simulator.ledger.charge(charge.id)).toMatchObject({
      captured: 10_000,
      refunded: 10_000,
      disputed: 10_000,
    });
    expect(() => simulator.dispute(charge.id, { amount: 1 })).toThrow("can be disputed");
    const { charge: partly } = await pay(stripe);
    await stripe.refunds.create({ charge: partly.id, amount: 4_000 });
    expect((await stripe.disputes.retrieve(simulator.dispute(partly.id))).amount).toBe(6_000);
  });

  test("return their fee when that is set", async () => {
    const { stripe, simulator } = openInProcess({ fees: { isDisputeFeeReturned: true } });
    const { charge } = await pay(stripe);
    const dispute = simulator.dispute(charge.id);
    simulator.decideDispute(dispute, "won");
    const { balance_transactions } = await stripe.disputes.retrieve(dispute);
    expect(balance_transactions.map(({ net }) => net)).toEqual([-11_500, 11_500]);
  });
});

describeEachClient("payouts by the official SDK", (open) => {
  test("that are automatic come to what their balance transactions come to, and arrive", async () => {
    const { stripe, simulator } = await open();
    const first = await pay(stripe);
    await pay(stripe, "pm_card_visa", { amount: 5_000 });
    await stripe.refunds.create({ charge: first.charge.id, amount: 1_000 });
    expect(simulator.payOut("usd")).toBeUndefined();
    await simulator.advance(2 * day);
    await pay(stripe, "pm_card_visa", { amount: 7_000 });
    const id = simulator.payOut("usd")!;
    const payout = await stripe.payouts.retrieve(id);
    // 100.00 − 3.20, 50.00 − 1.75, and 10.00 back; the 70.00 are pending still.
    expect(payout).toMatchObject({
      amount: 9_680 + 4_825 - 1_000,
      automatic: true,
      status: "pending",
      reconciliation_status: "in_progress",
    });
    const paid = await stripe.balanceTransactions.list({ payout: id });
    expect(paid.data.map(({ type, net }) => [type, net])).toEqual([
      ["payout", -payout.amount],
      ["refund", -1_000],
      ["charge", 4_825],
      ["charge", 9_680],
    ]);
    expect(simulator.ledger.balance("usd").available).toBe(0);
    await simulator.advance(day / 2);
    expect(await stripe.payouts.retrieve(id)).toMatchObject({
      status: "in_transit",
      reconciliation_status: "completed",
    });
    await simulator.advance(day / 2);
    expect(
      (await stripe.payouts.list({ status: "paid", arrival_date: { lte: payout.arrival_date } })).data,
    ).toMatchObject([{ id, status: "paid" }]);
    expect(simulator.payOut("usd")).toBeUndefined();
  });

  test("by hand take no more than is available, can be canceled while pending, and list no transactions", async () => {
    const { stripe, simulator } = await open();
    await pay(stripe, "pm_card_bypassPending");
    expect(simulator.ledger.balance("usd")).toMatchObject({ available: 9_680, pending: 0 });
    await expect(stripe.payouts.create({ amount: 9_681, currency: "usd" })).rejects.toMatchObject({
      code: "balance_insufficient",
    });
    const payout = await stripe.payouts.create({ amount: 5_000, currency: "usd", metadata: { a: "1" } });
    expect(payout).toMatchObject({ automatic: false, reconciliation_status: "not_applicable" });
    await expect(stripe.balanceTransactions.list({ payout: payout.id })).rejects.toMatchObject({
      param: "payout",
    });
    expect(simulator.ledger.balance("usd").available).toBe(4_680);
    expect(await stripe.payouts.cancel(payout.id)).toMatchObject({ status: "canceled" });
    expect(simulator.ledger.balance("usd").available).toBe(9_680);
    await simulator.advance(2 * day);
    expect((await stripe.payouts.retrieve(payout.id)).status).toBe("canceled");
    await expect(stripe.payouts.cancel(payout.id)).rejects.toMatchObject({ statusCode: 400 });
    expect((await stripe.payouts.update(payout.id, { metadata: { b: "2" } })).metadata).toEqual({
      a: "1",
      b: "2",
    });
  });

  test("fail after they were paid; the next one has their money again", async () => {
    const { stripe, simulator } = await open();
    await pay(stripe, "pm_card_bypassPending");
    const id = simulator.payOut("usd")!;
    await simulator.advance(2 * day);
    expect((await stripe.payouts.retrieve(id)).status).toBe("paid");
    simulator.failPayout(id, "no_account");
    const failed = await stripe.payouts.retrieve(id, { expand: ["failure_balance_transaction"] });
    expect(failed).toMatchObject({
      status: "failed",
      failure_code: "no_account",
      failure_balance_transaction: { type: "payout_failure", amount: 9_680 },
    });
    expect(() => simulator.failPayout(id)).toThrow("cannot fail");
    const next = await stripe.payouts.retrieve(simulator.payOut("usd")!);
    expect(next.amount).toBe(9_680);
    const paid = await stripe.balanceTransactions.list({ payout: next.id, type: "payout_failure" });
    expect(paid.data).toHaveLength(1);
  });
});

describe("payouts", () => {
  test("that do not add up differ from their balance transactions by what was asked, and the balance follows them", async () => {
    const { stripe, simulator } = openInProcess();
    await pay(stripe, "pm_card_bypassPending");
    const id = simulator.payOut("usd", -37)!;
    expect((await stripe.payouts.retrieve(id)).amount).toBe(9_643);
    const { data } = await stripe.balanceTransactions.list({ payout: id });
    expect(data.reduce((sum, { net }) => sum + net, 0)).toBe(37);
    expect(simulator.ledger.balance("usd").available).toBe(37);
  });

  test("leave every so often when that is set", async () => {
    const { stripe, simulator } = openInProcess({ payoutEvery_ms: day });
    const events = collectWebhooks({ simulator, stripe });
    await pay(stripe);
    await simulator.advance(3 * day);
    const payouts = events.filter(({ type }) => type.startsWith("payout."));
    expect(typesOf(payouts)).toEqual([
      "payout.created",
      "payout.updated",
      "payout.reconciliation_completed",
      "payout.paid",
    ]);
    expect((payouts[0]!.data.object as Stripe.Payout).amount).toBe(9_680);
  });
});

import type { Account } from "./account.js";
import type { ForcedOutcome } from "./faults/forced-outcome.js";
import { authenticatePayment, finishProcessing } from "./objects/confirmation.js";
import type { DeclineName } from "./objects/decline.js";
import { decideDispute, escalateDispute, openDispute, type NewDispute } from "./objects/disputes.js";
import { exchangeAt } from "./objects/exchange.js";
import { customerFor } from "./objects/live-customer.js";
import { attach, enterCard, type EnteredCard } from "./objects/payment-methods.js";
import { failPayout, payOutAvailable } from "./objects/payouts.js";
import { failRefund } from "./objects/refunds.js";
import { authenticateSetup } from "./objects/setup-intents.js";

/** What a person, a bank or a card's issuer does to an account. The names stand in journals; the arguments are JSON. */
export const outsideActs = {
  createPaymentMethod(account: Account, card: EnteredCard, customer?: string): string {
    const owner = customer === undefined ? undefined : customerFor(account, customer);
    const method = enterCard(account, card);
    if (owner !== undefined) attach(account, method, owner);
    return method.wire.id;
  },
  authenticate(account: Account, intent: string, outcome: "pass" | "fail"): void {
    if (intent.startsWith("seti_")) authenticateSetup(account, account.setupIntents.get(intent), outcome);
    else authenticatePayment(account, account.paymentIntents.get(intent), outcome);
  },
  finishProcessing(account: Account, intent: string, outcome: "succeeds" | DeclineName): void {
    finishProcessing(account, account.paymentIntents.get(intent), outcome);
  },
  dispute(account: Account, charge: string, dispute: NewDispute): string {
    return openDispute(account, account.charges.get(charge), dispute).wire.id;
  },
  decideDispute(account: Account, dispute: string, outcome: "won" | "lost"): void {
    decideDispute(account, account.disputes.get(dispute), outcome);
  },
  escalateDispute(account: Account, dispute: string): void {
    escalateDispute(account, account.disputes.get(dispute));
  },
  failRefund(account: Account, refund: string, reason?: string): void {
    failRefund(account, account.refunds.get(refund), reason);
  },
  payOut(account: Account, currency: string, difference: number, forced: ForcedOutcome): string | undefined {
    return payOutAvailable(account, currency, difference, forced)?.wire.id;
  },
  failPayout(account: Account, payout: string, code?: string): void {
    failPayout(account, account.payouts.get(payout), code);
  },
  setExchangeRate(account: Account, from: string, to: string, rate: string): void {
    exchangeAt(from, to, rate);
    account.exchangeRates.set(`${from}/${to}`, rate);
  },
};

export type OutsideActs = typeof outsideActs;

/** The arguments of an act, without the account. */
export type ActArguments<Name extends keyof OutsideActs> =
  Parameters<OutsideActs[Name]> extends [Account, ...infer Rest] ? Rest : never;

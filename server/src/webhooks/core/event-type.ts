/**
 * Everything that is told to receivers, with when it happens. A domain that publishes another type adds its line here; the name is
 * the thing and what became of it. Names are for good: receivers choose by them.
 */
export const event_types = {
  "invoice.finalized": "An invoice was made final: it has its number, and is posted.",
  "invoice.voided": "A final invoice was taken back as if it had never been.",
  "credit_note.issued":
    "A credit note was written: parts of an invoice, or with its voiding all of it, are given back.",
  "invoice.paid": "Nothing is owed of an invoice any more: it was paid or credited.",
  "invoice.marked_uncollectible": "What was owed of an invoice was written off.",
  "payment.succeeded": "Money came in, and went to invoices, the customer's balance or prepaid credit.",
  "payment.failed": "An attempt to take money has ended without: declined, or canceled.",
  "payment.returned": "A bank took a customer's transfer back: what it had paid is owed again.",
  "payment.action_required":
    "The customer has to do something before money can be taken, such as 3-D Secure.",
  "refund.succeeded": "Money was given back.",
  "refund.failed": "Money that was given back did not arrive: it is back.",
  "dispute.opened": "A customer's bank disputes a payment.",
  "dispute.updated": "A dispute has come further.",
  "dispute.closed": "A dispute was decided.",
  "dunning.ended": "Nothing brought the money of an invoice: what the schedule ends with was done.",
  "balance.low": "A prepaid balance has fallen below what was asked to be told of.",
  "balance.topped_up": "A customer has paid for prepaid credit, and has it.",
  "balance.top_up_failed":
    "A top-up brought no money, or automatic ones are held back; `isStopped` says that a person has to act.",
  "payout.pending": "A provider is about to send money to the bank.",
  "payout.in_transit": "A provider has sent money to the bank.",
  "payout.paid": "A provider says that the bank has the money.",
  "payout.failed": "A payout did not arrive: the money is back at the provider.",
  "payout.canceled": "A payout was canceled: the money stays at the provider.",
} as const satisfies Readonly<Record<`${string}.${string}`, string>>;

export type EventType = keyof typeof event_types;

/** Sent to one endpoint when somebody tests it; not to be chosen. */
export const test_event_type = "webhook.test";

/** Which types an endpoint can choose to get all of a type: it, its thing's wildcard, and the one for all. */
export function patternsFor(type: string): readonly string[] {
  return [type, `${type.slice(0, type.indexOf("."))}.*`, "*"];
}

/** Whether an endpoint that chose these patterns gets a type. */
export function wants(patterns: readonly string[], type: string): boolean {
  return patternsFor(type).some((pattern) => patterns.includes(pattern));
}

/** Whether a pattern names a type, all types of a thing (invoice.*) or all (*). */
export function isPattern(pattern: string): boolean {
  return Object.keys(event_types).some((type) => patternsFor(type).includes(pattern));
}

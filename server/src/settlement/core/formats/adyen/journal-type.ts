import type { RecordKind } from "../../settlement-record.js";

interface Meaning {
  readonly kind: RecordKind;
  /** It takes an earlier movement of its kind back. */
  readonly reversal?: true;
}

// Adyen, "Journal types" of the settlement details report, in lower case.
const meanings: Readonly<Record<string, Meaning>> = {
  settled: { kind: "charge" },
  settledreversed: { kind: "charge", reversal: true },
  refunded: { kind: "refund" },
  refundedreversed: { kind: "refund", reversal: true },
  chargeback: { kind: "chargeback" },
  secondchargeback: { kind: "chargeback" },
  chargebackreversed: { kind: "chargeback_reversal" },
  fee: { kind: "fee" },
  misccosts: { kind: "fee" },
  paymentcost: { kind: "fee" },
  authorisationschemefee: { kind: "fee" },
  invoicededuction: { kind: "fee" },
  merchantpayout: { kind: "payout" },
  bankinstructionreturned: { kind: "payout", reversal: true },
  depositcorrection: { kind: "reserve" },
  reserveadjustment: { kind: "reserve" },
  manualcorrected: { kind: "adjustment" },
  acquireradjustment: { kind: "adjustment" },
};

const other: Meaning = { kind: "other" };

export function meaningOf(type: string): Meaning {
  const name = type.toLowerCase();
  return (Object.hasOwn(meanings, name) ? meanings[name] : undefined) ?? other;
}

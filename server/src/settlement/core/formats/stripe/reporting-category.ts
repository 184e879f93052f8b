import type { RecordKind } from "../../settlement-record.js";

interface Meaning {
  readonly kind: RecordKind;
  /** It takes an earlier movement of its kind back. */
  readonly reversal?: true;
}

// Stripe, "Reporting categories": what is not named here moves money that has no place of its own in our books yet.
const meanings: Readonly<Record<string, Meaning>> = {
  charge: { kind: "charge" },
  charge_failure: { kind: "charge", reversal: true },
  refund: { kind: "refund" },
  partial_capture_reversal: { kind: "refund" },
  refund_failure: { kind: "refund", reversal: true },
  dispute: { kind: "chargeback" },
  dispute_reversal: { kind: "chargeback_reversal" },
  fee: { kind: "fee" },
  network_cost: { kind: "fee" },
  tax: { kind: "fee" },
  payout: { kind: "payout" },
  payout_reversal: { kind: "payout", reversal: true },
  other_adjustment: { kind: "adjustment" },
  payout_minimum_balance_hold: { kind: "reserve" },
  payout_minimum_balance_release: { kind: "reserve" },
  risk_reserved_funds: { kind: "reserve" },
  connect_reserved_funds: { kind: "reserve" },
};

const other: Meaning = { kind: "other" };

export function meaningOf(category: string): Meaning {
  return (Object.hasOwn(meanings, category) ? meanings[category] : undefined) ?? other;
}

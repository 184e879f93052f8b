import type { Currency } from "../../../src/kernel/currency.js";
import { day, type Instant } from "../../../src/kernel/instant.js";
import type { Money } from "../../../src/kernel/money.js";
import type {
  AttemptTarget,
  DisputeTarget,
  InvoiceTarget,
  MatchableRecord,
  MatchedRecord,
  PaymentTarget,
  PayoutTarget,
  RefundTarget,
} from "../../../src/settlement/core/matching/index.js";

export const noon = (20_000 * day) as Instant;
export const eur = (minor: number | bigint): Money => ({ currency: "EUR" as Currency, minor: BigInt(minor) });
export const usd = (minor: number | bigint): Money => ({ currency: "USD" as Currency, minor: BigInt(minor) });

let positions = 0;
export const record = (
  given: Partial<MatchableRecord> & Pick<MatchableRecord, "kind" | "gross">,
): MatchableRecord => ({
  position: (positions += 1),
  side: given.kind.startsWith("bank") ? "bank" : "provider",
  settled: undefined,
  fee: undefined,
  at: noon,
  references: [],
  text: undefined,
  counterparty: undefined,
  isReversal: false,
  repeats: undefined,
  ...given,
});
export const payment = (id: string, amount: Money, given: Partial<PaymentTarget> = {}): PaymentTarget => ({
  kind: "payment",
  id,
  root: id,
  amount,
  at: noon,
  settlement: undefined,
  ...given,
});
export const attempt = (id: string, amount: Money, given: Partial<AttemptTarget> = {}): AttemptTarget => ({
  kind: "attempt",
  id,
  root: id,
  amount,
  at: noon,
  state: "open",
  ...given,
});
export const refund = (id: string, amount: Money, given: Partial<RefundTarget> = {}): RefundTarget => ({
  kind: "refund",
  id,
  root: id,
  amount,
  at: noon,
  state: "open",
  ...given,
});
export const dispute = (id: string, amount: Money, given: Partial<DisputeTarget> = {}): DisputeTarget => ({
  kind: "dispute",
  id,
  root: id,
  amount,
  at: noon,
  state: "open",
  held: amount,
  fee: { ...amount, minor: 0n },
  ...given,
});
export const payout = (id: string, amount: Money, given: Partial<PayoutTarget> = {}): PayoutTarget => ({
  kind: "payout",
  id,
  root: id,
  account: "pac_stripe",
  amount,
  at: noon,
  state: "sent",
  received: false,
  ...given,
});
export const invoice = (id: string, open: Money, given: Partial<InvoiceTarget> = {}): InvoiceTarget => ({
  kind: "invoice",
  id,
  root: id,
  customer: "cus_acme",
  customerName: "Acme GmbH",
  amount: open,
  at: noon,
  ...given,
});

export const known = { found: [], claimed: new Set<string>(), pending: new Map<string, bigint>() };

/** effect, amount and target or exception of each, as a person would say it. */
export const said = (matched: MatchedRecord | undefined) =>
  matched?.allotments.map(({ effect, amount, target, exception }) =>
    [effect, `${amount.minor} ${amount.currency}`, target?.id ?? exception?.kind]
      .filter((each) => each !== undefined)
      .join(" "),
  );

import type { Currency } from "../../kernel/currency.js";
import type { InvoiceId, SubscriptionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { SectionKind } from "../core/index.js";
import type { Customer } from "../customer.js";
import type { UsageWatermark } from "../usage-port.js";
import type { StandingDraft } from "./invoice-order.js";
import type { InvoiceLine, InvoiceSection } from "./invoice.js";

/** A line before credits and tax. */
export type PricedLine = Omit<InvoiceLine, "id" | "promotional" | "taxable" | "tax">;

/** An invoice up to where credits and balance come in. */
export interface PricedInvoice {
  readonly draft: StandingDraft | undefined;
  readonly payer: Customer;
  readonly kind: SectionKind;
  readonly currency: Currency;
  readonly timeZone: TimeZone;
  readonly boundary: Instant;
  readonly issueAt: Instant;
  /** A grant pays for it when it is valid in the last instant before. */
  readonly creditsUntil: Instant;
  readonly watermark: UsageWatermark;
  readonly notices: readonly string[];
  readonly sections: readonly InvoiceSection[];
  readonly lines: readonly PricedLine[];
  /** How far the subscriptions' progress had counted: what was computed holds for that. */
  readonly progress: ReadonlyMap<SubscriptionId, number>;
  /** An earlier draft of one of the subscriptions, which is to be finalized first. */
  readonly waitsFor: InvoiceId | undefined;
  /** Nothing is said by it: no line, and no period in which anything is charged. */
  readonly isBare: boolean;
}

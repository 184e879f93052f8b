import type { Currency } from "../../kernel/currency.js";
import type { InvoiceId, SubscriptionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { Period, SectionKind } from "../core/index.js";
import type { Customer } from "../customer.js";
import type { UsageWatermark } from "../usage-port.js";
import type { StandingDraft } from "./invoice-order.js";
import type { InvoiceLine, InvoiceSection } from "./invoice.js";

/** A line before credits and tax. */
export interface PricedLine extends Omit<InvoiceLine, "id" | "promotional" | "taxable" | "tax"> {
  /**
   * The days over which it is earned, in equal parts; undefined for usage, which is earned by then, and for what is given
   * once. What corrects an earlier line is about the days from the invoice's boundary on: of cancelling within a year that
   * was paid in advance, about those that will not be served.
   */
  readonly earnedOver: Period | undefined;
}

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

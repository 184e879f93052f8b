import type { PlanVersion } from "../catalog/index.js";
import type { Currency } from "../kernel/currency.js";
import type {
  CustomerId,
  InvoiceId,
  InvoiceLineId,
  PlanVersionId,
  PriceId,
  SubscriptionId,
} from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Money } from "../kernel/money.js";
import type { TimeZone } from "../kernel/time-zone.js";
import type { BilledSpan, Period, RatedLine, Totals } from "./core/index.js";
import type { Subscription } from "./subscription.js";
import type { UsageWatermark } from "./usage-port.js";

/** What a subscription's period costs by the usage known at a watermark; computed, not stored. */
export interface InvoicePreview extends Totals {
  readonly subscription: Subscription;
  readonly planVersion: PlanVersion;
  readonly period: Period;
  readonly timeZone: TimeZone;
  readonly currency: Currency;
  readonly watermark: UsageWatermark;
  /** One per price of the plan version, in its order, also without usage. */
  readonly lines: readonly RatedLine[];
  /** What to look at when it comes to nothing. */
  readonly notices: readonly string[];
  readonly computedAt: Instant;
}

export type InvoiceKind = "period";
export type InvoiceStatus = "draft";

/** A stored invoice and the inputs that it was computed from. */
export interface Invoice extends Totals {
  readonly id: InvoiceId;
  readonly customer: CustomerId;
  readonly subscription: SubscriptionId;
  readonly kind: InvoiceKind;
  readonly status: InvoiceStatus;
  readonly period: Period;
  readonly timeZone: TimeZone;
  readonly currency: Currency;
  readonly planVersion: PlanVersionId;
  readonly watermark: UsageWatermark;
  readonly lines: readonly InvoiceLine[];
  /** 1 when created, one more with each refresh. */
  readonly revision: number;
  readonly createdAt: Instant;
  readonly refreshedAt: Instant;
}

export interface InvoiceLine extends Omit<RatedLine, "price" | "subjects" | "money"> {
  readonly id: InvoiceLineId;
  readonly price: PriceId;
  readonly subjects: readonly BilledSpan[];
  readonly money: Money;
}

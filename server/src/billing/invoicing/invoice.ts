import type { Currency } from "../../kernel/currency.js";
import type { Decimal } from "../../kernel/decimal.js";
import type {
  CustomerId,
  InvoiceId,
  InvoiceLineId,
  MeterVersionId,
  PlanVersionId,
  PriceId,
  SubscriptionId,
} from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { BillingProfile } from "../../identity/index.js";
import type { TaxRate } from "../../tax/core/index.js";
import type { AdjustmentKind, BilledSpan, InvoiceTotals, Period, SectionKind } from "../core/index.js";
import type { BillingAddress } from "../customer.js";
import type { RecordedPortion } from "./recorded-portion.js";
import type { UsageWatermark } from "../usage-port.js";

export type InvoiceStatus = "draft" | "finalized" | "voided";

/** The part of an invoice that is one subscription's. */
export interface InvoiceSection {
  readonly position: number;
  readonly subscription: SubscriptionId;
  /** Whose subscription it is; who pays is the invoice's customer. */
  readonly customer: CustomerId;
  readonly kind: SectionKind;
  readonly period: Period;
  readonly timeZone: TimeZone;
  /** The one in force in the period's last instant. */
  readonly planVersion: PlanVersionId;
}

/** What one rate comes to on an invoice, in minor units. */
export interface InvoiceTax {
  readonly rate: TaxRate;
  readonly taxable: bigint;
  readonly tax: bigint;
}

/** Who pays, as an invoice says it: kept as it was when the invoice was finalized. */
export interface Buyer {
  readonly key: string;
  readonly name: string;
  readonly email: string | undefined;
  readonly address: BillingAddress | undefined;
  readonly taxId: string | undefined;
  readonly locale: string | undefined;
  readonly paymentTermsDays: number;
  readonly electronicAddress: string | undefined;
  readonly registrationNumber: string | undefined;
  readonly buyerReference: string | undefined;
}

/** What finalizing adds to an invoice. */
export interface Finalization {
  /** 1, 2, 3 … in the organization, without a gap. */
  readonly sequence: number;
  readonly number: string;
  readonly buyer: Buyer;
  readonly seller: BillingProfile | undefined;
  readonly at: Instant;
  readonly paymentDueAt: Instant;
}

/** An invoice without its lines, and the inputs that it was computed from. Amounts are in minor units of its currency. */
export interface InvoiceHead {
  readonly id: InvoiceId;
  /** Who pays. */
  readonly customer: CustomerId;
  readonly kind: SectionKind;
  readonly status: InvoiceStatus;
  readonly currency: Currency;
  readonly timeZone: TimeZone;
  /** The instant that its sections end at. */
  readonly boundary: Instant;
  /** Until then a draft waits for late usage. */
  readonly issueAt: Instant;
  readonly watermark: UsageWatermark;
  readonly totals: InvoiceTotals;
  readonly taxes: readonly InvoiceTax[];
  /** What whoever sends the invoice should look at. */
  readonly notices: readonly string[];
  readonly sections: readonly InvoiceSection[];
  /** 1 when created, one more with each refresh. */
  readonly revision: number;
  readonly createdAt: Instant;
  readonly refreshedAt: Instant;
  readonly finalized: Finalization | undefined;
  readonly voidedAt: Instant | undefined;
}

export interface Invoice extends InvoiceHead {
  readonly lines: readonly InvoiceLine[];
}

/** What a charge must come to, less what was billed of it before, with all that it was computed from. */
export interface InvoiceLine {
  readonly id: InvoiceLineId;
  /** The position of its section. */
  readonly section: number;
  readonly kind: "charge" | "adjustment" | "reversal";
  readonly item: string;
  /** The full service period. */
  readonly period: Period;
  /** What of it is charged. */
  readonly covered: Period;
  readonly name: string;
  readonly category: string;
  readonly price: PriceId | undefined;
  readonly meterVersion: MeterVersionId | undefined;
  /** Whose usage. */
  readonly subjects: readonly BilledSpan[];
  readonly quantity: Decimal | undefined;
  readonly events: number;
  /** Of a charge. */
  readonly portions: readonly RecordedPortion[];
  /** Of an adjustment. */
  readonly adjustment: RecordedAdjustment | undefined;
  /** What the charge comes to in all, in major units, before it is rounded. */
  readonly exact: Decimal;
  readonly targetGross: bigint;
  readonly targetNet: bigint;
  readonly billedGross: bigint;
  readonly billedNet: bigint;
  readonly gross: bigint;
  /** After discounts. */
  readonly net: bigint;
  readonly promotional: bigint;
  /** After promotional credits, without tax. */
  readonly taxable: bigint;
  readonly tax: bigint;
  readonly rate: TaxRate;
  /** Whether it corrects what an earlier invoice billed, such as by late usage. */
  readonly isCorrection: boolean;
}

/** What an adjustment followed from, in minor units. */
export interface RecordedAdjustment {
  readonly kind: AdjustmentKind;
  readonly agreed: bigint;
  readonly base: bigint;
}

/** A line that is stored nowhere. */
export type PreviewLine = Omit<InvoiceLine, "id">;

/** What an invoice would be by what is known now; stored nowhere. */
export interface InvoicePreview
  extends Omit<
    InvoiceHead,
    "id" | "status" | "revision" | "createdAt" | "refreshedAt" | "finalized" | "voidedAt"
  > {
  readonly lines: readonly PreviewLine[];
  readonly computedAt: Instant;
}

import type { Period } from "./invoice.js";
import { moneySelection as money, type Money } from "./money.js";

/** The line that is meant: one of an invoice, or what a price costs so far, before there is an invoice. */
export type ExplainedLine =
  | {
      /** Id or number. */
      readonly invoice: string;
      /** The line's id. */
      readonly line: string;
    }
  | {
      readonly subscription: string;
      /** The price's key or id. */
      readonly price: string;
      /** An instant of the period; now when left out. */
      readonly at?: string | undefined;
    };

/** What one tier contributed. Decimal texts, amounts in major units. */
export interface RatedTier {
  /** Exclusive, except zero. */
  readonly from: string;
  /** Inclusive; null for the last. */
  readonly upTo: string | null;
  readonly quantity: string;
  readonly unitAmount: string;
  readonly flatAmount: string;
  readonly amount: string;
}

/** A stretch of the service period that was rated by itself. Decimal texts, amounts in major units. */
export interface RatedPortion {
  readonly spans: readonly Period[];
  /** Before the allowance. */
  readonly quantity: string;
  /** How much of the included allowance it took. */
  readonly includedTaken: string;
  /** Tiers, packages, cells, windows: what the amount of a whole period is made of. */
  readonly parts: unknown;
  readonly gross: string;
  /** Taken off one after the other. */
  readonly discountPercents: readonly string[];
  readonly net: string;
}

export interface LineComputation {
  readonly quantity: string | null;
  readonly eventCount: number;
  /** Exact decimal text, in major units. */
  readonly amount: string;
  /** The amount, rounded once. */
  readonly money: Money;
  readonly tiers: readonly RatedTier[];
  readonly portions: readonly RatedPortion[];
}

/** An event that was measured into a line. */
export interface MeasuredEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  /** What the meter read from it, as text. */
  readonly value: string;
  readonly data: unknown;
}

export interface MeasuredEventPage {
  readonly nodes: readonly MeasuredEvent[];
  /** Where the next page begins; null on the last. */
  readonly endCursor: string | null;
}

/** Why a line costs what it costs: its inputs, and the same line computed again from them. */
export interface LineExplanation {
  /** null for a preview. */
  readonly invoiceId: string | null;
  readonly lineId: string | null;
  readonly customer: { readonly id: string; readonly key: string };
  readonly kind: "charge" | "adjustment" | "reversal";
  readonly name: string;
  /** The line: what the charge comes to, less `billedBefore`. */
  readonly money: Money;
  readonly billedBefore: Money;
  readonly price: { readonly id: string; readonly key: string } | null;
  readonly planVersion: { readonly planKey: string; readonly version: number };
  readonly meter: { readonly slug: string; readonly version: number; readonly aggregation: string } | null;
  /** What of the service period is charged. */
  readonly period: Period;
  readonly timeZone: string;
  readonly subjects: readonly { readonly subject: string; readonly from: string; readonly to: string }[];
  /** Of a coupon, minimum, maximum or commitment: the agreed amount and what the charges came to, in minor units. */
  readonly adjustment: unknown;
  readonly watermark: unknown;
  /** What the invoice says. */
  readonly recorded: LineComputation;
  /** The same, read and rated again at the same watermark. */
  readonly recomputed: LineComputation;
  /** Whether that gave the same quantity, tiers and amount, digit for digit. */
  readonly reproduced: boolean;
  readonly differences: readonly {
    readonly field: string;
    readonly recorded: string;
    readonly recomputed: string;
  }[];
  /** Each local day of the customer's with usage; they add up for meters that sum or count. */
  readonly days: readonly { readonly date: string; readonly quantity: string; readonly eventCount: number }[];
  /** The first of the events behind it, oldest first, as of the watermark. */
  readonly events: MeasuredEventPage;
}

const computation = `{ quantity eventCount amount money ${money} tiers { from upTo quantity unitAmount flatAmount amount }
  portions { spans { start end } quantity includedTaken parts gross discountPercents net } }`;
const events =
  "events(first: $first, after: $after) { nodes { id source type subject time value data } endCursor }";
const explanationSelection = `{ invoiceId lineId customer { id key } kind name money ${money} billedBefore ${money} price { id key }
  planVersion { planKey version } meter { slug version aggregation } period { start end } timeZone
  subjects { subject from to } adjustment watermark recorded ${computation} recomputed ${computation}
  reproduced differences { field recorded recomputed } days { date quantity eventCount } ${events} }`;

/** The query for a line, whole or only a page of its events. It takes $first and $after. */
export function explanationQuery(
  of: ExplainedLine,
  part: "all" | "events",
): { readonly query: string; readonly variables: object } {
  const selection = part === "all" ? explanationSelection : `{ ${events} }`;
  const page = "$first: Int, $after: String";
  return "invoice" in of
    ? {
        query: `query ($invoice: ID!, $line: ID!, ${page}) { explanation: lineExplanation(invoice: $invoice, line: $line) ${selection} }`,
        variables: { invoice: of.invoice, line: of.line },
      }
    : {
        query: `query ($subscription: ID!, $price: String!, $at: Instant, ${page}) { explanation: previewExplanation(subscription: $subscription, price: $price, at: $at) ${selection} }`,
        variables: { subscription: of.subscription, price: of.price, at: of.at ?? null },
      };
}

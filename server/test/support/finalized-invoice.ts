import { assemble } from "../../src/billing/core/index.js";
import type { CreditNote, Invoice, InvoiceLine, Period, RecordedPortion } from "../../src/billing/index.js";
import type { DocumentSources } from "../../src/billing/invoicing/document-sources.js";
import { wordingOf, type DocumentSeller } from "../../src/documents/index.js";
import type { Currency } from "../../src/kernel/currency.js";
import { Decimal } from "../../src/kernel/decimal.js";
import type {
  CreditNoteId,
  CustomerId,
  InvoiceId,
  InvoiceLineId,
  PlanVersionId,
} from "../../src/kernel/ids.js";
import type { Instant } from "../../src/kernel/instant.js";
import type { TimeZone } from "../../src/kernel/time-zone.js";
import type { TaxRate } from "../../src/tax/core/index.js";

/** A line as it is before tax and credits are spread over all of an invoice's. */
export type DraftedLine = Omit<InvoiceLine, "promotional" | "taxable" | "tax">;

/** A line of a charge of these amounts, in minor units, in which nothing was measured. */
export function draftedLine(
  period: Period,
  { gross, net, rate }: { readonly gross: bigint; readonly net: bigint; readonly rate: TaxRate },
  more: Partial<InvoiceLine> = {},
): DraftedLine {
  return {
    id: "il_0" as InvoiceLineId,
    section: 0,
    kind: "charge",
    item: "item",
    period,
    covered: period,
    name: "Requests",
    category: "standard",
    price: undefined,
    meterVersion: undefined,
    subjects: [],
    quantity: undefined,
    events: 0,
    portions: [],
    adjustment: undefined,
    exact: Decimal.zero,
    targetGross: gross,
    targetNet: net,
    billedGross: 0n,
    billedNet: 0n,
    gross,
    net,
    rate,
    isCorrection: false,
    ...more,
  };
}

/** A portion of usage over a whole period, of nothing. */
export function emptyPortion(period: Period, more: Partial<RecordedPortion>): RecordedPortion {
  return {
    charge: "usage",
    model: undefined,
    spans: [period],
    share: undefined,
    held: undefined,
    included: Decimal.zero,
    percentsOff: [],
    quantity: Decimal.zero,
    taken: Decimal.zero,
    events: 0,
    parts: [],
    gross: Decimal.zero,
    net: Decimal.zero,
    ...more,
  };
}

export interface InvoiceFacts {
  readonly period: Period;
  readonly currency: Currency;
  readonly timeZone: TimeZone;
  readonly lines: readonly DraftedLine[];
  /** Credits and balance that there are, in minor units. */
  readonly funds: Parameters<typeof assemble>[1];
  readonly locale: string;
  readonly buyer?: Partial<DocumentSources["buyer"]>;
  readonly seller: DocumentSeller;
  readonly plan: string;
  readonly notices?: readonly string[];
  readonly at: Instant;
  readonly paymentDueAt: Instant;
}

/** What a finalized invoice of one subscription is documented from, assembled as billing assembles it. */
export function finalizedInvoice(of: InvoiceFacts): DocumentSources {
  const { period, currency, timeZone, lines, funds, locale, seller } = of;
  const assembled = assemble(
    lines.map(({ net, rate }) => ({ minor: net, rate })),
    funds,
  );
  const buyer = {
    key: "acme",
    name: "Acme",
    email: undefined,
    address: undefined,
    taxId: undefined,
    locale,
    paymentTermsDays: 14,
    electronicAddress: undefined,
    registrationNumber: undefined,
    buyerReference: undefined,
    ...of.buyer,
  };
  const customer = "cus_1" as CustomerId;
  const planVersion = "plv_1" as PlanVersionId;
  return {
    invoice: {
      id: "inv_1" as InvoiceId,
      customer,
      kind: "period",
      status: "finalized",
      currency,
      timeZone,
      boundary: period.end,
      issueAt: period.end,
      watermark: [],
      totals: assembled.totals,
      taxes: assembled.taxes.map(({ rate, net, tax }) => ({ rate, taxable: net, tax })),
      notices: of.notices ?? [],
      sections: [
        {
          position: 0,
          subscription: "sub_1" as never,
          customer,
          kind: "period",
          period,
          timeZone,
          planVersion,
        },
      ],
      revision: 1,
      createdAt: period.end,
      refreshedAt: period.end,
      finalized: {
        sequence: 1,
        number: "INV-000001",
        buyer,
        seller: undefined,
        at: of.at,
        paymentDueAt: of.paymentDueAt,
      },
      voidedAt: undefined,
      lines: lines.map((line, index) => ({ ...line, ...assembled.lines[index]! })),
    },
    seller,
    buyer,
    wording: wordingOf({ locale, currency, timeZone }),
    plans: new Map([[planVersion, of.plan]]),
    customers: new Map(),
    prices: new Map(),
    payment: undefined,
    voiding: undefined,
  };
}

/** A credit note that gives these parts of an invoice back. */
export function creditNoteOf(
  { id, customer, currency }: Invoice,
  lines: CreditNote["lines"],
  more: Pick<CreditNote, "voids" | "reason" | "toBalance" | "createdAt">,
): CreditNote {
  return {
    id: "crn_1" as CreditNoteId,
    invoice: id,
    customer,
    currency,
    sequence: 1,
    number: "CN-000001",
    net: lines.reduce((sum, { net }) => sum + net, 0n),
    tax: lines.reduce((sum, { tax }) => sum + tax, 0n),
    lines,
    ...more,
  };
}

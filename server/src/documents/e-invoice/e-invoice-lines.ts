import { Decimal } from "../../kernel/decimal.js";
import type { Instant } from "../../kernel/instant.js";
import { calendarIn, dateAt, formatDate } from "../../kernel/local-date.js";
import { toDecimal } from "../../kernel/money.js";
import { formatsOf, type Formats } from "../formats.js";
import type {
  DocumentLine,
  DocumentPeriod,
  DocumentSection,
  DocumentTax,
  InvoiceDocument,
} from "../invoice-document.js";
import { labelsOf, type Labels } from "../labels.js";
import { short } from "../limits.js";
import {
  one_unit,
  unitCodeOf,
  vatCategoryOf,
  type AllowanceOrCharge,
  type EInvoiceLine,
  type EInvoicePeriod,
} from "./core/index.js";

/** A line, and what of it promotional credits paid, without tax. */
export interface StatedLine {
  readonly line: EInvoiceLine;
  readonly promotional: Decimal;
}

/** UNCL5189: a discount. */
export const discount_code = "95";

interface Context {
  readonly document: InvoiceDocument;
  readonly taxes: ReadonlyMap<string, DocumentTax>;
  readonly labels: Labels;
  readonly formats: Formats;
}

/** Every line of a document, without tax and before promotional credits. */
export function linesOf(document: InvoiceDocument): StatedLine[] {
  const formats = formatsOf(document);
  const context: Context = {
    document,
    taxes: new Map(document.taxes.map((tax) => [tax.key, tax])),
    labels: labelsOf(formats.locale),
    formats,
  };
  let position = 0;
  return document.sections.flatMap((section) =>
    section.lines.map((line) => {
      position += 1;
      return statedLine(line, section, position, context);
    }),
  );
}

function statedLine(
  line: DocumentLine,
  section: DocumentSection,
  position: number,
  { document, taxes, labels, formats }: Context,
): StatedLine {
  const { currency, kind, seller, buyer } = document;
  const sign = kind === "credit_note" ? -1n : 1n;
  const amountOf = (minor: bigint) => toDecimal({ currency, minor: sign * minor });
  const tax = line.taxKey === undefined ? undefined : taxes.get(line.taxKey);
  const containsTax = tax?.treatment === "taxed" && tax.inclusive;
  const promotional = containsTax ? withoutTax(line.promotionalMinor, tax.percent) : line.promotionalMinor;
  const net = amountOf(line.taxableMinor + promotional);
  // Discounts of a price that contains its tax contain theirs: the line then states what is left.
  const allowances = containsTax ? [] : discountsOf(line, amountOf);
  const base = allowances.reduce(
    (sum, { isCharge, amount }) => (isCharge ? sum.minus(amount) : sum.plus(amount)),
    net,
  );
  const priced = (containsTax ? undefined : byUnitPrice(line, base)) ?? asOne(base);
  const isMetered = priced.unitCode === one_unit && !priced.byUnitPrice && line.quantity !== undefined;
  const unit = line.unit === undefined ? "" : ` ${line.unit}`;
  const notes = [
    line.note,
    isMetered && line.quantity !== undefined
      ? `${labels.quantity}: ${formats.number(line.quantity)}${unit}`
      : undefined,
  ].filter((note) => note !== undefined && note !== "");
  const description = [section.title, section.subtitle].filter((part) => part !== undefined && part !== "");
  return {
    promotional: amountOf(promotional),
    line: {
      id: String(position),
      note: notes.length === 0 ? undefined : short(notes.join(" · ")),
      quantity: priced.quantity,
      unitCode: priced.unitCode,
      net,
      period: datesOf(line.period, document),
      allowances,
      price: priced.price,
      priceQuantity: priced.priceQuantity,
      vat: vatCategoryOf({
        treatment: tax?.treatment ?? "not_collected",
        percent: tax?.percent ?? Decimal.zero,
        rateKey: line.taxKey ?? "",
        taxCategory: line.taxCategory,
        sellerCountry: seller.address?.country,
        buyerCountry: buyer.address?.country,
      }),
      name: short(line.description),
      description: description.length === 0 ? undefined : short(description.join(" · ")),
    },
  };
}

type Priced = Pick<EInvoiceLine, "quantity" | "unitCode" | "price" | "priceQuantity"> & {
  readonly byUnitPrice: boolean;
};

/** By quantity and unit price, where these give the very amount: they do not for tiers, shares of a period, corrections. */
function byUnitPrice(line: DocumentLine, base: Decimal): Priced | undefined {
  const { unitAmount: price, unitPer: priceQuantity = Decimal.one } = line;
  const quantity = line.chargedQuantity ?? line.quantity ?? Decimal.one;
  if (price === undefined || price.isNegative() || priceQuantity.isZero() || priceQuantity.isNegative())
    return undefined;
  // To two digits in any currency, as others compute it: what was rounded to a whole yen is stated as one of its amount.
  const amount = quantity.times(price).dividedBy(priceQuantity, 2, "half-away");
  if (!amount.equals(base)) return undefined;
  return { quantity, unitCode: unitCodeOf(line.unit), price, priceQuantity, byUnitPrice: true };
}

/** Once its amount, or minus once: a price is never below zero (BR-27). */
function asOne(base: Decimal): Priced {
  const quantity = base.isNegative() ? Decimal.of(-1) : Decimal.one;
  return {
    quantity,
    unitCode: one_unit,
    price: base.abs(),
    priceQuantity: Decimal.one,
    byUnitPrice: false,
  };
}

function discountsOf(line: DocumentLine, amountOf: (minor: bigint) => Decimal): AllowanceOrCharge[] {
  return line.discounts.flatMap(({ name, minor }): AllowanceOrCharge[] => {
    const amount = amountOf(minor);
    if (amount.isZero()) return [];
    // Off a line below zero a discount adds.
    const isCharge = !amount.isNegative();
    const reasonCode = isCharge ? undefined : discount_code;
    return [{ isCharge, amount: amount.abs(), reason: short(name), reasonCode }];
  });
}

/** Both ends included, in the customer's days; undefined of an instant. */
function datesOf(
  period: DocumentPeriod | undefined,
  { timeZone }: InvoiceDocument,
): EInvoicePeriod | undefined {
  if (period === undefined || period.end <= period.start) return undefined;
  const calendar = calendarIn(timeZone);
  const dayOf = (at: Instant) => formatDate(dateAt(calendar, at));
  return { start: dayOf(period.start), end: dayOf((period.end - 1) as Instant) };
}

/** What an amount is without the tax that it contains, half away from zero. */
function withoutTax(minor: bigint, percent: Decimal): bigint {
  const hundred = Decimal.of(100);
  return Decimal.of(minor).times(hundred).dividedBy(hundred.plus(percent), 0, "half-away").toBigInt();
}

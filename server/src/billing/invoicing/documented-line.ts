import { modelIn } from "../../catalog/core/index.js";
import { detailsOf, type DocumentDetail, type DocumentLine } from "../../documents/index.js";
import { Decimal } from "../../kernel/decimal.js";
import { toDecimal } from "../../kernel/money.js";
import type { AnyPriceModel } from "../../rating/core/index.js";
import type { TaxRate } from "../../tax/core/index.js";
import { countDays } from "../core/index.js";
import type { DocumentSources } from "./document-sources.js";
import type { InvoiceLine } from "./invoice.js";
import type { RecordedPortion } from "./recorded-portion.js";

type Sources = Pick<DocumentSources, "invoice" | "prices" | "wording">;

/** A line as its invoice prints it: after discounts, before promotional credits. */
export function documentedLine(line: InvoiceLine, sources: Sources): DocumentLine {
  const { wording } = sources;
  const models = line.portions.map((portion) => modelOf(portion, line, sources));
  const unitPrice = unitPriceOf(line.portions, models);
  return {
    description: line.name,
    period: line.covered,
    quantity: line.quantity ?? feesOf(line.portions),
    unit: undefined,
    ...unitPrice,
    chargedQuantity: chargedQuantityOf(line.portions),
    details: [
      ...line.portions.flatMap((portion, index) =>
        portionDetails(portion, models[index], { isOnly: models.length === 1, sources }),
      ),
      ...adjustmentDetails(line, sources),
      ...billedBefore(line, sources),
    ],
    discounts:
      line.net === line.gross
        ? []
        : [{ name: wording.discount(percentsOf(line.portions)), minor: line.net - line.gross }],
    minor: line.net,
    promotionalMinor: line.promotional,
    taxableMinor: line.taxable,
    taxKey: taxKeyOf(line.rate),
    taxCategory: line.category,
    note: !line.isCorrection
      ? undefined
      : line.meterVersion === undefined
        ? wording.correction
        : wording.usageCorrection,
  };
}

/** Tells apart what is taxed apart: a changed percentage under an old key is a rate of its own. */
export function taxKeyOf({ key, percent, inclusive, treatment }: TaxRate): string {
  return `${key}:${percent.toString()}:${inclusive ? "inclusive" : "exclusive"}:${treatment}`;
}

function modelOf(
  portion: RecordedPortion,
  { price }: InvoiceLine,
  { invoice, prices }: Sources,
): AnyPriceModel | undefined {
  if (portion.model !== undefined) return portion.model;
  const found = price === undefined ? undefined : prices.get(price);
  return found === undefined ? undefined : modelIn(found.price, found, invoice.currency);
}

/** How many of a fee: only of one that is held several times. */
function feesOf(portions: readonly RecordedPortion[]): Decimal | undefined {
  const [only] = portions;
  if (portions.length !== 1 || only?.held === undefined || only.quantity.equals(Decimal.one))
    return undefined;
  return only.quantity;
}

/** What the model priced, where an allowance was taken off the quantity. */
function chargedQuantityOf(portions: readonly RecordedPortion[]): Decimal | undefined {
  const [only] = portions;
  if (portions.length !== 1 || only === undefined || only.taken.isZero()) return undefined;
  return only.quantity.minus(only.taken);
}

interface UnitPrice {
  readonly unitAmount: Decimal | undefined;
  readonly unitPer: Decimal | undefined;
}

/** The unit price when there is one for all of the line. */
function unitPriceOf(
  portions: readonly RecordedPortion[],
  models: readonly (AnyPriceModel | undefined)[],
): UnitPrice {
  const [first, ...others] = models.map((model, index) => unitPriceIn(model, portions[index]));
  const isSame = (other: UnitPrice | undefined) =>
    first?.unitAmount !== undefined &&
    first.unitPer !== undefined &&
    other?.unitAmount?.equals(first.unitAmount) === true &&
    other.unitPer?.equals(first.unitPer) === true;
  return first !== undefined && others.every(isSame) ? first : { unitAmount: undefined, unitPer: undefined };
}

function unitPriceIn(model: AnyPriceModel | undefined, portion: RecordedPortion | undefined): UnitPrice {
  if (model?.kind === "per_unit") return { unitAmount: model.unitAmount, unitPer: model.per };
  // Of a flat amount for usage or seats the quantity is no factor.
  if (model?.kind === "flat" && portion?.charge !== "usage" && portion?.charge !== "licensed")
    return { unitAmount: model.amount, unitPer: Decimal.one };
  return { unitAmount: undefined, unitPer: undefined };
}

function portionDetails(
  portion: RecordedPortion,
  model: AnyPriceModel | undefined,
  { isOnly, sources: { wording } }: { isOnly: boolean; sources: Sources },
): DocumentDetail[] {
  const { share, quantity, taken, parts, gross, spans } = portion;
  const text = (words: string, more: { quantity?: Decimal; amount?: Decimal }): DocumentDetail => ({
    kind: "text",
    text: words,
    quantity: more.quantity,
    amount: more.amount,
  });
  const ownQuantity =
    isOnly || (portion.charge !== "usage" && portion.charge !== "licensed") ? {} : { quantity };
  const days = share === undefined ? 0 : countDays(share.days);
  // Its parts are what a whole period comes to: they would not add up.
  if (share !== undefined && days < share.of)
    return [text(wording.days(days, share.of), { ...ownQuantity, amount: gross })];
  const found = detailsOf(parts, unitsOf(model));
  if (!taken.isZero()) found.unshift(text(wording.included, { quantity: taken, amount: Decimal.zero }));
  if (isOnly) return found;
  const [first, last] = [spans[0], spans.at(-1)];
  if (first === undefined || last === undefined) return found;
  const when = wording.period({ start: first.start, end: last.end });
  return [text(when, { ...ownQuantity, ...(found.length === 0 ? { amount: gross } : {}) }), ...found];
}

/** How many units a model's unit amounts are for; undefined of one that has none. */
function unitsOf(model: AnyPriceModel | undefined): Decimal | undefined {
  if (model?.kind === "converted") return unitsOf(model.price);
  return model !== undefined && "per" in model ? model.per : undefined;
}

/** What a minimum, a maximum or a commitment followed from. A coupon says it by its name. */
function adjustmentDetails({ adjustment }: InvoiceLine, { invoice, wording }: Sources): DocumentDetail[] {
  if (adjustment === undefined || adjustment.kind === "coupon") return [];
  const { currency } = invoice;
  const detail = (text: string, minor: bigint): DocumentDetail => ({
    kind: "text",
    text,
    quantity: undefined,
    amount: toDecimal({ currency, minor }),
  });
  return [detail(wording.agreed, adjustment.agreed), detail(wording.charged, -adjustment.base)];
}

function billedBefore(line: InvoiceLine, { invoice, wording }: Sources): DocumentDetail[] {
  if (!line.isCorrection || line.kind === "reversal" || line.billedGross === 0n) return [];
  const amount = toDecimal({ currency: invoice.currency, minor: -line.billedGross });
  return [{ kind: "text", text: wording.billedBefore, quantity: undefined, amount }];
}

/** The percentages of all portions, when they are the same for all. */
function percentsOf(portions: readonly RecordedPortion[]): readonly Decimal[] {
  const [first, ...others] = portions.map(({ percentsOff }) => percentsOff);
  const text = (percents: readonly Decimal[] | undefined) => (percents ?? []).map(String).join();
  return first !== undefined && others.every((other) => text(other) === text(first)) ? first : [];
}

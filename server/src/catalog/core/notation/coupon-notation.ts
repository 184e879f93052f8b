import type { JsonValue } from "../../../kernel/json.js";
import { formatInstant } from "../../../kernel/instant.js";
import type { Coupon, CouponDuration, CouponOff, CouponScope } from "../coupon.js";
import type { NewCoupon } from "../coupon-definition.js";
import type { CatalogFaults } from "../fault.js";
import type { Product } from "../product.js";
import type { NewProduct } from "../product-definition.js";
import { standard_tax_category } from "../price.js";
import { MappingReader } from "./mapping-reader.js";
import { writeAmounts } from "./plan-notation.js";
import { given } from "./price-notation.js";

/** A coupon in the notation, and whether it is to be archived. */
export interface WrittenCoupon extends NewCoupon {
  readonly archived: boolean;
}

export function readProduct(value: unknown, faults: CatalogFaults): NewProduct | undefined {
  const reader = MappingReader.of(value, faults);
  if (reader === undefined) return undefined;
  const key = reader.requiredText("key", "your own key for the product");
  const optional = { name: reader.text("name"), taxCategory: reader.text("taxCategory") };
  reader.end();
  return { key, ...given(optional) };
}

export function writeProduct({ key, name, taxCategory }: Product): Record<string, JsonValue> {
  return {
    key,
    ...(name === key ? {} : { name }),
    ...(taxCategory === standard_tax_category ? {} : { taxCategory }),
  };
}

export function readCoupon(value: unknown, faults: CatalogFaults): WrittenCoupon | undefined {
  const reader = MappingReader.of(value, faults);
  if (reader === undefined) return undefined;
  const key = reader.requiredText("key", "what customers redeem");
  const off = readOff(reader);
  const duration = readDuration(reader);
  const optional = {
    name: reader.text("name"),
    duration,
    appliesTo: readScope(reader),
    redemptionsMax: reader.count("redemptionsMax"),
    expiresAt: reader.instant("expiresAt"),
  };
  const archived = reader.flag("archived") ?? false;
  reader.end();
  return off === undefined ? undefined : { key, off, archived, ...given(optional) };
}

function readOff(reader: MappingReader): CouponOff | undefined {
  const percent = reader.decimal("percentOff");
  const amounts = reader.amounts("amountOff", undefined);
  const said = ["percentOff", "amountOff"].filter((name) => reader.value(name) !== undefined);
  if (said.length !== 1) {
    reader.faults.add(said[1] ?? "", 'give percentOff, such as 20, or amountOff, such as {USD: "5"}');
    return undefined;
  }
  if (percent !== undefined) return { kind: "percent", percent };
  return amounts === undefined ? undefined : { kind: "amount", amounts };
}

/** `duration: once`, `forever`, or `months` with a number of `months`. */
function readDuration(reader: MappingReader): CouponDuration | undefined {
  const kind = reader.oneOf("duration", ["once", "forever", "months"]);
  const months = reader.count("months");
  const isMonths = kind === "months" || (kind === undefined && months !== undefined);
  if (isMonths) {
    if (months === undefined) reader.faults.add("months", "is missing: for how many months");
    return { kind: "months", months: months ?? 1 };
  }
  if (months !== undefined)
    reader.faults.add("months", `a coupon that holds ${kind ?? "once"} has no months`);
  return kind === undefined ? undefined : { kind };
}

function readScope(reader: MappingReader): CouponScope | undefined {
  const value = reader.value("appliesTo");
  if (value === undefined) return undefined;
  const scope = MappingReader.of(value, reader.faults.inside("appliesTo"));
  if (scope === undefined) return undefined;
  const optional = { prices: scope.texts("prices"), products: scope.texts("products") };
  scope.end();
  return given(optional);
}

export function writeCoupon(
  coupon: Omit<Coupon, "id" | "createdAt" | "archivedAt">,
): Record<string, JsonValue> {
  const { key, name, off, duration, appliesTo, redemptionsMax, expiresAt } = coupon;
  return {
    key,
    ...(name === key ? {} : { name }),
    ...(off.kind === "percent"
      ? { percentOff: off.percent.toString() }
      : { amountOff: writeAmounts(off.amounts, undefined) }),
    ...(duration.kind === "once" ? {} : { duration: duration.kind }),
    ...(duration.kind === "months" ? { months: duration.months } : {}),
    ...(appliesTo === undefined
      ? {}
      : {
          appliesTo: {
            ...(appliesTo.prices === undefined ? {} : { prices: [...appliesTo.prices] }),
            ...(appliesTo.products === undefined ? {} : { products: [...appliesTo.products] }),
          },
        }),
    ...(redemptionsMax === undefined ? {} : { redemptionsMax }),
    ...(expiresAt === undefined ? {} : { expiresAt: formatInstant(expiresAt) }),
  };
}

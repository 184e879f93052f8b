import type { Decimal } from "../../kernel/decimal.js";
import {
  count,
  decimal,
  literal,
  optional,
  record,
  texts,
  flag,
  union,
  type Codec,
  type JsonOf,
} from "./codec.js";

/** What one tier contributed; the amounts of a line's tiers add up to the line's, digit for digit. */
export interface RatedTier {
  /** Exclusive lower bound, except that the first tier begins at and includes zero. */
  readonly from: Decimal;
  /** Inclusive upper bound; undefined when the tier is open. */
  readonly upTo: Decimal | undefined;
  /** The part of the line's quantity that fell into this tier; of a volume price, all of it. */
  readonly quantity: Decimal;
  readonly unitAmount: Decimal;
  readonly flatAmount: Decimal;
  readonly amount: Decimal;
}

export interface TierPart extends RatedTier {
  readonly kind: "tier";
}

/** A fee that no quantity changes. */
export interface FlatPart {
  readonly kind: "flat";
  readonly amount: Decimal;
}

/** Packages of `size` units, each for `packageAmount`, after `free` units. */
export interface PackagePart {
  readonly kind: "package";
  readonly quantity: Decimal;
  readonly free: Decimal;
  readonly size: Decimal;
  readonly packages: Decimal;
  readonly packageAmount: Decimal;
  readonly amount: Decimal;
}

/** Events of a percentage price that were treated alike. */
export interface PercentagePart {
  readonly kind: "percentage";
  /** "free": wholly; "minimum", "maximum": each event of it came to that bound; "none": each at its own amount. */
  readonly bound: "free" | "none" | "minimum" | "maximum";
  /** The sum of the events' values. */
  readonly quantity: Decimal;
  /** How much of it was free. */
  readonly free: Decimal;
  readonly events: number;
  readonly ratePercent: Decimal;
  readonly fixedAmount: Decimal;
  readonly amount: Decimal;
}

/** What a conversion of units made of the metered quantity; it costs nothing itself. */
export interface ConversionPart {
  readonly kind: "conversion";
  readonly quantity: Decimal;
  readonly converted: Decimal;
  readonly amount: Decimal;
}

/** One combination of dimension values. */
export interface CellPart {
  readonly kind: "cell";
  readonly dimensions: Readonly<Record<string, string>>;
  /** Whether the price had no cell for the combination, and its default applied. */
  readonly isDefault: boolean;
  readonly quantity: Decimal;
  readonly unitAmount: Decimal;
  readonly amount: Decimal;
}

/** Prices that the events carried, added up, times a multiplier. */
export interface DynamicPart {
  readonly kind: "dynamic";
  readonly quantity: Decimal;
  readonly multiplier: Decimal;
  readonly amount: Decimal;
}

/** One window, rated by itself. */
export interface WindowPart {
  readonly kind: "window";
  /** 1 for the first in time. */
  readonly position: number;
  readonly quantity: Decimal;
  /** Before the commitment. */
  readonly rated: Decimal;
  /** What is missing to the commitment; zero without true-up. */
  readonly trueUp: Decimal;
  /** What overage costs above its ordinary price. */
  readonly overage: Decimal;
  readonly amount: Decimal;
}

/** The part of a change of a licensed quantity that fell into one tier, for the part of the period it lasted. */
export interface ChangePart {
  readonly kind: "change";
  /** 1 for the first in time. */
  readonly position: number;
  readonly units: Decimal;
  /** Units × the part of the period, times the usage's `per` (see LicensedUsage). */
  readonly proratedUnits: Decimal;
  readonly unitAmount: Decimal;
  readonly amount: Decimal;
}

/** A fee of the tiers that a licensed quantity reached. */
export interface TierFeePart {
  readonly kind: "tier_fee";
  readonly upTo: Decimal | undefined;
  readonly amount: Decimal;
}

/** What lifts an amount below zero to zero. */
export interface FloorPart {
  readonly kind: "floor";
  readonly amount: Decimal;
}

/** What a line's amount is made of; the parts' amounts add up to it, digit for digit. */
export type RatedPart =
  | FlatPart
  | TierPart
  | PackagePart
  | PercentagePart
  | ConversionPart
  | CellPart
  | DynamicPart
  | WindowPart
  | ChangePart
  | TierFeePart
  | FloorPart;

/** A rated tier as an invoice line records it. */
export type RatedTierJson = JsonOf<RatedTier>;
export type RatedPartJson = JsonOf<RatedPart>;

const tierFields = {
  from: decimal,
  upTo: optional(decimal),
  quantity: decimal,
  unitAmount: decimal,
  flatAmount: decimal,
  amount: decimal,
};
const ratedTier = record<RatedTier>(tierFields);

const ratedPart: Codec<RatedPart> = union<RatedPart>({
  flat: record<FlatPart>({ kind: literal("flat"), amount: decimal }),
  tier: record<TierPart>({ kind: literal("tier"), ...tierFields }),
  package: record<PackagePart>({
    kind: literal("package"),
    quantity: decimal,
    free: decimal,
    size: decimal,
    packages: decimal,
    packageAmount: decimal,
    amount: decimal,
  }),
  percentage: record<PercentagePart>({
    kind: literal("percentage"),
    bound: literal("free", "none", "minimum", "maximum"),
    quantity: decimal,
    free: decimal,
    events: count,
    ratePercent: decimal,
    fixedAmount: decimal,
    amount: decimal,
  }),
  conversion: record<ConversionPart>({
    kind: literal("conversion"),
    quantity: decimal,
    converted: decimal,
    amount: decimal,
  }),
  cell: record<CellPart>({
    kind: literal("cell"),
    dimensions: texts,
    isDefault: flag,
    quantity: decimal,
    unitAmount: decimal,
    amount: decimal,
  }),
  dynamic: record<DynamicPart>({
    kind: literal("dynamic"),
    quantity: decimal,
    multiplier: decimal,
    amount: decimal,
  }),
  window: record<WindowPart>({
    kind: literal("window"),
    position: count,
    quantity: decimal,
    rated: decimal,
    trueUp: decimal,
    overage: decimal,
    amount: decimal,
  }),
  change: record<ChangePart>({
    kind: literal("change"),
    position: count,
    units: decimal,
    proratedUnits: decimal,
    unitAmount: decimal,
    amount: decimal,
  }),
  tier_fee: record<TierFeePart>({ kind: literal("tier_fee"), upTo: optional(decimal), amount: decimal }),
  floor: record<FloorPart>({ kind: literal("floor"), amount: decimal }),
});

export function ratedTierToJson(tier: RatedTier): RatedTierJson {
  return ratedTier.toJson(tier) as RatedTierJson;
}

/** Reads back what `ratedTierToJson` wrote. @throws RangeError when it is something else */
export function ratedTierFromJson(json: RatedTierJson): RatedTier {
  return ratedTier.fromJson(json, "");
}

export function ratedPartToJson(part: RatedPart): RatedPartJson {
  return ratedPart.toJson(part) as RatedPartJson;
}

/** Reads back what `ratedPartToJson` wrote. @throws RangeError when it is something else */
export function ratedPartFromJson(json: unknown, at = ""): RatedPart {
  return ratedPart.fromJson(json, at);
}

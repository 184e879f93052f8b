import { Decimal } from "../../kernel/decimal.js";
import type { PriceModel, Tier } from "./price-model.js";

/** One thing that is wrong with a price model: where, and what to do. */
export interface PriceModelFault {
  readonly field: string;
  readonly message: string;
}

const tiers_max = 100;
/** 2^40 and a little: a price per tebibyte of a meter in bytes is the largest divisor that people use. */
const per_max = Decimal.of("10000000000000");
const decimals_max = 12;
const amount_max = Decimal.of("1000000000000");

/** Everything wrong with a model, or an empty list. What passes here can be rated at any quantity. */
export function findPriceModelFaults(model: PriceModel): PriceModelFault[] {
  const faults: PriceModelFault[] = [];
  const fault = (field: string, message: string) => void faults.push({ field, message });

  if (!model.per.isInteger() || model.per.compare(Decimal.one) < 0 || model.per.compare(per_max) > 0) {
    fault("per", `how many units the price is for: a whole number from 1 to ${per_max.toString()}`);
  }
  switch (model.kind) {
    case "per_unit":
      checkAmount("unitAmount", model.unitAmount);
      break;
    case "graduated":
      checkTiers(model.tiers);
      break;
    default:
      return model satisfies never;
  }
  return faults;

  function checkTiers(tiers: readonly Tier[]) {
    if (tiers.length === 0) fault("tiers", "give at least one tier");
    if (tiers.length > tiers_max) fault("tiers", `at most ${tiers_max} tiers`);
    let below = Decimal.zero;
    tiers.forEach((tier, index) => {
      const field = `tiers[${index}]`;
      const last = index === tiers.length - 1;
      if (last && tier.upTo !== undefined)
        fault(`${field}.upTo`, "the last tier is open: leave its upTo out");
      if (!last && tier.upTo === undefined)
        fault(`${field}.upTo`, "only the last tier is open: give this one an upTo");
      if (tier.upTo !== undefined) {
        if (tier.upTo.compare(below) <= 0) {
          fault(`${field}.upTo`, `must be above ${below.toString()}, where this tier begins`);
        }
        below = tier.upTo;
      }
      checkAmount(`${field}.unitAmount`, tier.unitAmount);
      checkAmount(`${field}.flatAmount`, tier.flatAmount);
    });
  }

  function checkAmount(field: string, amount: Decimal) {
    if (amount.isNegative()) fault(field, "a price is zero or more");
    if (amount.compare(amount_max) > 0) fault(field, `at most ${amount_max.toString()}`);
    if (!amount.equals(amount.round(decimals_max, "down"))) {
      fault(
        field,
        `at most ${decimals_max} decimals; for finer prices use "per", such as a price per 1000000`,
      );
    }
  }
}

import { UsageError } from "./context.js";

/** The shape of GraphQL's PriceInput. */
export interface PriceInput {
  readonly key: string;
  /** Absent of a fee. */
  readonly meter?: string;
  readonly model:
    | { readonly flat: string }
    | { readonly perUnit: { readonly unitAmount: string; readonly per?: string } }
    | { readonly graduated: { readonly per?: string; readonly tiers: readonly TierInput[] } };
}

interface TierInput {
  readonly upTo?: string;
  readonly unitAmount: string;
  readonly flatAmount?: string;
}

const decimal = /^\d+(\.\d+)?$/;

/**
 * A price in one line: key, meter, and what a unit costs or the tiers, each "up to:unit amount[:flat amount]"; or the
 * key and a fee.
 *
 *     support flat 250
 *     tokens llm-tokens 0.002 per 1000
 *     tokens llm-tokens graduated 1000000:0 10000000:0.5 inf:0.3 per 1000000
 *
 * @throws UsageError that says which part is wrong
 */
export function readPrice(text: string): PriceInput {
  const words = text.trim().split(/\s+/);
  const perAt = words.indexOf("per");
  const per = perAt < 0 ? undefined : words[perAt + 1];
  if (perAt >= 0 && (per === undefined || !decimal.test(per) || words.length !== perAt + 2)) {
    throw wrong(text, "after per comes one number, at the end");
  }
  const [key, meter, model, ...tiers] = perAt < 0 ? words : words.slice(0, perAt);
  if (key === undefined || meter === undefined || model === undefined) {
    throw wrong(
      text,
      'write "KEY METER AMOUNT [per UNITS]", "KEY METER graduated TIER TIER… [per UNITS]" or "KEY flat AMOUNT"',
    );
  }
  if (meter === "flat") {
    if (!decimal.test(model) || words.length > 3)
      throw wrong(text, "after flat comes one amount, at the end");
    return { key, model: { flat: model } };
  }
  const scale = per === undefined ? {} : { per };
  if (model !== "graduated") {
    if (!decimal.test(model) || tiers.length > 0)
      throw wrong(text, `"${model}" is neither an amount nor graduated`);
    return { key, meter, model: { perUnit: { unitAmount: model, ...scale } } };
  }
  if (tiers.length === 0) throw wrong(text, 'graduated needs tiers, such as "1000:0.5 inf:0.4"');
  return { key, meter, model: { graduated: { ...scale, tiers: tiers.map((tier) => readTier(text, tier)) } } };
}

function readTier(price: string, text: string): TierInput {
  const [upTo = "", unitAmount = "", flatAmount, ...more] = text.split(":");
  const open = upTo === "inf" || upTo === "";
  const amounts = [unitAmount, ...(flatAmount === undefined ? [] : [flatAmount])];
  if (more.length > 0 || (!open && !decimal.test(upTo)) || !amounts.every((each) => decimal.test(each))) {
    throw wrong(
      price,
      `the tier "${text}" is not UP_TO:AMOUNT or UP_TO:AMOUNT:FLAT (UP_TO of the last tier is inf)`,
    );
  }
  return { ...(open ? {} : { upTo }), unitAmount, ...(flatAmount === undefined ? {} : { flatAmount }) };
}

function wrong(text: string, why: string): UsageError {
  return new UsageError(`--price "${text}": ${why}`);
}

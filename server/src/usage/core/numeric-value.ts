import { Decimal } from "../../kernel/decimal.js";
import type { JsonValue } from "../../kernel/json.js";

/** What a meter reads from a property: exact decimal text, nothing numeric, or a number that does not fit. */
export type NumericValue =
  | { kind: "number"; text: string }
  | { kind: "not_a_number" }
  | { kind: "does_not_fit"; text: string };

const plain = /^-?\d{1,20}(?:\.\d{1,18})?$/;
const integer_safe_max = 1e15;
const fraction_digits_max = 18;
// Decimal(38, 18) holds 20 digits before the point.
const limit = Decimal.of("1e20");

/**
 * Reads a JSON value as a Decimal(38, 18), exactly or not at all. Numbers and numeric strings count;
 * "NaN", "Infinity", "", booleans, null and containers do not. JSON numbers reaching this have at most 15
 * significant digits (ingest refuses the others), so their shortest text is the number that was sent.
 */
export function readNumericValue(value: JsonValue | undefined): NumericValue {
  if (typeof value === "number") {
    if (Number.isInteger(value) && value < integer_safe_max && value > -integer_safe_max) {
      return { kind: "number", text: String(value) };
    }
    return fit(String(value));
  }
  if (typeof value !== "string") return { kind: "not_a_number" };
  if (plain.test(value)) return { kind: "number", text: value };
  return fit(value);
}

function fit(text: string): NumericValue {
  if (text.length > 128) return { kind: "not_a_number" };
  const decimal = Decimal.parse(text);
  if (decimal === undefined) return { kind: "not_a_number" };
  const absolute = decimal.isNegative() ? decimal.negate() : decimal;
  if (absolute.compare(limit) >= 0 || !decimal.equals(decimal.round(fraction_digits_max, "down"))) {
    return { kind: "does_not_fit", text };
  }
  return { kind: "number", text: decimal.toString() };
}

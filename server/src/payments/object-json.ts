import type { JsonValue } from "../kernel/json.js";
import type { ProviderObject } from "./provider.js";

/** A provider's object as a run's step keeps it: whole numbers that JSON does not know travel as marked text. */
export function objectJson(object: ProviderObject): JsonValue {
  return JSON.parse(
    JSON.stringify(object, (_key, value: unknown) => (typeof value === "bigint" ? `${mark}${value}` : value)),
  ) as JsonValue;
}

export function objectFromJson(stored: JsonValue): ProviderObject {
  return JSON.parse(JSON.stringify(stored), (_key, value: unknown) =>
    typeof value === "string" && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  ) as ProviderObject;
}

// No text that a provider gives begins with a control character.
const mark = "\u0001n:";

import type { JsonValue } from "../kernel/json.js";

/** What a run's step gives, as it is kept: whole numbers that JSON does not know travel as marked text. */
export function stepJson(value: unknown): JsonValue {
  return JSON.parse(
    JSON.stringify(value, (_key, one: unknown) => (typeof one === "bigint" ? `${mark}${one}` : one)),
  ) as JsonValue;
}

/** The same value again; members that were undefined are not there. */
export function fromStepJson<T>(stored: JsonValue): T {
  return JSON.parse(JSON.stringify(stored), (_key, one: unknown) =>
    typeof one === "string" && one.startsWith(mark) ? BigInt(one.slice(mark.length)) : one,
  ) as T;
}

// No text that a provider gives begins with a control character.
const mark = "\u0001n:";

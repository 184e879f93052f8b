import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, type JsonValue } from "./json.js";

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => value as JsonValue);

/** The same value with the keys of every object in another order. */
function reversed(value: JsonValue): JsonValue {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(reversed);
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, item]) => [key, reversed(item)]));
}

describe("canonical JSON", () => {
  test("sorts keys by code unit at every level and leaves lists alone", () => {
    expect(canonicalJson({ b: [3, { z: 1, a: 2 }], a: null })).toBe('{"a":null,"b":[3,{"a":2,"z":1}]}');
    expect(canonicalJson({ é: 1, z: 2, Z: 3 })).toBe('{"Z":3,"z":2,"é":1}');
  });

  test("keys that look like numbers sort as text, too", () => {
    expect(canonicalJson({ "9": 1, "10": 2, a: 3 })).toBe('{"10":2,"9":1,"a":3}');
  });

  test("a key named __proto__ is a key like any other", () => {
    const value = JSON.parse('{"z":1,"__proto__":{"b":1,"a":2}}') as JsonValue;
    expect(canonicalJson(value)).toBe('{"__proto__":{"a":2,"b":1},"z":1}');
  });

  test("text that is sorted already stays as it is", () => {
    const value = { a: 1, b: { c: [true, "x"] } };
    expect(canonicalJson(value)).toBe(JSON.stringify(value));
  });

  test("the order of keys does not matter, and nothing else is lost", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(reversed(value))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

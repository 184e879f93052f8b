import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, type JsonValue } from "../../kernel/json.js";
import { contentFingerprint, data_depth_max } from "./content-fingerprint.js";

test("is equal exactly for equal content, whatever the order of keys", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (left, right) => {
      const same = canonicalJson((left ?? 0) as JsonValue) === canonicalJson((right ?? 0) as JsonValue);
      const fingerprint = (value: unknown) => contentFingerprint("t", "s", (value ?? 0) as JsonValue);
      expect(fingerprint(left) === fingerprint(right)).toBe(same);
    }),
    { numRuns: 2000 },
  );
});

test("does not run fields into one another, nor see a swap as nothing", () => {
  const all = [
    contentFingerprint("ab", "c", {}),
    contentFingerprint("a", "bc", {}),
    contentFingerprint("a", "b", { c: "d" }),
    contentFingerprint("a", "b", { d: "c" }),
    contentFingerprint("a", "b", { c: { d: 1 } }),
    contentFingerprint("a", "b", { c: [{ d: 1 }] }),
    contentFingerprint("a", "b", { c: 1, d: 2 }),
    contentFingerprint("a", "b", { c: 2, d: 1 }),
    contentFingerprint("a", "b", { n: 1 }),
    contentFingerprint("a", "b", { n: "1" }),
    contentFingerprint("a", "b", [1, 2]),
    contentFingerprint("a", "b", [2, 1]),
    contentFingerprint("a", "b", undefined),
  ];
  expect(new Set(all).size).toBe(all.length);
});

test("spreads over many small differences", () => {
  const seen = new Set<string | undefined>();
  for (let n = 0; n < 200_000; n += 1)
    seen.add(contentFingerprint("llm.request", `customer-${n % 1000}`, { tokens: n, model: "m" }));
  expect(seen.size).toBe(200_000);
});

test("refuses data that nests too deeply", () => {
  let deep: JsonValue = 1;
  for (let depth = 0; depth < data_depth_max; depth += 1) deep = [deep];
  expect(contentFingerprint("t", "s", deep)).toBeDefined();
  expect(contentFingerprint("t", "s", [deep])).toBeUndefined();
});

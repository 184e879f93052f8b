import { expect, test } from "vitest";
import { VisitLimit } from "./visit-limit.js";

test("so many visits come at once, then one each while", () => {
  let now = 0;
  const limit = new VisitLimit({ burst: 3, refill_ms: 1_000, visitors_max: 10, now_ms: () => now });
  expect([1, 2, 3].map(() => limit.visit("one"))).toEqual([0, 0, 0]);
  expect(limit.visit("one")).toBe(1_000);
  now = 400;
  expect(limit.visit("one")).toBe(600);
  expect(limit.visit("another")).toBe(0);
  now = 1_000;
  expect(limit.visit("one")).toBe(0);
  expect(limit.visit("one")).toBe(1_000);
  now = 1_000_000;
  expect([1, 2, 3, 4].map(() => limit.visit("one"))).toEqual([0, 0, 0, 1_000]);
});

test("a clock that goes back gives nothing and takes nothing", () => {
  let now = 10_000;
  const limit = new VisitLimit({ burst: 1, refill_ms: 1_000, visitors_max: 10, now_ms: () => now });
  expect(limit.visit("one")).toBe(0);
  now = 0;
  expect(limit.visit("one")).toBe(1_000);
});

test("it remembers so many visitors, those who came last", () => {
  const limit = new VisitLimit({ burst: 1, refill_ms: 1_000, visitors_max: 2, now_ms: () => 0 });
  for (const visitor of ["a", "b", "a", "c"]) limit.visit(visitor);
  expect(limit.visit("a")).toBeGreaterThan(0);
  expect(limit.visit("b")).toBe(0);
});

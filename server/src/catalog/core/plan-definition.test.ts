import { describe, expect, test } from "vitest";
import { Decimal } from "../../kernel/decimal.js";
import type { Instant } from "../../kernel/instant.js";
import { findPlanFaults, type PlanDefinition } from "./plan-definition.js";
import { versionInForce } from "./plan.js";

const d = (text: string) => Decimal.of(text);
const plan: PlanDefinition = {
  name: "Pro",
  currency: "USD",
  prices: [{ key: "tokens", meter: "t", model: { kind: "per_unit", unitAmount: d("1"), per: d("1") } }],
};
const faultsOf = (definition: Partial<PlanDefinition>) =>
  findPlanFaults({ ...plan, ...definition }).map(({ field, message }) => `${field}: ${message}`);

test("all phases but the last say how long they last", () => {
  const months = (count: number) => ({ count, unit: "month" as const });
  const phase = (key: string, lasts = undefined as ReturnType<typeof months> | undefined) => ({
    key,
    lasts,
    discountPercent: undefined,
  });
  expect(faultsOf({ phases: [phase("ramp", months(3)), phase("steady")] })).toEqual([]);
  expect(faultsOf({ phases: [phase("ramp"), phase("steady")] })).toEqual([
    expect.stringMatching(/^phases\[0\]: only the last/),
  ]);
  expect(faultsOf({ phases: [phase("ramp", months(3))] })).toEqual([
    expect.stringMatching(/^phases\[0\]: the last phase is open/),
  ]);
  expect(faultsOf({ phases: [phase("a", months(0)), phase("b")] })).toEqual([
    expect.stringMatching(/^phases\[0\]\.months: a whole number from 1/),
  ]);
  expect(faultsOf({ phases: [phase("a", months(1)), phase("a")] })).toHaveLength(1);
});

test("amounts are in every currency of the plan, in coins that there are", () => {
  expect(faultsOf({ minimum: { USD: d("100.50") } })).toEqual([]);
  expect(faultsOf({ minimum: { EUR: d("100") } })).toEqual([
    expect.stringContaining("USD is missing"),
    expect.stringContaining("no price is sold in EUR"),
  ]);
  expect(faultsOf({ minimum: { USD: d("0.005") } })).toEqual([expect.stringContaining("2 decimals")]);
  expect(faultsOf({ minimum: { USD: d("0") } })).toHaveLength(1);
  expect(faultsOf({ minimum: { USD: d("100") }, maximum: { USD: d("99") } })).toEqual([
    "maximum.USD: below the minimum of 100",
  ]);
});

test("a commitment is over whole periods, of months", () => {
  const commitment = (months: number) => [{ key: "c", name: "C", months, amounts: { USD: d("1000") } }];
  expect(faultsOf({ interval: "quarter", commitments: commitment(12) })).toEqual([]);
  expect(faultsOf({ interval: "quarter", commitments: commitment(4) })).toEqual([
    expect.stringContaining("a multiple of 3"),
  ]);
  expect(faultsOf({ interval: "week", commitments: commitment(4) })).toEqual([
    expect.stringContaining("no whole number of weeks"),
  ]);
});

test("a threshold is of usage", () => {
  expect(faultsOf({ spendThreshold: { USD: d("100") } })).toEqual([]);
  const prices = [{ key: "fee", model: { kind: "flat" as const, amount: d("5") } }];
  expect(faultsOf({ prices, spendThreshold: { USD: d("100") } })).toHaveLength(1);
});

describe("the version in force", () => {
  const version = (number: number, effectiveFrom: number) => ({
    version: number,
    effectiveFrom: effectiveFrom as Instant,
  });
  const at = (instant: number, ...versions: ReturnType<typeof version>[]) =>
    versionInForce(versions, instant as Instant)?.version;

  test("is the latest that is effective by then, its first instant included", () => {
    const versions = [version(1, 100), version(2, 200)];
    expect([99, 100, 199, 200, 300].map((instant) => at(instant, ...versions))).toEqual([
      undefined,
      1,
      1,
      2,
      2,
    ]);
  });

  test("is the newest of those of one instant, and a scheduled one stays when another is put before it", () => {
    expect(at(100, version(1, 100), version(2, 100))).toBe(2);
    const versions = [version(1, 100), version(2, 300), version(3, 200)];
    expect([150, 250, 350].map((instant) => at(instant, ...versions))).toEqual([1, 3, 2]);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { day, hour, parseInstant, type Instant } from "../../kernel/instant.js";
import { runOutAt, type PrepaidGrant } from "./run-out.js";

const now = parseInstant("2028-03-01T00:00:00Z")!;
const later = (time: number) => (now + time) as Instant;
const week = 7 * day;
const lasting = (left: bigint): PrepaidGrant => ({ left, expiresAt: undefined });

describe("a balance of 100.00", () => {
  test("of which 30.00 is used lasts 10 days at 49.00 a week", () => {
    const burn = { burning: 3000n, burned: 4900n, span: week };
    expect(runOutAt([lasting(10_000n)], burn, now)).toBe(later(10 * day));
  });
  test("that is used up has run out now, and so has one that never was", () => {
    expect(runOutAt([lasting(10_000n)], { burning: 10_000n, burned: 1n, span: week }, now)).toBe(now);
    expect(runOutAt([lasting(10_000n)], { burning: 15_000n, burned: 0n, span: week }, now)).toBe(now);
    expect(runOutAt([], { burning: 0n, burned: 0n, span: week }, now)).toBe(now);
  });
  test("of which nothing burns lasts for good, or until it expires", () => {
    const still = { burning: 0n, burned: 0n, span: week };
    expect(runOutAt([lasting(10_000n)], still, now)).toBeUndefined();
    expect(runOutAt([lasting(10_000n)], { ...still, burned: -500n }, now)).toBeUndefined();
    expect(runOutAt([{ left: 10_000n, expiresAt: later(3 * day) }], still, now)).toBe(later(3 * day));
  });
  test("of which a part expires is used from that part, and loses what is left of it", () => {
    const grants = [lasting(7_000n), { left: 3_000n, expiresAt: later(2 * day) }];
    // 10.00 a day: after 2 days 20.00 of the 30.00 are used and the rest is lost; 70.00 last a week more.
    expect(runOutAt(grants, { burning: 0n, burned: 7_000n, span: week }, now)).toBe(later(9 * day));
    // 20.00 a day: the 30.00 are gone after 36 hours, before they expire.
    expect(runOutAt(grants, { burning: 0n, burned: 14_000n, span: week }, now)).toBe(later(5 * day));
  });
  test("that would last for more than ten years is not foreseen", () => {
    expect(runOutAt([lasting(10_000n)], { burning: 0n, burned: 1n, span: week }, now)).toBeUndefined();
  });
});

test("more credit never runs out earlier, more burning never later", () => {
  const anyGrant = fc.record({
    left: fc.bigInt(1n, 100_000n),
    expiresAt: fc.option(
      fc.integer({ min: 1, max: 1000 }).map((hours) => later(hours * hour)),
      { nil: undefined },
    ),
  });
  const anyBurn = fc.record({
    burning: fc.bigInt(0n, 100_000n),
    burned: fc.bigInt(-100n, 100_000n),
    span: fc.constant(week),
  });
  fc.assert(
    fc.property(
      fc.array(anyGrant, { maxLength: 6 }),
      anyGrant,
      anyBurn,
      fc.bigInt(1n, 1000n),
      (grants, more, burn, extra) => {
        const at = runOutAt(grants, burn, now) ?? Infinity;
        expect(at).toBeGreaterThanOrEqual(now);
        // Rounded up to a microsecond for each grant that is used up.
        expect(runOutAt([...grants, more], burn, now) ?? Infinity).toBeGreaterThanOrEqual(at - 10);
        expect(
          runOutAt(grants, { ...burn, burning: burn.burning + extra }, now) ?? Infinity,
        ).toBeLessThanOrEqual(at + 10);
        if (burn.burned > 0n)
          expect(
            runOutAt(grants, { ...burn, burned: burn.burned + extra }, now) ?? Infinity,
          ).toBeLessThanOrEqual(at + 10);
      },
    ),
  );
});

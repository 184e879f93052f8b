import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Currency } from "../../kernel/currency.js";
import type { CreditGrantId, CustomerId } from "../../kernel/ids.js";
import { parseInstant, type Instant } from "../../kernel/instant.js";
import { compareGrants, isEligible, selectGrants, type CreditGrant } from "./index.js";

const at = (text: string) => parseInstant(`${text}T00:00:00Z`) as Instant;
const march = { start: at("2026-03-01"), end: at("2026-04-01") };

const grant = (id: string, more: Partial<CreditGrant> = {}): CreditGrant => ({
  id: id as CreditGrantId,
  customer: "cus_1" as CustomerId,
  kind: "paid",
  currency: "USD" as Currency,
  amount: 1000n,
  remaining: 1000n,
  priority: 100,
  effectiveFrom: at("2026-01-01"),
  expiresAt: undefined,
  note: undefined,
  createdAt: at("2026-01-01"),
  ...more,
});
const drawn = (grants: readonly CreditGrant[], due: bigint) =>
  selectGrants(grants, { due, serviceEnd: march.end }).map(({ grant: id, amount }) => [id, amount]);

describe("credits are used", () => {
  test("by priority, the lowest first", () => {
    expect(drawn([grant("b", { priority: 2 }), grant("a", { priority: 1 })], 1500n)).toEqual([
      ["a", 1000n],
      ["b", 500n],
    ]);
  });
  test("then what expires first, what never expires last", () => {
    const grants = [
      grant("never"),
      grant("may", { expiresAt: at("2026-05-01") }),
      grant("april", { expiresAt: at("2026-04-15") }),
    ];
    expect(drawn(grants, 2500n).map(([id]) => id)).toEqual(["april", "may", "never"]);
  });
  test("then promotional before paid, then the oldest", () => {
    const grants = [
      grant("paid"),
      grant("young", { kind: "promotional", createdAt: at("2026-02-01") }),
      grant("old", { kind: "promotional" }),
    ];
    expect(drawn(grants, 3000n).map(([id]) => id)).toEqual(["old", "young", "paid"]);
  });
  test("never beyond what is left of them or what is due, and not at all for nothing", () => {
    expect(drawn([grant("a", { remaining: 0n }), grant("b", { remaining: 7n })], 100n)).toEqual([["b", 7n]]);
    expect(drawn([grant("a")], 0n)).toEqual([]);
    expect(drawn([grant("a")], -5n)).toEqual([]);
  });
  test("only of the kind that is asked for", () => {
    const grants = [grant("paid"), grant("promotional", { kind: "promotional" })];
    const draws = selectGrants(grants, { due: 5n, serviceEnd: march.end, kind: "paid" });
    expect(draws).toEqual([{ grant: "paid", kind: "paid", amount: 5n }]);
  });
});

describe("a grant counts for a period in whose last instant it is valid", () => {
  test("one that expires at the period's end counts, one that begins there does not", () => {
    expect(isEligible(grant("a", { expiresAt: march.end }), march.end)).toBe(true);
    expect(isEligible(grant("a", { expiresAt: (march.end - 1) as Instant }), march.end)).toBe(false);
    expect(isEligible(grant("a", { effectiveFrom: march.end }), march.end)).toBe(false);
    expect(isEligible(grant("a", { effectiveFrom: (march.end - 1) as Instant }), march.end)).toBe(true);
  });
  test("of consecutive periods a grant that is valid in one instant only counts for exactly one", () => {
    const boundaries = ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"].map(at);
    fc.assert(
      fc.property(fc.integer({ min: boundaries[0] ?? 0, max: (boundaries[3] ?? 0) - 1 }), (instant) => {
        // Valid to the end of the period that holds the instant, and of no other.
        const end = boundaries.find((boundary) => boundary > instant) as Instant;
        const short = grant("a", { effectiveFrom: instant as Instant, expiresAt: end });
        expect(boundaries.filter((boundary) => isEligible(short, boundary))).toEqual([end]);
      }),
    );
  });
});

test("whatever the grants: draws add up to what is due or to all that is there, in order, each within its grant", () => {
  const anyGrant = fc
    .record({
      id: fc.uuid(),
      kind: fc.constantFrom("paid" as const, "promotional" as const),
      remaining: fc.bigInt(0n, 10_000n),
      priority: fc.integer({ min: 0, max: 3 }),
      effectiveFrom: fc.integer({ min: at("2026-01-01"), max: at("2026-06-01") }),
      lasts: fc.option(fc.integer({ min: 1, max: 100 * 86_400_000_000 })),
      createdAt: fc.integer({ min: 0, max: 3 }),
    })
    .map(({ lasts, effectiveFrom, createdAt, id, ...rest }) =>
      grant(id, {
        ...rest,
        effectiveFrom: effectiveFrom as Instant,
        createdAt: createdAt as Instant,
        expiresAt: lasts === null ? undefined : ((effectiveFrom + lasts) as Instant),
      }),
    );
  fc.assert(
    fc.property(fc.array(anyGrant, { maxLength: 12 }), fc.bigInt(0n, 50_000n), (grants, due) => {
      const draws = selectGrants(grants, { due, serviceEnd: march.end });
      const eligible = grants.filter((one) => isEligible(one, march.end));
      const available = eligible.reduce((sum, one) => sum + one.remaining, 0n);
      const total = draws.reduce((sum, draw) => sum + draw.amount, 0n);
      expect(total).toBe(due < available ? due : available);
      const order = [...eligible].sort(compareGrants).map((one) => one.id as string);
      const positions = draws.map((draw) => order.indexOf(draw.grant));
      expect(positions).toEqual([...positions].sort((one, other) => one - other));
      for (const draw of draws) {
        const from = eligible.find((one) => one.id === draw.grant);
        expect(draw.amount > 0n && draw.amount <= (from?.remaining ?? 0n)).toBe(true);
      }
      // A grant is passed over only when those before it are used up.
      for (const draw of draws.slice(0, -1)) {
        expect(draw.amount).toBe(eligible.find((one) => one.id === draw.grant)?.remaining);
      }
    }),
  );
});

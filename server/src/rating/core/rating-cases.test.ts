import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Decimal } from "../../kernel/decimal.js";
import type { PriceModel } from "./price-model.js";
import { rate } from "./rate.js";

// Cases taken from other systems' tests; they lie beside the checkout and are not part of the repository.
const file = fileURLToPath(new URL("../../../../../shared/data/billing/rating-cases.json", import.meta.url));

interface RatingCase {
  readonly id: string;
  readonly model: string;
  readonly params: {
    readonly unit_amount?: string;
    readonly tiers?: readonly {
      readonly up_to: string | null;
      readonly unit_amount?: string;
      readonly flat_amount?: string;
    }[];
  };
  readonly quantity: string;
  readonly expected: string;
  readonly note?: string;
}

// What issue 3 adds: minimum, maximum, discounts, parts that were billed before.
const expressible = new Set(["unit_amount", "tiers"]);

function modelOf(given: RatingCase): PriceModel {
  const per = Decimal.one;
  if (given.model === "unit")
    return { kind: "per_unit", unitAmount: Decimal.of(given.params.unit_amount ?? "0"), per };
  const tiers = (given.params.tiers ?? []).map((tier) => ({
    upTo: tier.up_to === null ? undefined : Decimal.of(tier.up_to),
    unitAmount: Decimal.of(tier.unit_amount ?? "0"),
    flatAmount: Decimal.of(tier.flat_amount ?? "0"),
  }));
  return { kind: "graduated", tiers, per };
}

if (!existsSync(file)) {
  console.warn(`SKIPPED: the rating cases of other systems are not at ${file}`);
  test.skip("rating cases: the file is not beside this checkout", () => undefined);
} else {
  const cases = (JSON.parse(readFileSync(file, "utf8")) as RatingCase[]).filter(
    (one) => one.model === "unit" || one.model === "graduated",
  );
  describe("rating cases of other systems, per unit and graduated", () => {
    for (const one of cases) {
      const missing = Object.keys(one.params).filter((param) => !expressible.has(param));
      const name = `${one.id}: ${one.model}, ${one.quantity} units cost ${one.expected}`;
      if (missing.length > 0) {
        test.skip(`${name} (not yet: ${missing.join(", ")})`, () => undefined);
      } else {
        test(name, () => {
          expect(rate(modelOf(one), Decimal.of(one.quantity)).amount.toString()).toBe(
            Decimal.of(one.expected).toString(),
          );
        });
      }
    }
    test("there are cases at all", () => expect(cases.length).toBeGreaterThanOrEqual(20));
  });
}

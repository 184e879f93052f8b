import type { Sql } from "../../engines/postgres/index.js";
import type { CatalogFaults } from "../core/index.js";
import {
  describeDifferences,
  findDifferences,
  writeCoupon,
  type Coupon,
  type WrittenCoupon,
} from "../core/index.js";
import { checkScopeProducts, createCoupon, draftCoupon, retireCoupon } from "../coupons.js";
import { findCoupons } from "../store/coupons.js";
import type { Located } from "./catalog-file.js";
import type { PlannedChange, PlanningContext } from "./section.js";

type Times = Pick<PlanningContext, "now" | "at">;

/** Coupons are made and archived; one that says something else than what is there is a fault. */
export async function planCoupons(
  sql: Sql,
  written: readonly Located<WrittenCoupon>[],
  products: ReadonlySet<string>,
  times: Times,
  faults: CatalogFaults,
): Promise<PlannedChange[]> {
  const keys = written.map(({ definition }) => definition.key);
  const stored = new Map((await findCoupons(sql, keys)).map((coupon) => [coupon.key, coupon]));
  return written.flatMap(({ at, sound, definition }) => {
    const inside = faults.inside(at);
    checkScopeProducts(definition, products, inside);
    if (!sound) return [];
    const before = stored.get(definition.key);
    return before === undefined
      ? planNew(definition, times, inside)
      : planKnown(before, definition, times, inside);
  });
}

function planNew(definition: WrittenCoupon, { at }: Times, faults: CatalogFaults): PlannedChange[] {
  const { key, archived, ...coupon } = definition;
  if (archived) {
    faults.add("archived", "there is no such coupon, so none is to be archived: leave it out");
    return [];
  }
  return [
    {
      change: { section: "coupons", key, action: "create", differences: [] },
      write: (sql, caller) => createCoupon(sql, caller, draftCoupon({ key, ...coupon }, at)),
    },
  ];
}

function planKnown(
  before: Coupon,
  definition: WrittenCoupon,
  { now, at }: Times,
  faults: CatalogFaults,
): PlannedChange[] {
  const { key, archived } = definition;
  const differences = findDifferences(writeCoupon(before), writeCoupon(draftCoupon(definition, at)));
  if (differences.length > 0) {
    faults.add(
      "",
      `a coupon never changes, and this one differs (${describeDifferences(differences)}): archive it and give the new one another key`,
    );
    return [];
  }
  if (before.archivedAt !== undefined) {
    if (!archived)
      faults.add("", "it is archived, once and for all: say archived: true, or take another key");
    return [{ change: { section: "coupons", key, action: "none", differences } }];
  }
  if (!archived) return [{ change: { section: "coupons", key, action: "none", differences } }];
  return [
    {
      change: { section: "coupons", key, action: "archive", differences },
      write: (sql, caller) => retireCoupon(sql, caller, before, now, at),
    },
  ];
}

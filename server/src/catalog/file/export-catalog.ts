import { stringify } from "yaml";
import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { JsonValue } from "../../kernel/json.js";
import {
  writeAddOn,
  writeCoupon,
  writeMeter,
  writePlan,
  writeProduct,
  type DeclaredMeter,
  type Plan,
} from "../core/index.js";
import { listAddOns } from "../store/add-ons.js";
import { listCoupons } from "../store/coupons.js";
import { listPlans, listPlanVersionIds, readPlanVersions } from "../store/plans.js";
import { listProducts } from "../store/products.js";
import { withLatest } from "../write-add-on.js";
import { withCurrent } from "../write-plan.js";
import type { CatalogSection } from "./section.js";

const page_items = 200;

/**
 * The catalog as a file: of each plan the version in force, or the first that is to come; no archived coupons. Applied
 * where it came from, it changes nothing.
 */
export async function exportCatalog(
  sql: Sql,
  organization: OrganizationId,
  meters: readonly DeclaredMeter[],
  sections: readonly CatalogSection[],
  now: Instant,
): Promise<string> {
  const products = await everyPage((page) => listProducts(sql, page));
  const plans = await everyPage(async (page) => withCurrent(sql, await listPlans(sql, page, now)));
  const addOns = await everyPage(async (page) => withLatest(sql, await listAddOns(sql, page)));
  const coupons = await everyPage((page) => listCoupons(sql, { ...page, archived: false }));
  const lists: [string, JsonValue[]][] = [
    ["meters", meters.toSorted((a, b) => compare(a.slug, b.slug)).map(writeMeter)],
    ["products", byKey(products).map(writeProduct)],
    ["plans", (await Promise.all(byKey(plans).map((plan) => exportPlan(sql, plan)))).flat()],
    ["addOns", byKey(addOns).map((addOn) => writeAddOn(addOn.current))],
    ["coupons", byKey(coupons).map(writeCoupon)],
  ];
  const whole: Record<string, JsonValue> = Object.fromEntries(lists.filter(([, items]) => items.length > 0));
  for (const section of sections) {
    const items = await section.export(sql, organization);
    if (items !== undefined) whole[section.name] = items;
  }
  if (Object.keys(whole).length === 0) return "# The catalog is empty.\n";
  return stringify(whole, { version: "1.2", schema: "core", aliasDuplicateObjects: false, lineWidth: 110 });
}

async function exportPlan(sql: Sql, { id, current }: Plan): Promise<JsonValue[]> {
  if (current !== undefined) return [writePlan(current, undefined)];
  const versions = await readPlanVersions(sql, await listPlanVersionIds(sql, id, { limit: 1000 }));
  const next = versions.toSorted((a, b) => a.effectiveFrom - b.effectiveFrom || b.version - a.version)[0];
  return next === undefined ? [] : [writePlan(next, next.effectiveFrom)];
}

/** By key, so that two exports of the same catalog are the same text. */
function byKey<T extends { readonly key: string }>(items: readonly T[]): T[] {
  return items.toSorted((a, b) => compare(a.key, b.key));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function everyPage<T extends { readonly id: string }>(
  read: (page: { after?: string; limit: number }) => Promise<readonly T[]>,
): Promise<T[]> {
  const all: T[] = [];
  for (;;) {
    const last = all.at(-1)?.id;
    const page = await read({ limit: page_items, ...(last === undefined ? {} : { after: last }) });
    all.push(...page);
    if (page.length < page_items) return all;
  }
}

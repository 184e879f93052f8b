import type { Sql } from "../engines/postgres/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { FoundMeter, PriceDefinition, Product, References } from "./core/index.js";
import { findProductsByKey } from "./store/products.js";

/** What the catalog needs to know of meters; the usage domain provides it. */
export interface MeterLookup {
  /** By slug or meter id. */
  findMeter(organization: OrganizationId, idOrSlug: string): Promise<FoundMeter | undefined>;
}

/** The meters that prices name, those that there are. Asked outside of a transaction: usage has its own. */
export async function findMeters(
  lookup: MeterLookup,
  organization: OrganizationId,
  prices: readonly PriceDefinition[],
): Promise<ReadonlyMap<string, FoundMeter>> {
  const meters = new Map<string, FoundMeter>();
  for (const name of new Set(prices.map((price) => price.meter))) {
    const meter = name === undefined ? undefined : await lookup.findMeter(organization, name);
    if (name !== undefined && meter !== undefined) meters.set(name, meter);
  }
  return meters;
}

/** The products of these keys, those that there are. */
export async function findProducts(
  sql: Sql,
  keys: readonly (string | undefined)[],
): Promise<Map<string, Product>> {
  const named = [...new Set(keys)].filter((key) => key !== undefined);
  const products = named.length === 0 ? [] : await findProductsByKey(sql, named);
  return new Map(products.map((product) => [product.key, product]));
}

export async function findReferences(
  sql: Sql,
  meters: References["meters"],
  prices: readonly PriceDefinition[],
): Promise<References> {
  return {
    meters,
    products: await findProducts(
      sql,
      prices.map((price) => price.product),
    ),
  };
}

import type { Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import { Decimal } from "../../kernel/decimal.js";
import type {
  AddOnVersionId,
  MeterId,
  OrganizationId,
  PlanVersionId,
  PriceId,
  ProductId,
} from "../../kernel/ids.js";
import { msOf, type Instant } from "../../kernel/instant.js";
import { parsePriceModel, priceModelToJson, type AnyPriceModel } from "../../rating/core/index.js";
import {
  standard_tax_category,
  type BillingInterval,
  type ChargeKind,
  type DimensionFilter,
  type Price,
  type Timing,
} from "../core/index.js";

/** What prices belong to: a plan version or an add-on version. */
export type PriceOwner = { readonly planVersion: PlanVersionId } | { readonly addOnVersion: AddOnVersionId };

/** Writes a version's prices; nothing changes them afterwards. */
export async function insertPrices(
  sql: Sql,
  organization: OrganizationId,
  owner: PriceOwner,
  prices: readonly Price[],
  createdAt: Instant,
): Promise<void> {
  const planVersion = "planVersion" in owner ? owner.planVersion : null;
  const addOnVersion = "addOnVersion" in owner ? owner.addOnVersion : null;
  for (const [position, price] of prices.entries()) {
    const currencies = Object.entries(price.currencies).map(([code, model]) => [code, modelJson(model)]);
    await sql`
      INSERT INTO prices
        (organization, id, plan_version, add_on_version, position, key, name, product, charge, timing, billing_interval,
         prorated, meter, meter_slug, filters, included, phases, model, currencies, created_at)
      VALUES (${organization}, ${price.id}, ${planVersion}, ${addOnVersion}, ${position}, ${price.key}, ${price.name},
              ${price.product?.id ?? null}, ${price.charge}, ${price.timing}, ${price.interval}, ${price.prorated},
              ${price.meter?.id ?? null}, ${price.meter?.slug ?? null}, ${JSON.stringify(price.filters)}::text::jsonb,
              ${price.included?.toString() ?? null}::text::numeric,
              ${price.phases === undefined ? null : [...price.phases]}::text[],
              ${JSON.stringify(modelJson(price.model))}::text::jsonb,
              ${JSON.stringify(Object.fromEntries(currencies))}::text::jsonb, ${new Date(msOf(createdAt))})`;
  }
}

/** The prices of plan versions, in each version's order. */
export async function readPlanPrices(
  sql: Sql,
  versions: readonly PlanVersionId[],
): Promise<ReadonlyMap<PlanVersionId, readonly Price[]>> {
  const rows = await sql<(RawPrice & { owner: PlanVersionId })[]>`
    SELECT p.plan_version AS owner, ${columns(sql)}
    FROM prices p LEFT JOIN products r ON r.organization = p.organization AND r.id = p.product
    WHERE p.plan_version = ANY(${[...versions]}::text[]) ORDER BY p.plan_version, p.position`;
  return byOwner(rows);
}

/** The prices of add-on versions, in each version's order. */
export async function readAddOnPrices(
  sql: Sql,
  versions: readonly AddOnVersionId[],
): Promise<ReadonlyMap<AddOnVersionId, readonly Price[]>> {
  const rows = await sql<(RawPrice & { owner: AddOnVersionId })[]>`
    SELECT p.add_on_version AS owner, ${columns(sql)}
    FROM prices p LEFT JOIN products r ON r.organization = p.organization AND r.id = p.product
    WHERE p.add_on_version = ANY(${[...versions]}::text[]) ORDER BY p.add_on_version, p.position`;
  return byOwner(rows);
}

/** A price by its id, with the currency of the version that it belongs to. */
export async function readPrice(
  sql: Sql,
  id: PriceId,
): Promise<{ readonly price: Price; readonly currency: Currency } | undefined> {
  const [row] = await sql<(RawPrice & { currency: Currency })[]>`
    SELECT ${columns(sql)},
           coalesce(v.currency, a.currency) AS currency
    FROM prices p
    LEFT JOIN products r ON r.organization = p.organization AND r.id = p.product
    LEFT JOIN plan_versions v ON v.organization = p.organization AND v.id = p.plan_version
    LEFT JOIN add_on_versions a ON a.organization = p.organization AND a.id = p.add_on_version
    WHERE p.id = ${id}`;
  return row === undefined ? undefined : { price: priceFrom(row), currency: row.currency };
}

/** A price with where it stands, for messages. */
export interface PlacedPrice {
  readonly price: Price;
  /** Key and version of its plan or add-on: "pro" 2. */
  readonly owner: string;
  readonly version: number;
}

/** The prices on a meter, of every version of plans and add-ons: old versions are billed as long as somebody has them. */
export async function readPricesOfMeter(sql: Sql, meter: MeterId): Promise<PlacedPrice[]> {
  const rows = await sql<(RawPrice & { owner: string; version: number })[]>`
    SELECT coalesce(pl.key, ad.key) AS owner, coalesce(v.version, a.version) AS version,
           ${columns(sql)}
    FROM prices p
    LEFT JOIN products r ON r.organization = p.organization AND r.id = p.product
    LEFT JOIN plan_versions v ON v.organization = p.organization AND v.id = p.plan_version
    LEFT JOIN plans pl ON pl.organization = v.organization AND pl.id = v.plan
    LEFT JOIN add_on_versions a ON a.organization = p.organization AND a.id = p.add_on_version
    LEFT JOIN add_ons ad ON ad.organization = a.organization AND ad.id = a.add_on
    WHERE p.meter = ${meter}
    ORDER BY owner, version, p.position`;
  return rows.map((row) => ({ price: priceFrom(row), owner: row.owner, version: row.version }));
}

/** What `priceFrom` takes, of prices p and their products r. */
function columns(sql: Sql) {
  return sql`
    p.id, p.key, p.name, p.product, r.key AS product_key, r.name AS product_name, r.tax_category, p.charge, p.timing,
    p.billing_interval, p.prorated, p.meter, p.meter_slug, p.filters, p.included::text, p.phases, p.model, p.currencies`;
}

interface RawPrice {
  readonly id: PriceId;
  readonly key: string;
  readonly name: string;
  readonly product: ProductId | null;
  readonly product_key: string | null;
  readonly product_name: string | null;
  readonly tax_category: string | null;
  readonly charge: ChargeKind;
  readonly timing: Timing;
  readonly billing_interval: BillingInterval;
  readonly prorated: boolean;
  readonly meter: MeterId | null;
  readonly meter_slug: string | null;
  readonly filters: readonly DimensionFilter[];
  readonly included: string | null;
  readonly phases: readonly string[] | null;
  readonly model: unknown;
  readonly currencies: Readonly<Record<string, unknown>>;
}

function byOwner<Id extends string>(
  rows: readonly (RawPrice & { readonly owner: Id })[],
): Map<Id, readonly Price[]> {
  const found = new Map<Id, Price[]>();
  for (const row of rows) {
    const prices = found.get(row.owner) ?? [];
    prices.push(priceFrom(row));
    found.set(row.owner, prices);
  }
  return found;
}

function priceFrom(row: RawPrice): Price {
  const { product, product_key, product_name, meter, meter_slug } = row;
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    product: product === null ? undefined : { id: product, key: product_key ?? "", name: product_name ?? "" },
    taxCategory: row.tax_category ?? standard_tax_category,
    charge: row.charge,
    timing: row.timing,
    interval: row.billing_interval,
    prorated: row.prorated,
    meter: meter === null ? undefined : { id: meter, slug: meter_slug ?? "" },
    filters: row.filters,
    included: row.included === null ? undefined : Decimal.of(row.included),
    phases: row.phases ?? undefined,
    model: parsePriceModel(row.model),
    currencies: Object.fromEntries(
      Object.entries(row.currencies).map(([code, model]) => [code, parsePriceModel(model)]),
    ),
  };
}

function modelJson(model: AnyPriceModel) {
  return priceModelToJson(model as never);
}

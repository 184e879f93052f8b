import type { Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { AddOnId, AddOnVersionId, OrganizationId } from "../../kernel/ids.js";
import { instantFromMs, msOf, type Instant } from "../../kernel/instant.js";
import type { AddOnVersion, BillingInterval } from "../core/index.js";
import { insertPrices, readAddOnPrices } from "./prices.js";

/** An add-on and its newest version, which is the one that is sold. */
export interface AddOnRow {
  readonly id: AddOnId;
  readonly key: string;
  readonly latest: AddOnVersionId;
  readonly createdAt: Instant;
}

/** Add-ons by id, oldest first, after an add-on. */
export async function listAddOns(sql: Sql, page: { after?: string; limit: number }): Promise<AddOnRow[]> {
  const rows = await sql<RawAddOn[]>`
    SELECT a.id, a.key, a.created_at,
           (SELECT v.id FROM add_on_versions v WHERE v.organization = a.organization AND v.add_on = a.id
            ORDER BY v.version DESC LIMIT 1) AS latest
    FROM add_ons a WHERE a.id > ${page.after ?? ""} ORDER BY a.id LIMIT ${page.limit}`;
  return rows.map(addOnFrom);
}

export async function findAddOn(sql: Sql, idOrKey: string): Promise<AddOnRow | undefined> {
  const rows = await sql<RawAddOn[]>`
    SELECT a.id, a.key, a.created_at,
           (SELECT v.id FROM add_on_versions v WHERE v.organization = a.organization AND v.add_on = a.id
            ORDER BY v.version DESC LIMIT 1) AS latest
    FROM add_ons a WHERE a.id = ${idOrKey} OR a.key = ${idOrKey} ORDER BY a.id = ${idOrKey} DESC LIMIT 1`;
  return rows.map(addOnFrom)[0];
}

export async function countAddOns(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`SELECT count(*)::integer AS count FROM add_ons`;
  return row?.count ?? 0;
}

/** @returns false when the key is taken */
export async function insertAddOn(
  sql: Sql,
  organization: OrganizationId,
  addOn: Omit<AddOnRow, "latest">,
): Promise<boolean> {
  const inserted = await sql`
    INSERT INTO add_ons (organization, id, key, created_at)
    VALUES (${organization}, ${addOn.id}, ${addOn.key}, ${new Date(msOf(addOn.createdAt))})
    ON CONFLICT (organization, key) DO NOTHING RETURNING id`;
  return inserted.length === 1;
}

/** Writes a version and its prices; nothing changes them afterwards. */
export async function insertAddOnVersion(
  sql: Sql,
  organization: OrganizationId,
  version: AddOnVersion,
): Promise<void> {
  await sql`
    INSERT INTO add_on_versions (organization, id, add_on, version, name, currency, billing_interval, created_at)
    VALUES (${organization}, ${version.id}, ${version.addOn}, ${version.version}, ${version.name}, ${version.currency},
            ${version.interval}, ${new Date(msOf(version.createdAt))})`;
  await insertPrices(sql, organization, { addOnVersion: version.id }, version.prices, version.createdAt);
}

/** Versions with their prices, by add-on and number. */
export async function readAddOnVersions(sql: Sql, ids: readonly AddOnVersionId[]): Promise<AddOnVersion[]> {
  if (ids.length === 0) return [];
  const versions = await sql<RawVersion[]>`
    SELECT v.id, v.add_on, a.key, v.version, v.name, v.currency, v.billing_interval, v.created_at
    FROM add_on_versions v JOIN add_ons a ON a.organization = v.organization AND a.id = v.add_on
    WHERE v.id = ANY(${[...ids]}::text[]) ORDER BY v.add_on, v.version`;
  const prices = await readAddOnPrices(sql, ids);
  return versions.map((row) => ({
    id: row.id,
    addOn: row.add_on,
    key: row.key,
    version: row.version,
    name: row.name,
    currency: row.currency,
    interval: row.billing_interval,
    prices: prices.get(row.id) ?? [],
    createdAt: instantFromMs(row.created_at.getTime()),
  }));
}

/** An add-on's versions by number, after a version. */
export async function listAddOnVersionIds(
  sql: Sql,
  addOn: AddOnId,
  page: { after?: string; limit: number },
): Promise<AddOnVersionId[]> {
  const rows = await sql<{ id: AddOnVersionId }[]>`
    SELECT id FROM add_on_versions
    WHERE add_on = ${addOn}
      AND version > coalesce((SELECT a.version FROM add_on_versions a WHERE a.add_on = ${addOn} AND a.id = ${page.after ?? ""}), 0)
    ORDER BY version LIMIT ${page.limit}`;
  return rows.map((row) => row.id);
}

interface RawAddOn {
  readonly id: AddOnId;
  readonly key: string;
  readonly latest: AddOnVersionId;
  readonly created_at: Date;
}

interface RawVersion {
  readonly id: AddOnVersionId;
  readonly add_on: AddOnId;
  readonly key: string;
  readonly version: number;
  readonly name: string;
  readonly currency: Currency;
  readonly billing_interval: BillingInterval;
  readonly created_at: Date;
}

function addOnFrom(row: RawAddOn): AddOnRow {
  return { id: row.id, key: row.key, latest: row.latest, createdAt: instantFromMs(row.created_at.getTime()) };
}

import type { Sql } from "../../engines/postgres/index.js";
import { Decimal } from "../../kernel/decimal.js";
import type { OrganizationId, TaxRateId } from "../../kernel/ids.js";
import { instantFromMs, msOf, type Instant } from "../../kernel/instant.js";
import type { OwnTaxRate } from "../core/index.js";

export interface StoredTaxRate extends OwnTaxRate {
  readonly createdAt: Instant;
}

interface TaxRateRow {
  readonly id: TaxRateId;
  readonly country: string;
  readonly region: string | null;
  readonly category: string;
  readonly name: string;
  readonly percent: string;
  readonly treatment: "taxed" | "exempt";
  readonly inclusive: boolean | null;
  readonly note: string | null;
  readonly valid_from: string;
  readonly valid_to: string | null;
  readonly created_at: Date;
}

/** @returns false when a rate of the place and category begins on that day already */
export async function insertTaxRate(
  sql: Sql,
  organization: OrganizationId,
  rate: StoredTaxRate,
): Promise<boolean> {
  const inserted = await sql`
    INSERT INTO tax_rates (organization, id, country, region, category, name, percent, treatment, inclusive, note,
                           valid_from, created_at)
    VALUES (${organization}, ${rate.id}, ${rate.country}, ${rate.region ?? null}, ${rate.category}, ${rate.name},
            ${rate.percent.toString()}, ${rate.treatment}, ${rate.inclusive ?? null}, ${rate.note ?? null},
            ${rate.validFrom}::text::date, ${new Date(msOf(rate.createdAt))})
    ON CONFLICT ON CONSTRAINT tax_rates_one_beginning DO NOTHING RETURNING 1`;
  return inserted.length === 1;
}

/** For a rate that has no end. */
export async function endTaxRate(sql: Sql, id: TaxRateId, validTo: string, at: Instant): Promise<void> {
  await sql`
    UPDATE tax_rates SET valid_to = ${validTo}::text::date, ended_at = ${new Date(msOf(at))} WHERE id = ${id}`;
}

export async function lockTaxRate(sql: Sql, id: string): Promise<StoredTaxRate | undefined> {
  const rows = await sql<TaxRateRow[]>`
    SELECT id, country, region, category, name, percent::text, treatment, inclusive, note, valid_from::text, valid_to::text,
           created_at
    FROM tax_rates WHERE id = ${id} FOR UPDATE`;
  return rows.map(fromRow)[0];
}

/** All of them: an organization has at most `tax_rates_max`. */
export async function selectTaxRates(sql: Sql, organization: OrganizationId): Promise<StoredTaxRate[]> {
  const rows = await sql<TaxRateRow[]>`
    SELECT id, country, region, category, name, percent::text, treatment, inclusive, note, valid_from::text, valid_to::text,
           created_at
    FROM tax_rates WHERE organization = ${organization} ORDER BY id`;
  return rows.map(fromRow);
}

/** By id, oldest first, after a rate; of one country when named. */
export async function listTaxRates(
  sql: Sql,
  page: { after?: string; limit: number; country?: string },
): Promise<StoredTaxRate[]> {
  const rows = await sql<TaxRateRow[]>`
    SELECT id, country, region, category, name, percent::text, treatment, inclusive, note, valid_from::text, valid_to::text,
           created_at
    FROM tax_rates
    WHERE id > ${page.after ?? ""} AND (${page.country ?? null}::text IS NULL OR country = ${page.country ?? null})
    ORDER BY id LIMIT ${page.limit}`;
  return rows.map(fromRow);
}

export async function countTaxRates(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`SELECT count(*)::int AS count FROM tax_rates`;
  return row?.count ?? 0;
}

function fromRow(row: TaxRateRow): StoredTaxRate {
  return {
    id: row.id,
    country: row.country,
    region: row.region ?? undefined,
    category: row.category,
    name: row.name,
    percent: Decimal.of(row.percent),
    treatment: row.treatment,
    inclusive: row.inclusive ?? undefined,
    note: row.note ?? undefined,
    validFrom: row.valid_from,
    validTo: row.valid_to ?? undefined,
    createdAt: instantFromMs(row.created_at.getTime()),
  };
}

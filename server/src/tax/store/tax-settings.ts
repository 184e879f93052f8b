import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import { msOf, type Instant } from "../../kernel/instant.js";
import type { TaxRegistration, TaxSettings } from "../core/index.js";

interface TaxSettingsRow {
  readonly country: string;
  readonly region: string | null;
  readonly prices_include_tax: boolean;
  readonly built_in_rates: boolean;
  readonly registrations: readonly Partial<TaxRegistration>[];
}

export async function selectTaxSettings(
  sql: Sql,
  organization: OrganizationId,
): Promise<TaxSettings | undefined> {
  const [row] = await sql<TaxSettingsRow[]>`
    SELECT country, region, prices_include_tax, built_in_rates, registrations FROM tax_settings
    WHERE organization = ${organization}`;
  if (row === undefined) return undefined;
  return {
    country: row.country,
    region: row.region ?? undefined,
    pricesIncludeTax: row.prices_include_tax,
    builtInRates: row.built_in_rates,
    registrations: row.registrations.map(({ country = "", taxId, from, to }) => ({
      country,
      taxId,
      from,
      to,
    })),
  };
}

export async function upsertTaxSettings(
  sql: Sql,
  organization: OrganizationId,
  settings: TaxSettings,
  at: Instant,
): Promise<void> {
  const { country, region, pricesIncludeTax, builtInRates, registrations } = settings;
  const json = JSON.stringify(registrations);
  await sql`
    INSERT INTO tax_settings (organization, country, region, prices_include_tax, built_in_rates, registrations, updated_at)
    VALUES (${organization}, ${country}, ${region ?? null}, ${pricesIncludeTax}, ${builtInRates}, ${json}::text::jsonb,
            ${new Date(msOf(at))})
    ON CONFLICT (organization) DO UPDATE SET
      country = excluded.country, region = excluded.region, prices_include_tax = excluded.prices_include_tax,
      built_in_rates = excluded.built_in_rates, registrations = excluded.registrations, updated_at = excluded.updated_at`;
}

import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import { msOf, type Instant } from "../../kernel/instant.js";

/** What invoices say about the seller. */
export interface BillingProfile {
  readonly legalName: string;
  readonly line1: string | undefined;
  readonly line2: string | undefined;
  readonly city: string | undefined;
  readonly postalCode: string | undefined;
  readonly region: string | undefined;
  /** ISO 3166-1 alpha-2 */
  readonly country: string | undefined;
  readonly taxId: string | undefined;
  readonly email: string | undefined;
  /** Free text of several lines: account, bank, what to name. */
  readonly bankDetails: string | undefined;
}

interface BillingProfileRow {
  readonly legal_name: string;
  readonly line1: string | null;
  readonly line2: string | null;
  readonly city: string | null;
  readonly postal_code: string | null;
  readonly region: string | null;
  readonly country: string | null;
  readonly tax_id: string | null;
  readonly email: string | null;
  readonly bank_details: string | null;
}

export async function selectBillingProfile(
  sql: Sql,
  organization: OrganizationId,
): Promise<BillingProfile | undefined> {
  const [row] = await sql<BillingProfileRow[]>`
    SELECT legal_name, line1, line2, city, postal_code, region, country, tax_id, email, bank_details
    FROM billing_profiles WHERE organization = ${organization}`;
  if (row === undefined) return undefined;
  return {
    legalName: row.legal_name,
    line1: row.line1 ?? undefined,
    line2: row.line2 ?? undefined,
    city: row.city ?? undefined,
    postalCode: row.postal_code ?? undefined,
    region: row.region ?? undefined,
    country: row.country ?? undefined,
    taxId: row.tax_id ?? undefined,
    email: row.email ?? undefined,
    bankDetails: row.bank_details ?? undefined,
  };
}

export async function upsertBillingProfile(
  sql: Sql,
  organization: OrganizationId,
  profile: BillingProfile,
  at: Instant,
): Promise<void> {
  const { legalName, line1, line2, city, postalCode, region, country, taxId, email, bankDetails } = profile;
  await sql`
    INSERT INTO billing_profiles (organization, legal_name, line1, line2, city, postal_code, region, country, tax_id,
                                  email, bank_details, updated_at)
    VALUES (${organization}, ${legalName}, ${line1 ?? null}, ${line2 ?? null}, ${city ?? null}, ${postalCode ?? null},
            ${region ?? null}, ${country ?? null}, ${taxId ?? null}, ${email ?? null}, ${bankDetails ?? null},
            ${new Date(msOf(at))})
    ON CONFLICT (organization) DO UPDATE SET
      legal_name = excluded.legal_name, line1 = excluded.line1, line2 = excluded.line2, city = excluded.city,
      postal_code = excluded.postal_code, region = excluded.region, country = excluded.country, tax_id = excluded.tax_id,
      email = excluded.email, bank_details = excluded.bank_details, updated_at = excluded.updated_at`;
}

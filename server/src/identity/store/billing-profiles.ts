import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import { msOf, type Instant } from "../../kernel/instant.js";
import type { TimeZone } from "../../kernel/time-zone.js";

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
  /** In a register of companies: "HRB 12345". */
  readonly registrationNumber: string | undefined;
  /** Where e-invoices come from: "9930:DE123456789". */
  readonly electronicAddress: string | undefined;
  readonly contactName: string | undefined;
  readonly phone: string | undefined;
  readonly iban: string | undefined;
  readonly bic: string | undefined;
  /** In which the days of issue and payment are written; the customer's when left out. */
  readonly timeZone: TimeZone | undefined;
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
  readonly registration_number: string | null;
  readonly electronic_address: string | null;
  readonly contact_name: string | null;
  readonly phone: string | null;
  readonly iban: string | null;
  readonly bic: string | null;
  readonly time_zone: TimeZone | null;
}

export async function selectBillingProfile(
  sql: Sql,
  organization: OrganizationId,
): Promise<BillingProfile | undefined> {
  const [row] = await sql<BillingProfileRow[]>`
    SELECT legal_name, line1, line2, city, postal_code, region, country, tax_id, email, bank_details,
           registration_number, electronic_address, contact_name, phone, iban, bic, time_zone
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
    registrationNumber: row.registration_number ?? undefined,
    electronicAddress: row.electronic_address ?? undefined,
    contactName: row.contact_name ?? undefined,
    phone: row.phone ?? undefined,
    iban: row.iban ?? undefined,
    bic: row.bic ?? undefined,
    timeZone: row.time_zone ?? undefined,
  };
}

export async function upsertBillingProfile(
  sql: Sql,
  organization: OrganizationId,
  profile: BillingProfile,
  at: Instant,
): Promise<void> {
  const { legalName, line1, line2, city, postalCode, region, country, taxId, email, bankDetails } = profile;
  const { registrationNumber, electronicAddress, contactName, phone, iban, bic, timeZone } = profile;
  await sql`
    INSERT INTO billing_profiles (organization, legal_name, line1, line2, city, postal_code, region, country, tax_id,
                                  email, bank_details, registration_number, electronic_address, contact_name, phone,
                                  iban, bic, time_zone, updated_at)
    VALUES (${organization}, ${legalName}, ${line1 ?? null}, ${line2 ?? null}, ${city ?? null}, ${postalCode ?? null},
            ${region ?? null}, ${country ?? null}, ${taxId ?? null}, ${email ?? null}, ${bankDetails ?? null},
            ${registrationNumber ?? null}, ${electronicAddress ?? null}, ${contactName ?? null}, ${phone ?? null},
            ${iban ?? null}, ${bic ?? null}, ${timeZone ?? null},
            ${new Date(msOf(at))})
    ON CONFLICT (organization) DO UPDATE SET
      legal_name = excluded.legal_name, line1 = excluded.line1, line2 = excluded.line2, city = excluded.city,
      postal_code = excluded.postal_code, region = excluded.region, country = excluded.country, tax_id = excluded.tax_id,
      email = excluded.email, bank_details = excluded.bank_details, registration_number = excluded.registration_number,
      electronic_address = excluded.electronic_address, contact_name = excluded.contact_name, phone = excluded.phone,
      iban = excluded.iban, bic = excluded.bic, time_zone = excluded.time_zone, updated_at = excluded.updated_at`;
}

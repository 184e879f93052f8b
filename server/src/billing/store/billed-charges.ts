import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { MeterVersionId, PriceId, SubscriptionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { keyText, section_ranks, type BilledCharge, type SectionKind } from "../core/index.js";
import { taxRateFromJson, type TaxRateJson } from "../invoicing/tax-rate-json.js";

export interface BilledQuestion {
  readonly subscription: SubscriptionId;
  readonly kind: SectionKind;
  /** The end of the section that is computed. */
  readonly end: Instant;
  /** Charges that end by then are not asked for. */
  readonly since: Instant;
}

/**
 * What was billed of each charge: by finalized invoices that stand, and by drafts of sections that come before the one
 * that is computed.
 */
export async function readBilled(
  sql: Sql,
  asked: readonly BilledQuestion[],
): Promise<Map<SubscriptionId, BilledCharge[]>> {
  const rows = await sql<BilledRow[]>`
    SELECT l.subscription, l.item, l.kind, l.price, l.name, l.tax_category, l.meter_version, l.tax_rate,
           (extract(epoch FROM l.service_start) * 1000000)::bigint::text AS service_start,
           (extract(epoch FROM l.service_end) * 1000000)::bigint::text AS service_end,
           (extract(epoch FROM l.covered_start) * 1000000)::bigint::text AS covered_start,
           (extract(epoch FROM l.covered_end) * 1000000)::bigint::text AS covered_end,
           l.gross_minor::text, l.amount_minor::text
    FROM unnest(${arrayText(asked.map(({ subscription }) => subscription))}::text[], ${arrayText(asked.map(({ since }) => timestampText(since)))}::text[],
                ${arrayText(asked.map(({ end }) => timestampText(end)))}::text[], ${arrayText(asked.map(({ kind }) => section_ranks[kind]))}::int[])
         AS a (subscription, since, section_end, rank)
    -- Each by its key, whatever the planner thinks of how many there are.
    CROSS JOIN LATERAL (
      SELECT * FROM invoice_lines WHERE subscription = a.subscription AND service_end > a.since::timestamptz OFFSET 0) l
    CROSS JOIN LATERAL (
      SELECT is_void, period_end, rank FROM invoice_sections
      WHERE organization = l.organization AND invoice = l.invoice AND position = l.section
      OFFSET 0) s
    CROSS JOIN LATERAL (
      SELECT status FROM invoices WHERE organization = l.organization AND id = l.invoice OFFSET 0) i
    WHERE NOT s.is_void
      AND (i.status = 'finalized' OR (s.period_end, s.rank::int) < (a.section_end::timestamptz, a.rank))
    ORDER BY l.id`;
  const found = new Map<SubscriptionId, Map<string, BilledCharge>>();
  for (const row of rows) {
    const charges = found.get(row.subscription) ?? new Map<string, BilledCharge>();
    found.set(row.subscription, charges);
    const one = fromRow(row);
    const known = charges.get(keyText(one));
    charges.set(
      keyText(one),
      known === undefined ? one : { ...known, gross: known.gross + one.gross, net: known.net + one.net },
    );
  }
  return new Map([...found].map(([subscription, charges]) => [subscription, [...charges.values()]]));
}

interface BilledRow {
  readonly subscription: SubscriptionId;
  readonly item: string;
  readonly price: PriceId | null;
  readonly name: string;
  readonly tax_category: string;
  readonly meter_version: MeterVersionId | null;
  readonly tax_rate: TaxRateJson;
  readonly service_start: string;
  readonly service_end: string;
  readonly covered_start: string;
  readonly covered_end: string;
  readonly gross_minor: string;
  readonly amount_minor: string;
}

function fromRow(row: BilledRow): BilledCharge {
  return {
    item: row.item,
    period: { start: instantOfMicros(row.service_start), end: instantOfMicros(row.service_end) },
    price: row.price ?? undefined,
    name: row.name,
    category: row.tax_category,
    covered: { start: instantOfMicros(row.covered_start), end: instantOfMicros(row.covered_end) },
    gross: BigInt(row.gross_minor),
    net: BigInt(row.amount_minor),
    rate: taxRateFromJson(row.tax_rate),
    meterVersion: row.meter_version ?? undefined,
  };
}

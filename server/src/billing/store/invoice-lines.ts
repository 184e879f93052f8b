import type { Sql } from "../../engines/postgres/index.js";
import { Decimal } from "../../kernel/decimal.js";
import type { InvoiceId, InvoiceLineId, MeterVersionId, OrganizationId, PriceId } from "../../kernel/ids.js";
import { ratedTierFromJson, ratedTierToJson, type RatedTierJson } from "../../rating/core/index.js";
import type { BilledSpan, RatedLine } from "../core/index.js";
import type { Invoice, InvoiceLine } from "../invoice.js";

/**
 * Writes a draft's line for a price, or replaces its figures when it is refreshed; its id stays.
 */
export async function writeInvoiceLine(
  sql: Sql,
  organization: OrganizationId,
  invoice: Pick<Invoice, "id" | "planVersion">,
  position: number,
  id: InvoiceLineId,
  line: RatedLine,
): Promise<void> {
  await sql`
    INSERT INTO invoice_lines
      (organization, id, invoice, plan_version, price, position, meter_version, subjects, quantity, events, tiers,
       amount, amount_minor)
    VALUES (${organization}, ${id}, ${invoice.id}, ${invoice.planVersion}, ${line.price.id}, ${position},
            ${line.meterVersion}, ${JSON.stringify(line.subjects)}::text::jsonb, ${line.quantity.toString()}::text::numeric,
            ${line.events}, ${JSON.stringify(line.tiers.map(ratedTierToJson))}::text::jsonb,
            ${line.amount.toString()}::text::numeric, ${line.money.minor.toString()}::text::numeric)
    ON CONFLICT (organization, invoice, price) DO UPDATE
    SET meter_version = excluded.meter_version, subjects = excluded.subjects, quantity = excluded.quantity,
        events = excluded.events, tiers = excluded.tiers, amount = excluded.amount, amount_minor = excluded.amount_minor`;
}

/** Lines of invoices, in each invoice's order. */
export async function readInvoiceLines(sql: Sql, invoices: readonly InvoiceId[]): Promise<StoredLine[]> {
  const rows = await sql<LineRow[]>`
    SELECT id, invoice, price, meter_version, subjects, quantity::text, events::text, tiers, amount::text, amount_minor::text
    FROM invoice_lines WHERE invoice = ANY(${[...invoices]}::text[]) ORDER BY invoice, position`;
  return rows.map((row) => ({
    id: row.id,
    invoice: row.invoice,
    price: row.price,
    meterVersion: row.meter_version,
    subjects: row.subjects,
    quantity: Decimal.of(row.quantity),
    events: Number(row.events),
    tiers: row.tiers.map(ratedTierFromJson),
    amount: Decimal.of(row.amount),
    minor: BigInt(row.amount_minor),
  }));
}

/** A line before it knows its invoice's currency. */
export interface StoredLine extends Omit<InvoiceLine, "money"> {
  readonly invoice: InvoiceId;
  readonly minor: bigint;
}

interface LineRow {
  readonly id: InvoiceLineId;
  readonly invoice: InvoiceId;
  readonly price: PriceId;
  readonly meter_version: MeterVersionId;
  /** Instants as microseconds, safe integers in JSON. */
  readonly subjects: readonly BilledSpan[];
  readonly quantity: string;
  readonly events: string;
  readonly tiers: readonly RatedTierJson[];
  readonly amount: string;
  readonly amount_minor: string;
}

import { arrayText, instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import { Decimal } from "../../kernel/decimal.js";
import type {
  InvoiceId,
  InvoiceLineId,
  MeterVersionId,
  OrganizationId,
  PriceId,
  SubscriptionId,
} from "../../kernel/ids.js";
import type { AdjustmentKind, BilledSpan } from "../core/index.js";
import type { InvoiceLine } from "../invoicing/invoice.js";
import { portionFromJson, portionToJson, type RecordedPortionJson } from "../invoicing/recorded-portion.js";
import { taxRateFromJson, taxRateToJson, type TaxRateJson } from "../invoicing/tax-rate-json.js";

/** A line with its place. */
export interface StoredLine extends InvoiceLine {
  readonly invoice: InvoiceId;
  /** Its section's. */
  readonly subscription: SubscriptionId;
  readonly position: number;
}

/** Portions of a charge, or what an adjustment followed from. */
interface ComputationJson {
  readonly portions?: readonly RecordedPortionJson[];
  readonly adjustment?: { readonly kind: AdjustmentKind; readonly agreed: string; readonly base: string };
}

export async function insertLines(
  sql: Sql,
  organization: OrganizationId,
  lines: readonly StoredLine[],
): Promise<void> {
  const texts = (of: (line: StoredLine) => string) => lines.map(of);
  await sql`
    INSERT INTO invoice_lines
      (organization, id, invoice, section, position, subscription, kind, item, service_start, service_end, covered_start,
       covered_end, name, tax_category, price, meter_version, subjects, quantity, events, computation, exact,
       target_gross_minor, target_minor, billed_gross_minor, billed_minor, gross_minor, amount_minor, promotional_minor,
       taxable_minor, tax_minor, tax_rate, is_correction)
    SELECT ${organization}, l.id, l.invoice, l.section, l.position, l.subscription, l.kind, l.item, l.service_start::timestamptz,
           l.service_end::timestamptz, l.covered_start::timestamptz, l.covered_end::timestamptz, l.name, l.tax_category,
           nullif(l.price, ''), nullif(l.meter_version, ''), l.subjects::jsonb, nullif(l.quantity, '')::numeric, l.events,
           l.computation::jsonb, l.exact::numeric, l.target_gross::numeric, l.target::numeric, l.billed_gross::numeric,
           l.billed::numeric, l.gross::numeric, l.amount::numeric, l.promotional::numeric, l.taxable::numeric,
           l.tax::numeric, l.tax_rate::jsonb, l.is_correction = 1
    FROM unnest(${arrayText(texts(({ id }) => id))}::text[], ${arrayText(texts(({ invoice }) => invoice))}::text[],
                ${arrayText(lines.map(({ section }) => section))}::int[], ${arrayText(lines.map(({ position }) => position))}::int[],
                ${arrayText(texts(({ subscription }) => subscription))}::text[], ${arrayText(texts(({ kind }) => kind))}::text[],
                ${arrayText(texts(({ item }) => item))}::text[], ${arrayText(texts(({ period }) => timestampText(period.start)))}::text[],
                ${arrayText(texts(({ period }) => timestampText(period.end)))}::text[],
                ${arrayText(texts(({ covered }) => timestampText(covered.start)))}::text[],
                ${arrayText(texts(({ covered }) => timestampText(covered.end)))}::text[], ${arrayText(texts(({ name }) => name))}::text[],
                ${arrayText(texts(({ category }) => category))}::text[], ${arrayText(texts(({ price }) => price ?? ""))}::text[],
                ${arrayText(texts(({ meterVersion }) => meterVersion ?? ""))}::text[],
                ${arrayText(texts(({ subjects }) => JSON.stringify(subjects)))}::text[],
                ${arrayText(texts(({ quantity }) => quantity?.toString() ?? ""))}::text[], ${arrayText(lines.map(({ events }) => events))}::bigint[],
                ${arrayText(texts(computationText))}::text[], ${arrayText(texts(({ exact }) => exact.toString()))}::text[],
                ${arrayText(texts(({ targetGross }) => targetGross.toString()))}::text[],
                ${arrayText(texts(({ targetNet }) => targetNet.toString()))}::text[],
                ${arrayText(texts(({ billedGross }) => billedGross.toString()))}::text[],
                ${arrayText(texts(({ billedNet }) => billedNet.toString()))}::text[], ${arrayText(texts(({ gross }) => gross.toString()))}::text[],
                ${arrayText(texts(({ net }) => net.toString()))}::text[], ${arrayText(texts(({ promotional }) => promotional.toString()))}::text[],
                ${arrayText(texts(({ taxable }) => taxable.toString()))}::text[], ${arrayText(texts(({ tax }) => tax.toString()))}::text[],
                ${arrayText(texts(({ rate }) => JSON.stringify(taxRateToJson(rate))))}::text[],
                ${arrayText(lines.map(({ isCorrection }) => (isCorrection ? 1 : 0)))}::int[])
         AS l (id, invoice, section, position, subscription, kind, item, service_start, service_end, covered_start, covered_end,
               name, tax_category, price, meter_version, subjects, quantity, events, computation, exact, target_gross, target,
               billed_gross, billed, gross, amount, promotional, taxable, tax, tax_rate, is_correction)`;
}

function computationText({ portions, adjustment }: InvoiceLine): string {
  const json: ComputationJson = {
    ...(portions.length === 0 ? {} : { portions: portions.map(portionToJson) }),
    ...(adjustment === undefined
      ? {}
      : {
          adjustment: {
            kind: adjustment.kind,
            agreed: adjustment.agreed.toString(),
            base: adjustment.base.toString(),
          },
        }),
  };
  return JSON.stringify(json);
}

/** Lines of invoices, in each invoice's order. */
export async function readLines(sql: Sql, invoices: readonly InvoiceId[]): Promise<StoredLine[]> {
  const rows = await sql<LineRow[]>`
    SELECT id, invoice, section, position, subscription, kind, item, name, tax_category, price, meter_version, subjects,
           quantity::text, events::text, computation, exact::text, tax_rate, is_correction,
           (extract(epoch FROM service_start) * 1000000)::bigint::text AS service_start,
           (extract(epoch FROM service_end) * 1000000)::bigint::text AS service_end,
           (extract(epoch FROM covered_start) * 1000000)::bigint::text AS covered_start,
           (extract(epoch FROM covered_end) * 1000000)::bigint::text AS covered_end,
           target_gross_minor::text AS target_gross, target_minor::text AS target, billed_gross_minor::text AS billed_gross,
           billed_minor::text AS billed, gross_minor::text AS gross, amount_minor::text AS amount,
           promotional_minor::text AS promotional, taxable_minor::text AS taxable, tax_minor::text AS tax
    FROM invoice_lines WHERE invoice = ANY (${arrayText(invoices)}::text[]) ORDER BY invoice, position`;
  return rows.map(fromRow);
}

interface LineRow {
  readonly id: InvoiceLineId;
  readonly invoice: InvoiceId;
  readonly section: number;
  readonly position: number;
  readonly subscription: SubscriptionId;
  readonly kind: InvoiceLine["kind"];
  readonly item: string;
  readonly name: string;
  readonly tax_category: string;
  readonly price: PriceId | null;
  readonly meter_version: MeterVersionId | null;
  /** Instants as microseconds, safe integers in JSON. */
  readonly subjects: readonly BilledSpan[];
  readonly quantity: string | null;
  readonly events: string;
  readonly computation: ComputationJson;
  readonly exact: string;
  readonly tax_rate: TaxRateJson;
  readonly is_correction: boolean;
  readonly service_start: string;
  readonly service_end: string;
  readonly covered_start: string;
  readonly covered_end: string;
  readonly target_gross: string;
  readonly target: string;
  readonly billed_gross: string;
  readonly billed: string;
  readonly gross: string;
  readonly amount: string;
  readonly promotional: string;
  readonly taxable: string;
  readonly tax: string;
}

function fromRow(row: LineRow): StoredLine {
  const { adjustment } = row.computation;
  return {
    id: row.id,
    invoice: row.invoice,
    section: row.section,
    position: row.position,
    subscription: row.subscription,
    kind: row.kind,
    item: row.item,
    period: { start: instantOfMicros(row.service_start), end: instantOfMicros(row.service_end) },
    covered: { start: instantOfMicros(row.covered_start), end: instantOfMicros(row.covered_end) },
    name: row.name,
    category: row.tax_category,
    price: row.price ?? undefined,
    meterVersion: row.meter_version ?? undefined,
    subjects: row.subjects,
    quantity: row.quantity === null ? undefined : Decimal.of(row.quantity),
    events: Number(row.events),
    portions: (row.computation.portions ?? []).map(portionFromJson),
    adjustment:
      adjustment === undefined
        ? undefined
        : { kind: adjustment.kind, agreed: BigInt(adjustment.agreed), base: BigInt(adjustment.base) },
    exact: Decimal.of(row.exact),
    targetGross: BigInt(row.target_gross),
    targetNet: BigInt(row.target),
    billedGross: BigInt(row.billed_gross),
    billedNet: BigInt(row.billed),
    gross: BigInt(row.gross),
    net: BigInt(row.amount),
    promotional: BigInt(row.promotional),
    taxable: BigInt(row.taxable),
    tax: BigInt(row.tax),
    rate: taxRateFromJson(row.tax_rate),
    isCorrection: row.is_correction,
  };
}

/** The ids that a draft's lines have, by what they are for: computed anew, they keep them. */
export async function readLineIds(
  sql: Sql,
  drafts: readonly InvoiceId[],
): Promise<Map<string, InvoiceLineId>> {
  const rows = await sql<
    {
      id: InvoiceLineId;
      invoice: InvoiceId;
      subscription: SubscriptionId;
      item: string;
      service_start: string;
      service_end: string;
    }[]
  >`
    SELECT id, invoice, subscription, item, (extract(epoch FROM service_start) * 1000000)::bigint::text AS service_start,
           (extract(epoch FROM service_end) * 1000000)::bigint::text AS service_end
    FROM invoice_lines WHERE invoice = ANY (${arrayText(drafts)}::text[])`;
  return new Map(
    rows.map(({ id, invoice, subscription, item, service_start, service_end }) => {
      const period = { start: instantOfMicros(service_start), end: instantOfMicros(service_end) };
      return [linePlace({ invoice, subscription, item, period }), id];
    }),
  );
}

/** What tells a draft's line from its others, whenever it is computed. */
export function linePlace({
  invoice,
  subscription,
  item,
  period,
}: Pick<StoredLine, "invoice" | "subscription" | "item" | "period">): string {
  return `${invoice} ${subscription} ${item} ${period.start} ${period.end}`;
}

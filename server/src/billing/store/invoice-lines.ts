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

/** Writes lines. What many of them have alike, such as all that a plan's price says, travels once: see `CommonLine`. */
export async function insertLines(
  sql: Sql,
  organization: OrganizationId,
  lines: readonly StoredLine[],
): Promise<void> {
  const { commons, places } = findCommons(lines);
  const common = (of: (common: CommonLine) => string) => arrayText(commons.map(of));
  const each = (of: (line: StoredLine) => string | number | bigint) => arrayText(lines.map(of));
  await sql`
    WITH common AS MATERIALIZED (
      SELECT * FROM unnest(${common(({ kind }) => kind)}::text[], ${common(({ item }) => item)}::text[],
                    ${common(({ serviceStart }) => serviceStart)}::timestamptz[], ${common(({ serviceEnd }) => serviceEnd)}::timestamptz[],
                    ${common(({ coveredStart }) => coveredStart)}::timestamptz[], ${common(({ coveredEnd }) => coveredEnd)}::timestamptz[],
                    ${common(({ name }) => name)}::text[], ${common(({ category }) => category)}::text[],
                    ${common(({ price }) => price)}::text[], ${common(({ meterVersion }) => meterVersion)}::text[],
                    ${common(({ taxRate }) => taxRate)}::jsonb[], ${common(({ isCorrection }) => isCorrection)}::boolean[])
           WITH ORDINALITY
           AS c (kind, item, service_start, service_end, covered_start, covered_end, name, tax_category, price, meter_version,
                 tax_rate, is_correction, place))
    INSERT INTO invoice_lines
      (organization, id, invoice, section, position, subscription, kind, item, service_start, service_end, covered_start,
       covered_end, name, tax_category, price, meter_version, subjects, quantity, events, computation, exact,
       target_gross_minor, target_minor, billed_gross_minor, billed_minor, gross_minor, amount_minor, promotional_minor,
       taxable_minor, tax_minor, tax_rate, is_correction)
    SELECT ${organization}, l.id, l.invoice, l.section, l.position, l.subscription, c.kind, c.item, c.service_start,
           c.service_end, c.covered_start, c.covered_end, c.name, c.tax_category, nullif(c.price, ''),
           nullif(c.meter_version, ''), l.subjects, nullif(l.quantity, '')::numeric, l.events, l.computation, l.exact,
           l.target_gross, l.target, l.billed_gross, l.billed, l.gross, l.amount, l.promotional, l.taxable, l.tax, c.tax_rate,
           c.is_correction
    FROM unnest(${each(({ id }) => id)}::text[], ${each(({ invoice }) => invoice)}::text[], ${each(({ section }) => section)}::int[],
                ${each(({ position }) => position)}::int[], ${each(({ subscription }) => subscription)}::text[],
                ${arrayText(places)}::bigint[], ${each(({ subjects }) => JSON.stringify(subjects))}::jsonb[],
                ${each(({ quantity }) => quantity?.toString() ?? "")}::text[], ${each(({ events }) => events)}::bigint[],
                ${each(computationText)}::jsonb[], ${each(({ exact }) => exact.toString())}::numeric[],
                ${each(({ targetGross }) => targetGross)}::numeric[], ${each(({ targetNet }) => targetNet)}::numeric[],
                ${each(({ billedGross }) => billedGross)}::numeric[], ${each(({ billedNet }) => billedNet)}::numeric[],
                ${each(({ gross }) => gross)}::numeric[], ${each(({ net }) => net)}::numeric[],
                ${each(({ promotional }) => promotional)}::numeric[], ${each(({ taxable }) => taxable)}::numeric[],
                ${each(({ tax }) => tax)}::numeric[])
         AS l (id, invoice, section, position, subscription, common, subjects, quantity, events, computation, exact,
               target_gross, target, billed_gross, billed, gross, amount, promotional, taxable, tax)
    JOIN common c ON c.place = l.common`;
}

/** What lines of one price, period and tax rate have alike. */
interface CommonLine {
  readonly kind: string;
  readonly item: string;
  readonly serviceStart: string;
  readonly serviceEnd: string;
  readonly coveredStart: string;
  readonly coveredEnd: string;
  readonly name: string;
  readonly category: string;
  readonly price: string;
  readonly meterVersion: string;
  readonly taxRate: string;
  readonly isCorrection: string;
}

/** @returns each differing common part, and for each line the place of its own, from 1 */
function findCommons(lines: readonly StoredLine[]): { commons: CommonLine[]; places: number[] } {
  const commons: CommonLine[] = [];
  const known = new Map<string, number>();
  const places = lines.map((line) => {
    const taxRate = JSON.stringify(taxRateToJson(line.rate));
    const { kind, item, period, covered, name, category, price = "", meterVersion = "" } = line;
    const spans = `${period.start} ${period.end} ${covered.start} ${covered.end}`;
    // No text holds U+0000.
    const key = [spans, kind, line.isCorrection, price, meterVersion, item, category, name, taxRate].join(
      "\u0000",
    );
    const place = known.get(key);
    if (place !== undefined) return place;
    const common: CommonLine = {
      kind,
      item,
      serviceStart: timestampText(period.start),
      serviceEnd: timestampText(period.end),
      coveredStart: timestampText(covered.start),
      coveredEnd: timestampText(covered.end),
      name,
      category,
      price,
      meterVersion,
      taxRate,
      isCorrection: String(line.isCorrection),
    };
    known.set(key, commons.push(common));
    return commons.length;
  });
  return { commons, places };
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

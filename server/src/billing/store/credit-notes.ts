import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { CreditNoteId, CustomerId, InvoiceId, InvoiceLineId, OrganizationId } from "../../kernel/ids.js";
import type { CreditNote, CreditNoteLine } from "../invoicing/credit-note.js";

export async function insertCreditNote(
  sql: Sql,
  organization: OrganizationId,
  note: CreditNote,
): Promise<void> {
  await sql`
    INSERT INTO credit_notes
      (organization, id, invoice, customer, currency, sequence, number, voids, reason, net_minor, tax_minor,
       to_balance_minor, created_at)
    VALUES (${organization}, ${note.id}, ${note.invoice}, ${note.customer}, ${note.currency}, ${note.sequence}, ${note.number},
            ${note.voids}, ${note.reason}, ${note.net.toString()}::text::numeric, ${note.tax.toString()}::text::numeric,
            ${note.toBalance.toString()}::text::numeric, ${timestampText(note.createdAt)}::text::timestamptz)`;
  await sql`
    INSERT INTO credit_note_lines (organization, credit_note, position, line, net_minor, tax_minor)
    SELECT ${organization}, ${note.id}, l.position - 1, l.line, l.net::numeric, l.tax::numeric
    FROM unnest(${note.lines.map(({ line }) => line)}::text[], ${note.lines.map(({ net }) => net.toString())}::text[],
                ${note.lines.map(({ tax }) => tax.toString())}::text[]) WITH ORDINALITY AS l (line, net, tax, position)`;
}

/** Credit notes by id, oldest first; of one invoice when given. */
export async function listCreditNotes(
  sql: Sql,
  page: { readonly invoice?: InvoiceId; readonly after?: string; readonly limit: number },
): Promise<CreditNote[]> {
  const invoice = page.invoice ?? null;
  const rows = await sql<CreditNoteRow[]>`
    SELECT id, invoice, customer, currency, sequence::text, number, voids, reason, net_minor::text AS net, tax_minor::text AS tax,
           to_balance_minor::text AS to_balance, (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at
    FROM credit_notes
    WHERE id > ${page.after ?? ""} AND (${invoice}::text IS NULL OR invoice = ${invoice})
    ORDER BY id LIMIT ${page.limit}`;
  return withLines(sql, rows);
}

/** By id or number. */
export async function findCreditNote(sql: Sql, idOrNumber: string): Promise<CreditNote | undefined> {
  const rows = await sql<CreditNoteRow[]>`
    SELECT id, invoice, customer, currency, sequence::text, number, voids, reason, net_minor::text AS net, tax_minor::text AS tax,
           to_balance_minor::text AS to_balance, (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at
    FROM credit_notes WHERE id = ${idOrNumber} OR number = ${idOrNumber}`;
  return (await withLines(sql, rows))[0];
}

interface CreditNoteRow {
  readonly id: CreditNoteId;
  readonly invoice: InvoiceId;
  readonly customer: CustomerId;
  readonly currency: Currency;
  readonly sequence: string;
  readonly number: string;
  readonly voids: boolean;
  readonly reason: string;
  readonly net: string;
  readonly tax: string;
  readonly to_balance: string;
  readonly created_at: string;
}

async function withLines(sql: Sql, rows: readonly CreditNoteRow[]): Promise<CreditNote[]> {
  if (rows.length === 0) return [];
  const lines = await sql<{ credit_note: CreditNoteId; line: InvoiceLineId; net: string; tax: string }[]>`
    SELECT credit_note, line, net_minor::text AS net, tax_minor::text AS tax FROM credit_note_lines
    WHERE credit_note = ANY (${rows.map(({ id }) => id)}::text[]) ORDER BY credit_note, position`;
  return rows.map(({ net, tax, to_balance, created_at, sequence, ...row }) => ({
    ...row,
    sequence: Number(sequence),
    net: BigInt(net),
    tax: BigInt(tax),
    toBalance: BigInt(to_balance),
    createdAt: instantOfMicros(created_at),
    lines: lines
      .filter(({ credit_note }) => credit_note === row.id)
      .map(
        (line): CreditNoteLine => ({
          line: line.line,
          net: BigInt(line.net),
          tax: BigInt(line.tax),
        }),
      ),
  }));
}

import { exponentOf } from "../kernel/currency.js";
import { formatInstant } from "../kernel/instant.js";
import { toDecimal } from "../kernel/money.js";
import type { JournalEntry } from "./store/journal.js";

/** The columns of a journal's file, in their order. */
const columns: Readonly<Record<string, (entry: JournalEntry) => string>> = {
  posted_at: ({ postedAt }) => formatInstant(postedAt),
  posting: ({ posting }) => posting,
  position: ({ position }) => String(position),
  status: ({ pending }) => (pending ? "pending" : "posted"),
  reason: ({ reason }) => reason,
  reference: ({ reference }) => reference,
  debit: ({ debit }) => debit,
  credit: ({ credit }) => credit,
  currency: ({ currency }) => currency,
  amount: ({ currency, amount }) => toDecimal({ currency, minor: amount }).toFixed(exponentOf(currency)),
  amount_minor: ({ amount }) => amount.toString(),
  service_start: ({ service }) => (service === undefined ? "" : formatInstant(service.start)),
  service_end: ({ service }) => (service === undefined ? "" : formatInstant(service.end)),
  reverses: ({ reverses }) => reverses ?? "",
  resolves: ({ resolves }) => resolves ?? "",
  idempotency_key: ({ idempotencyKey }) => idempotencyKey,
};

/** RFC 4180, in UTF-8, with a line of column names: lines end with CRLF, and what holds a comma, a quote or a line break is quoted. */
export async function* writeCsv(pages: AsyncIterable<readonly JournalEntry[]>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const lineOf = (fields: readonly string[]) => `${fields.map(quoted).join(",")}\r\n`;
  yield encoder.encode(lineOf(Object.keys(columns)));
  const cells = Object.values(columns);
  for await (const entries of pages)
    yield encoder.encode(entries.map((entry) => lineOf(cells.map((cell) => cell(entry)))).join(""));
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

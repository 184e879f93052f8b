import { exponentOf } from "../../../kernel/currency.js";
import { formatInstant } from "../../../kernel/instant.js";
import type { ClosedBatch, OutgoingItem } from "../../outgoing.js";
import { withoutCardNumbers } from "./card-token.js";

/** Names the format and its version in the first fields of a file. */
export const charge_file_format = ["WEIR-CARD-CHARGES", "1"] as const;

/**
 * A charge file, as docs/guide/card-files.md describes it: CSV as RFC 4180 has it, in UTF-8, with a record's type in its first
 * field. Amounts are in minor units. H begins the file, D is an item, C what those of a currency come to, T ends it with the sum
 * of all amounts whatever their currency: a hash total.
 */
export async function* chargeFile(
  { sequence, closedAt, settings, items, totals }: ClosedBatch,
  all: AsyncIterable<OutgoingItem>,
): AsyncGenerator<string> {
  const { acquirerId = "", merchantId = "" } = settings;
  yield row("H", ...charge_file_format, acquirerId, merchantId, sequence, formatInstant(closedAt), items);
  let hash = 0n;
  for await (const item of all) {
    const { position = 0, action, reference, amount, details } = item;
    const { token, original, chargeback, text = "" } = details;
    hash += amount.minor;
    const money = [amount.currency, exponentOf(amount.currency), amount.minor] as const;
    yield row(
      "D",
      position,
      action,
      reference,
      token,
      ...money,
      original,
      chargeback,
      withoutCardNumbers(text),
    );
  }
  for (const total of totals)
    yield row("C", total.currency, exponentOf(total.currency), total.items, total.minor);
  yield row("T", sequence, items, hash);
}

/** Every row has as many fields, so that any reader of CSV takes the file. */
const fields_of_row = 11;

function row(...fields: readonly (string | number | bigint | undefined)[]): string {
  const all = Array.from({ length: fields_of_row }, (_, index) => quoted(fields[index]?.toString() ?? ""));
  return `${all.join(",")}\r\n`;
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

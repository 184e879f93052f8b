import { quoted, readCurrency } from "../../amount-text.js";
import { CsvReader, type CsvRow } from "../../csv/csv-reader.js";
import { readTime } from "../../date-text.js";
import { FileRefused } from "../../file-refused.js";
import { SummaryBuilder } from "../../file-summary.js";
import { maskCardNumbers } from "../../masked.js";
import type { FileSummary, SettlementParser } from "../../settlement-format.js";
import type { SettlementRecord } from "../../settlement-record.js";
import type { Instant } from "../../../../kernel/instant.js";

const format_name = "WEIR-CARD-RESPONSES";
const format_version = "1";
const results = ["accepted", "rejected"] as const;
const as_written = "Ask the acquirer for a file as docs/guide/card-files.md describes it";

interface Header {
  readonly acquirer: string;
  readonly merchant: string;
  /** The number of the charge file that is answered. */
  readonly batch: string;
  /** Which of its answers this is. */
  readonly response: string;
  readonly at: Instant;
}

/** Whether a first row is one of this format, whatever its version. */
export function isHeader(fields: readonly string[]): boolean {
  return fields[0]?.replace(/^\ufeff/, "") === "H" && fields[1] === format_name;
}

/**
 * Reads what an acquirer answers to a charge file, before any clearing: H begins the file, R answers an item, T ends it with the
 * number of answers. An accepted item moves nothing yet; a rejected one is a decline.
 */
export class CardResponsesParser implements SettlementParser {
  readonly #reader: CsvReader;
  readonly #summary = new SummaryBuilder();
  readonly #records: SettlementRecord[] = [];
  #header: Header | undefined;
  #answers = 0;
  #announced: string | undefined;

  constructor() {
    this.#reader = new CsvReader(
      (fields) => {
        this.#header = readHeader(fields);
      },
      (row) => this.#readRow(row),
    );
  }

  push(chunk: Uint8Array): SettlementRecord[] {
    this.#reader.push(chunk);
    return this.#records.splice(0);
  }

  end(): { records: SettlementRecord[]; summary: FileSummary } {
    this.#reader.end();
    const { acquirer, merchant, batch, response } = this.#known();
    if (this.#announced === undefined) {
      throw new FileRefused({
        detail: "the file ends without its trailer T",
        advice: "Fetch it again: it was cut off",
      });
    }
    return {
      records: this.#records.splice(0),
      summary: this.#summary.build({
        format: "card-responses",
        variant: format_version,
        logicalId: `${acquirer}:${merchant}:${batch}:${response}`,
        accounts: [merchant],
      }),
    };
  }

  #readRow(row: CsvRow): void {
    const [type = ""] = row.fields;
    if (this.#announced !== undefined) throw refuse(row, 0, "there is something behind the trailer T");
    if (type === "T") {
      this.#announced = number(row, 1);
      if (Number(this.#announced) !== this.#answers)
        throw refuse(row, 1, `the trailer counts ${this.#announced} answers, and there are ${this.#answers}`);
      return;
    }
    if (type !== "R") throw refuse(row, 0, `${shown(type)} is none of H, R and T`);
    this.#answers += 1;
    this.#readAnswer(row);
  }

  #readAnswer(row: CsvRow): void {
    const { acquirer, merchant, batch, response, at } = this.#known();
    const [, , reference = "", result = "", currency = "", code = "", message = ""] = row.fields;
    number(row, 1);
    if (!/^[A-Za-z0-9]{1,64}$/.test(reference))
      throw refuse(row, 2, `${shown(reference)} is no reference of an item`);
    if (!(results as readonly string[]).includes(result))
      throw refuse(row, 3, `${shown(result)} is none of ${results.join(", ")}`);
    const known = readCurrency(currency);
    if (!known.ok) throw refuse(row, 4, known.error.detail, known.error.advice);
    if (result === "accepted") {
      this.#summary.leaveOut("accepted item");
      return;
    }
    if (!/^[A-Za-z0-9_]{1,32}$/.test(code))
      throw refuse(row, 5, "a rejected item needs a code of 1 to 32 letters, digits and _");
    this.#records.push(
      this.#summary.add({
        position: { record: row.record, line: row.line },
        key: `card-responses:${acquirer}:${merchant}:${batch}:${response}:${reference}`,
        kind: "decline",
        gross: { currency: known.value, minor: 0n },
        at,
        account: merchant,
        references: { merchant: reference, batch },
        decline: { code, message: maskCardNumbers(message) },
        original: { reference, result, currency, code, message: maskCardNumbers(message) },
      }),
    );
  }

  #known(): Header {
    if (this.#header === undefined) throw new RangeError("a row came before the header");
    return this.#header;
  }
}

function readHeader(fields: readonly string[]): Header {
  const [, , version = "", acquirer = "", merchant = "", batch = "", response = "", created = ""] = fields;
  const first: CsvRow = { fields, line: 1, record: 0 };
  if (!isHeader(fields)) throw refuse(first, 0, `the file does not begin with H,${format_name}`);
  if (version !== format_version)
    throw refuse(first, 2, `version ${shown(version)} is not known`, `Ask for version ${format_version}`);
  for (const [index, text] of [acquirer, merchant].entries())
    if (!/^[A-Za-z0-9_.-]{1,32}$/.test(text)) throw refuse(first, 3 + index, `${shown(text)} is no id`);
  for (const index of [5, 6]) number(first, index);
  const at = readTime(created);
  if (at === undefined)
    throw refuse(first, 7, `${shown(created)} is no date and time`, "Write it as 2026-03-01T18:00:00Z");
  return { acquirer, merchant, batch, response, at };
}

/** What the file says, for a refusal: no card's number. */
function shown(text: string): string {
  return quoted(maskCardNumbers(text));
}

/** Digits, as they were written. */
function number(row: CsvRow, index: number): string {
  const text = row.fields[index] ?? "";
  if (/^\d{1,9}$/.test(text)) return text;
  throw refuse(row, index, `${shown(text)} is no number of up to nine digits`);
}

const names = ["type", "number", "reference", "result", "currency", "code", "message", "empty"];
const header_names = [
  "type",
  "format",
  "version",
  "acquirer",
  "merchant",
  "charge file",
  "response",
  "created",
];

function refuse({ line, record }: CsvRow, index: number, detail: string, advice = as_written): FileRefused {
  const name = (record === 0 ? header_names : names)[index] ?? "";
  return new FileRefused({
    line,
    ...(record === 0 ? {} : { record }),
    field: `column ${index + 1} (${name})`,
    detail,
    advice,
  });
}

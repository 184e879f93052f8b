import { FileRefused } from "../file-refused.js";
import { limits } from "../settlement-format.js";

export interface CsvRow {
  readonly fields: readonly string[];
  /** Where the row begins, from 1; a quoted field may go over several lines. */
  readonly line: number;
  /** Among the rows below the header, from 1. */
  readonly record: number;
}

const separators = [",", ";", "\t"] as const;
export type Separator = (typeof separators)[number];

const again = "Import the file as the sender made it, without opening it in a spreadsheet";

/**
 * Reads CSV as RFC 4180 has it, in UTF-8 with or without a byte-order mark: fields in quotes may hold separators, line ends and doubled
 * quotes. The separator is a comma, a semicolon or a tab, as the header shows. Every row must have as many fields as the header.
 */
export class CsvReader {
  readonly #onHeader: (names: readonly string[]) => void;
  readonly #onRow: (row: CsvRow) => void;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #rest = "";
  #line = 1;
  #rows = 0;
  #columns = 0;
  #separator: Separator = ",";

  constructor(onHeader: (names: readonly string[]) => void, onRow: (row: CsvRow) => void) {
    this.#onHeader = onHeader;
    this.#onRow = onRow;
  }

  get separator(): Separator {
    return this.#separator;
  }

  push(chunk: Uint8Array): void {
    this.#read(this.#decode(chunk), false);
  }

  /** @throws FileRefused when there is no header, or a quote is still open */
  end(): void {
    this.#read(this.#decode(undefined), true);
    if (this.#columns === 0) {
      throw new FileRefused({ detail: "the file has no header", advice: "Fetch the report again" });
    }
  }

  #decode(chunk: Uint8Array | undefined): string {
    try {
      return chunk === undefined ? this.#decoder.decode() : this.#decoder.decode(chunk, { stream: true });
    } catch {
      throw new FileRefused({
        line: this.#line,
        detail: "there are bytes that are not UTF-8",
        advice: `${again}, or save it as CSV in UTF-8`,
      });
    }
  }

  #read(added: string, isLast: boolean): void {
    const text = this.#rest === "" ? added : this.#rest + added;
    let at = 0;
    let quote = text.indexOf('"');
    for (;;) {
      let end = text.indexOf("\n", at);
      if (end < 0 && isLast && at < text.length) end = text.length;
      if (end < 0) break;
      if (quote >= 0 && quote < at) quote = text.indexOf('"', at);
      if (quote < 0 || quote > end) {
        this.#row(this.#split(withoutReturn(text, at, end)), 1, end - at);
        at = end + 1;
        continue;
      }
      const parsed = this.#readQuoted(text, at, isLast);
      if (parsed === undefined) break;
      this.#row(parsed.fields, parsed.lines, parsed.end - at);
      at = parsed.end + 1;
    }
    this.#rest = at >= text.length ? "" : text.slice(at);
    if (this.#rest.length > limits.record_bytes_max) throw this.#tooLong();
  }

  #row(fields: string[], lines: number, characters: number): void {
    if (characters > limits.record_bytes_max) throw this.#tooLong();
    const line = this.#line;
    this.#line += lines;
    if (fields.length === 1 && fields[0] === "") return;
    if (this.#columns === 0) {
      this.#readHeader(fields, line);
      return;
    }
    this.#rows += 1;
    if (fields.length !== this.#columns) {
      throw new FileRefused({
        line,
        record: this.#rows,
        detail: `the row has ${fields.length} fields, the header has ${this.#columns}`,
        advice: `${again}; a field that holds the separator must be in quotes`,
      });
    }
    this.#onRow({ fields, line, record: this.#rows });
  }

  #readHeader(fields: string[], line: number): void {
    if (fields.length > limits.fields_max) {
      throw new FileRefused({
        line,
        detail: `the header has more than ${limits.fields_max} columns`,
        advice: "Leave out columns when you have the report made",
      });
    }
    this.#columns = fields.length;
    this.#onHeader(fields);
  }

  /** The header shows the separator: the one that makes most columns of it. */
  #split(row: string): string[] {
    if (this.#columns === 0) this.#separator = separatorOf(row);
    return row.split(this.#separator);
  }

  /** A row with quotes from `at` on; undefined when its end is not there yet. */
  #readQuoted(
    text: string,
    at: number,
    isLast: boolean,
  ): { fields: string[]; lines: number; end: number } | undefined {
    if (this.#columns === 0) {
      const end = text.indexOf("\n", at);
      this.#separator = separatorOf(end < 0 ? text.slice(at) : text.slice(at, end));
    }
    const separator = this.#separator;
    const fields: string[] = [];
    let lines = 1;
    let position = at;
    for (;;) {
      let value: string;
      if (text.charCodeAt(position) === quote_code) {
        const closed = closingQuote(text, position + 1);
        if (closed === undefined) {
          if (isLast) throw this.#refuseQuote("a quote is opened and never closed");
          return undefined;
        }
        value = text.slice(position + 1, closed);
        if (value.includes('"')) value = value.replaceAll('""', '"');
        lines += countOf(value, "\n");
        position = closed + 1;
        // What follows the quote tells whether the field, the row or the text ends.
        const next = text.charCodeAt(position);
        if (position >= text.length && !isLast) return undefined;
        if (next === return_code && position + 1 >= text.length && !isLast) return undefined;
      } else {
        const end = fieldEnd(text, position, separator);
        if (end === undefined && !isLast) return undefined;
        value = withoutReturn(text, position, end ?? text.length);
        if (value.includes('"'))
          throw this.#refuseQuote("a quote stands inside a field that is not in quotes");
        position = end ?? text.length;
        if (text.charCodeAt(position - 1) === return_code && text.charCodeAt(position) === newline_code)
          position -= 1;
      }
      fields.push(value);
      if (text[position] === separator) {
        position += 1;
        if (fields.length > limits.fields_max)
          throw this.#refuseQuote(`a row has more than ${limits.fields_max} fields`);
        continue;
      }
      if (text.charCodeAt(position) === return_code) position += 1;
      if (position >= text.length || text.charCodeAt(position) === newline_code)
        return { fields, lines, end: position };
      throw this.#refuseQuote("text follows a closing quote");
    }
  }

  #refuseQuote(detail: string): FileRefused {
    return new FileRefused({
      line: this.#line,
      record: this.#rows + 1,
      detail,
      advice: `${again}; a quote inside a field is written twice`,
    });
  }

  #tooLong(): FileRefused {
    return new FileRefused({
      line: this.#line,
      record: this.#rows + 1,
      detail: `a row has more than ${limits.record_bytes_max} characters`,
      advice: `${again}; lines end with LF or CRLF`,
    });
  }
}

const quote_code = 0x22;
const newline_code = 0x0a;
const return_code = 0x0d;

function withoutReturn(text: string, from: number, to: number): string {
  return text.slice(from, to > from && text.charCodeAt(to - 1) === return_code ? to - 1 : to);
}

/** Where the quote is that closes a field, past doubled ones. */
function closingQuote(text: string, from: number): number | undefined {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text.charCodeAt(at + 1) !== quote_code) return at;
  }
  return undefined;
}

/** Where a field without quotes ends: at the separator or the line's end. */
function fieldEnd(text: string, from: number, separator: string): number | undefined {
  const newline = text.indexOf("\n", from);
  const next = text.indexOf(separator, from);
  if (next >= 0 && (newline < 0 || next < newline)) return next;
  return newline < 0 ? undefined : newline;
}

function countOf(text: string, character: string): number {
  let count = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) count += 1;
  return count;
}

export function separatorOf(header: string): Separator {
  let best: Separator = ",";
  let most = 0;
  for (const separator of separators) {
    const count = countOf(header, separator);
    if (count > most) [best, most] = [separator, count];
  }
  return best;
}

/** The rows of a file's beginning, as far as they are there; empty for what is no CSV. For detection. */
export function csvHead(head: Uint8Array): {
  readonly header: readonly string[];
  readonly rows: readonly CsvRow[];
} {
  let header: readonly string[] = [];
  const rows: CsvRow[] = [];
  const reader = new CsvReader(
    (names) => {
      header = names;
    },
    (row) => rows.push(row),
  );
  try {
    reader.push(head);
    // A file of its header alone may do without a line end.
    if (header.length === 0) reader.end();
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error;
  }
  return { header, rows };
}

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { parse } from "csv-parse";
import { UsageError } from "../context.js";

export type SourceFormat = "csv" | "ndjson";

/** One row of the file: where it stands, and its cells or its event. */
export interface SourceRow {
  /** 0-based, without the header and empty lines: what a resumed import counts. */
  readonly row: number;
  /** 1-based line of the file on which the row ends, for messages. */
  readonly line: number;
  /** Bytes of the file read so far, for progress. */
  readonly bytes: number;
  readonly cells: Readonly<Record<string, unknown>>;
}

const line_bytes_max = 1024 * 1024;

/** The format a file's name tells. @throws UsageError when it tells none */
export function formatOf(file: string): SourceFormat {
  if (/\.(csv|tsv)$/i.test(file)) return "csv";
  if (/\.(ndjson|jsonl)$/i.test(file)) return "ndjson";
  throw new UsageError(`${file}: say what it is with --format csv or --format ndjson`);
}

/** The rows of a file, in order, one at a time: the file may be larger than memory. */
export function readRows(file: string, format: SourceFormat): AsyncGenerator<SourceRow> {
  return format === "csv" ? readCsv(file) : readNdjson(file);
}

/** The names in a CSV file's first line. @throws UsageError for an empty file or a name that comes twice */
export async function readColumns(file: string): Promise<string[]> {
  const parser = createReadStream(file).pipe(parse({ bom: true, to: 1, delimiter: delimiterOf(file) }));
  for await (const record of parser) return checkColumns(file, record as string[]);
  throw new UsageError(`${file} is empty: its first line must name the columns`);
}

function checkColumns(file: string, names: readonly string[]): string[] {
  const columns = names.map((name) => name.trim());
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`${file}: the column "${twice}" comes twice`);
  return columns;
}

async function* readCsv(file: string): AsyncGenerator<SourceRow> {
  const parser = createReadStream(file).pipe(
    parse({
      bom: true,
      columns: (names: string[]) => checkColumns(file, names),
      delimiter: delimiterOf(file),
      info: true,
      skip_empty_lines: true,
      max_record_size: line_bytes_max,
    }),
  );
  let row = 0;
  try {
    for await (const each of parser) {
      const { record, info } = each as {
        record: Record<string, string>;
        info: { lines: number; bytes: number };
      };
      yield { row, line: info.lines, bytes: info.bytes, cells: record };
      row += 1;
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && String(error.code).startsWith("CSV_")) {
      throw new UsageError(`${file}: ${error.message}`);
    }
    throw error;
  }
}

async function* readNdjson(file: string): AsyncGenerator<SourceRow> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  let row = 0;
  let line = 0;
  let bytes = 0;
  for await (const text of lines) {
    line += 1;
    bytes += Buffer.byteLength(text) + 1;
    if (text.trim() === "") continue;
    if (text.length > line_bytes_max) throw new UsageError(`${file}:${line}: the line is over 1 MiB`);
    yield { row, line, bytes, cells: parseLine(file, line, text) };
    row += 1;
  }
}

function parseLine(file: string, line: number, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file}:${line}: not JSON (${String(error)})`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new UsageError(`${file}:${line}: a line must be one event, a JSON object`);
  }
  const changed = findChangedNumber(text);
  if (changed !== undefined) {
    throw new UsageError(
      `${file}:${line}: the number ${changed} has more than 15 significant digits, so JSON readers change it; quote it: "${changed}"`,
    );
  }
  return value as Record<string, unknown>;
}

/** The first number of a JSON text that a double may not hold; Weir refuses it, reading it here would hide it. */
export function findChangedNumber(json: string): string | undefined {
  const withoutStrings = json.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  for (const [number] of withoutStrings.matchAll(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)) {
    const digits = number
      .replace(/[eE].*$/, "")
      .replace(/[-.]/g, "")
      .replace(/^0+|0+$/g, "");
    if (digits.length > 15 || !Number.isFinite(Number(number))) return number;
  }
  return undefined;
}

function delimiterOf(file: string): string {
  return /\.tsv$/i.test(file) ? "\t" : ",";
}

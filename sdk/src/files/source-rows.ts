import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { parse, type Options } from "csv-parse";
import { FileFault } from "./file-fault.js";
import { linesOf } from "./lines.js";

export type SourceFormat = "csv" | "ndjson";

/** Where in a file reading goes on: always the beginning of a row. */
export interface FilePosition {
  readonly bytes: number;
  /** Rows before it: 0-based number of the row that comes next, without the header and empty lines. */
  readonly row: number;
  /** Lines before it. */
  readonly line: number;
}

export const file_start: FilePosition = { bytes: 0, row: 0, line: 0 };

/** One row of the file: its cells or its event's text, and where it stands. */
export interface SourceRow {
  /** 0-based, without the header and empty lines: what a resumed import counts. */
  readonly row: number;
  /** 1-based line of the file on which the row ends, for messages. */
  readonly line: number;
  /** Bytes of the file up to its end: where the next row begins. */
  readonly bytes: number;
  /** Of CSV, by column. */
  readonly cells?: Readonly<Record<string, string>>;
  /** Of NDJSON: the line. */
  readonly text?: string;
  /** Why the row cannot be read; those after it can. */
  readonly fault?: string;
}

/** How a file is to be read, with what its first line says. */
export interface FileShape {
  readonly format: SourceFormat;
  /** The names of a CSV file's columns; of NDJSON none. */
  readonly columns: readonly string[];
  /** Between the cells of CSV. */
  readonly delimiter: string;
  /** Where the first row is. */
  readonly start: FilePosition;
}

/** A file that can be read from its first row, or from any other, as often as wished. */
export interface OpenedRows {
  readonly shape: FileShape;
  readonly rows: (from?: FilePosition) => AsyncGenerator<SourceRow>;
}

const line_bytes_max = 1024 * 1024;

/** The format that a file's name tells. @throws FileFault when it tells none */
export function formatOf(file: string): SourceFormat {
  if (/\.(csv|tsv)$/i.test(file)) return "csv";
  if (/\.(ndjson|jsonl)$/i.test(file)) return "ndjson";
  throw new FileFault(`${file}: its name does not tell whether it is csv or ndjson`);
}

/**
 * Reads a file's shape: of CSV the names of the columns in its first line.
 * @throws FileFault for an empty file, or a column that comes twice
 */
export async function openRows(
  file: string,
  format: SourceFormat,
  delimiter = /\.tsv$/i.test(file) ? "\t" : ",",
): Promise<OpenedRows> {
  const shape = await shapeOf(file, format, delimiter);
  return { shape, rows: (from) => rowsOf(file, shape, from) };
}

/** The rows of a file from a position on, in order, one at a time: the file may be larger than memory. */
export function rowsOf(
  file: string,
  shape: FileShape,
  from: FilePosition = shape.start,
): AsyncGenerator<SourceRow> {
  return shape.format === "csv" ? readCsv(file, shape, from) : readNdjson(file, from);
}

async function shapeOf(file: string, format: SourceFormat, delimiter: string): Promise<FileShape> {
  if (format === "ndjson") return { format, columns: [], delimiter, start: file_start };
  for await (const { record, info } of records(file, { ...csvOptions(delimiter), bom: true, to: 1 }, 0)) {
    const columns = record.map((name) => name.trim());
    const twice = columns.find((name, index) => columns.indexOf(name) !== index);
    if (twice !== undefined) throw new FileFault(`the column "${twice}" comes twice`, 1);
    return { format, columns, delimiter, start: { bytes: info.bytes, row: 0, line: info.lines } };
  }
  throw new FileFault("the file is empty: its first line must name the columns");
}

function csvOptions(delimiter: string): Options {
  return {
    delimiter,
    // All of them wherever reading begins, so that a file is cut into the same rows from every position.
    record_delimiter: ["\r\n", "\n", "\r"],
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: line_bytes_max,
    info: true,
  };
}

async function* readCsv(file: string, shape: FileShape, from: FilePosition): AsyncGenerator<SourceRow> {
  const { columns, delimiter } = shape;
  let { row } = from;
  for await (const { record, info } of records(file, csvOptions(delimiter), from.bytes, from.line)) {
    const at = { row, line: from.line + info.lines, bytes: from.bytes + info.bytes };
    row += 1;
    if (record.length === columns.length) {
      yield { ...at, cells: Object.fromEntries(columns.map((name, index) => [name, record[index] ?? ""])) };
    } else {
      yield {
        ...at,
        fault: `it has ${record.length} cells, and the first line names ${columns.length} columns`,
      };
    }
  }
}

interface CsvRecord {
  readonly record: readonly string[];
  /** Of the part that is read: bytes and lines up to the record's end. */
  readonly info: { readonly bytes: number; readonly lines: number };
}

/** @throws FileFault where the quotes of the file cannot be followed: what comes after is anybody's guess */
async function* records(file: string, options: Options, start: number, lines = 0): AsyncGenerator<CsvRecord> {
  const parser = parse(options);
  // Closes the file too when the reader goes away, and hands its errors on.
  pipeline(createReadStream(file, { start }), parser, () => undefined);
  try {
    for await (const each of parser) yield each as CsvRecord;
  } catch (error) {
    if (error instanceof Error && "code" in error && String(error.code).startsWith("CSV_")) {
      const at = "lines" in error && typeof error.lines === "number" ? lines + error.lines : undefined;
      throw new FileFault(error.message.replace(/ at line \d+/, ""), at);
    }
    throw error;
  }
}

async function* readNdjson(file: string, from: FilePosition): AsyncGenerator<SourceRow> {
  let { row, line } = from;
  const stream = createReadStream(file, { start: from.bytes });
  for await (const { bytes: end, text } of linesOf(stream, line_bytes_max)) {
    line += 1;
    if (text?.trim() === "") continue;
    const at = { row, line, bytes: from.bytes + end };
    row += 1;
    if (text === undefined) yield { ...at, fault: "the line is over 1 MiB" };
    else yield { ...at, text: line === 1 && text.startsWith("\ufeff") ? text.slice(1) : text };
  }
}

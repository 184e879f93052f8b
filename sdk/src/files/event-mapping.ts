import type { UsageEvent } from "../events.js";
import { findChangedNumber } from "./changed-number.js";
import { FileFault, MappingFault } from "./file-fault.js";
import type { FileShape, SourceRow } from "./source-rows.js";
import { compileTemplate, readCell, readTime, type Template } from "./template.js";

/** How rows become events: texts with {column} places. What is left out has a default, or comes from the row. */
export interface MappingOptions {
  /** The file's name: part of the default ids, which must stay the same when an import is begun anew under another name. */
  readonly dataSet: string;
  readonly id?: string | undefined;
  readonly source?: string | undefined;
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  readonly time?: string | undefined;
  /** "name=template" each. */
  readonly data: readonly string[];
  /** Every row becomes one event for each of these; {subject} names it. */
  readonly forEachSubject: readonly string[];
}

/** Makes the events of one row. @throws FileFault that names the line when the row makes none */
export type EventMapping = (row: SourceRow) => UsageEvent[];

/** The mapping of a file's rows. @throws MappingFault for what it lacks */
export function mapRows(
  options: MappingOptions,
  { format, columns }: Pick<FileShape, "format" | "columns">,
): EventMapping {
  const mapping = format === "csv" ? mapCsv(options, columns) : mapNdjson(options);
  return (row) => {
    if (row.fault !== undefined) throw new FileFault(row.fault, row.line);
    return mapping(row);
  };
}

function mapCsv(options: MappingOptions, columns: readonly string[]): EventMapping {
  const places = new Set([...columns, "row", ...(options.forEachSubject.length > 0 ? ["subject"] : [])]);
  const { type: type_, time: time_ } = options;
  if (type_ === undefined) throw missing("type", "the type of the events, such as llm.request");
  if (time_ === undefined) throw missing("time", `the column of the time, such as {${columns[0]}}`);
  const subject_ = options.subject ?? (places.has("subject") ? "{subject}" : undefined);
  if (subject_ === undefined) throw missing("subject", "whose usage it is, such as {account}");
  const id = compileTemplate("id", options.id ?? defaultId(options), places);
  const source = compileTemplate("source", options.source ?? `import/${options.dataSet}`, places);
  const type = compileTemplate("type", type_, places);
  const subject = compileTemplate("subject", subject_, places);
  const time = compileTemplate("time", time_, places);
  const data = options.data.length > 0 ? readDataOptions(options.data, places) : everyColumn(columns);
  const subjects = options.forEachSubject.length > 0 ? options.forEachSubject : [undefined];

  return ({ row, line, cells }) =>
    subjects.map((each) => {
      const values = { ...cells, row: String(row) };
      const at = each === undefined ? values : { ...values, subject: each };
      return {
        id: id(at),
        source: source(at),
        type: type(at),
        subject: subject(at),
        time: readTime(time(at), line),
        data: Object.fromEntries(data.map(([name, template]) => [name, readCell(template(at))])),
      };
    });
}

/** Of lines that are events already: options fill in what a line leaves out. */
function mapNdjson(options: MappingOptions): EventMapping {
  if (options.data.length > 0)
    throw new MappingFault("data", "for CSV only: a line of NDJSON has its own data");
  if (options.forEachSubject.length > 0) throw new MappingFault("forEachSubject", "for CSV only");
  if (options.time !== undefined) throw new MappingFault("time", "for CSV only: an event has its own time");
  const places = new Set(["row"]);
  const id = compileTemplate("id", options.id ?? defaultId(options), places);
  const source = compileTemplate("source", options.source ?? `import/${options.dataSet}`, places);
  return ({ row, line, text = "" }) => {
    const at = { row: String(row) };
    const event: Record<string, unknown> = { id: id(at), source: source(at), ...parseLine(text, line) };
    event["type"] ??= options.type;
    event["subject"] ??= options.subject;
    for (const field of ["type", "subject", "time"] as const) {
      if (typeof event[field] !== "string") {
        const hint = field === "time" ? "" : `, and the mapping gives no ${field}`;
        throw new FileFault(`the event has no "${field}"${hint}`, line);
      }
    }
    return [event as unknown as UsageEvent];
  };
}

function parseLine(text: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FileFault(`not JSON (${String(error)})`, line);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new FileFault("a line must be one event, a JSON object", line);
  const changed = findChangedNumber(text);
  if (changed !== undefined) {
    const detail = `the number ${changed} has more than 15 significant digits, so JSON readers change it; quote it: "${changed}"`;
    throw new FileFault(detail, line);
  }
  return value as Record<string, unknown>;
}

function defaultId(options: MappingOptions): string {
  return options.forEachSubject.length > 0
    ? `${options.dataSet}/{row}/{subject}`
    : `${options.dataSet}/{row}`;
}

function readDataOptions(
  options: readonly string[],
  places: ReadonlySet<string>,
): (readonly [string, Template])[] {
  return options.map((option) => {
    const at = option.indexOf("=");
    if (at < 1) throw new MappingFault("data", `"${option}" is not name=value, such as tokens={Tokens}`);
    return [option.slice(0, at), compileTemplate("data", option.slice(at + 1), places)] as const;
  });
}

function everyColumn(columns: readonly string[]): (readonly [string, Template])[] {
  return columns.map((name) => [name, (row) => row[name] ?? ""] as const);
}

function missing(option: string, what: string): MappingFault {
  return new MappingFault(option, `needed: ${what}`);
}

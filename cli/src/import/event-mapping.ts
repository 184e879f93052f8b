import type { UsageEvent } from "@weir/sdk";
import { UsageError } from "../context.js";
import { compileTemplate, readCell, readTime, type Template } from "../template.js";
import type { SourceRow } from "./source-rows.js";

/** How rows become events: texts with {column} places. What is left out has a default, or comes from the row. */
export interface MappingOptions {
  /** The file's name: part of the default ids, which must stay the same when an import is begun anew under another name. */
  readonly dataSet: string;
  readonly id?: string;
  readonly source?: string;
  readonly type?: string;
  readonly subject?: string;
  readonly time?: string;
  /** "name=template" each. */
  readonly data: readonly string[];
  /** Every row becomes one event for each of these; {subject} names it. */
  readonly forEachSubject: readonly string[];
}

/** Makes the events of one row. @throws UsageError that names the line when the row makes none */
export type EventMapping = (row: SourceRow) => UsageEvent[];

/** The mapping of a CSV file with these columns. @throws UsageError for what it lacks */
export function mapCsv(options: MappingOptions, columns: readonly string[]): EventMapping {
  const places = new Set([...columns, "row", ...(options.forEachSubject.length > 0 ? ["subject"] : [])]);
  const { type: type_, time: time_ } = options;
  if (type_ === undefined) throw missing("--type", "the type of the events, such as --type llm.request");
  if (time_ === undefined)
    throw missing("--time", `the column of the time, such as --time "{${columns[0]}}"`);
  const subject_ = options.subject ?? (places.has("subject") ? "{subject}" : undefined);
  if (subject_ === undefined) {
    throw missing("--subject", 'whose usage it is, such as --subject "{account}" or --for-each-subject a,b');
  }
  const id = compileTemplate("--id", options.id ?? defaultId(options), places);
  const source = compileTemplate("--source", options.source ?? `import/${options.dataSet}`, places);
  const type = compileTemplate("--type", type_, places);
  const subject = compileTemplate("--subject", subject_, places);
  const time = compileTemplate("--time", time_, places);
  const data = options.data.length > 0 ? readDataOptions(options.data, places) : everyColumn(columns);
  const subjects = options.forEachSubject.length > 0 ? options.forEachSubject : [undefined];

  return ({ row, line, cells }) =>
    subjects.map((each) => {
      const values = { ...(cells as Record<string, string>), row: String(row) };
      const at = each === undefined ? values : { ...values, subject: each };
      return {
        id: id(at),
        source: source(at),
        type: type(at),
        subject: subject(at),
        time: readTime(time(at), `line ${line}`),
        data: Object.fromEntries(data.map(([name, template]) => [name, readCell(template(at))])),
      };
    });
}

/** The mapping of lines that are events already: options fill in what a line leaves out. */
export function mapNdjson(options: MappingOptions): EventMapping {
  if (options.data.length > 0) throw new UsageError("--data is for CSV: a line of NDJSON has its own data");
  if (options.forEachSubject.length > 0) throw new UsageError("--for-each-subject is for CSV");
  if (options.time !== undefined) throw new UsageError("--time is for CSV: an event has its own time");
  const places = new Set(["row"]);
  const id = compileTemplate("--id", options.id ?? defaultId(options), places);
  const source = compileTemplate("--source", options.source ?? `import/${options.dataSet}`, places);
  return ({ row, line, cells }) => {
    const at = { row: String(row) };
    const event: Record<string, unknown> = { id: id(at), source: source(at), ...cells };
    event["type"] ??= options.type;
    event["subject"] ??= options.subject;
    for (const field of ["type", "subject", "time"] as const) {
      if (typeof event[field] !== "string") {
        const hint = field === "time" ? "" : `, and there is no --${field}`;
        throw new UsageError(`line ${line}: the event has no "${field}"${hint}`);
      }
    }
    return [event as unknown as UsageEvent];
  };
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
    if (at < 1) throw new UsageError(`--data ${option}: write name=value, such as --data "tokens={Tokens}"`);
    return [option.slice(0, at), compileTemplate("--data", option.slice(at + 1), places)] as const;
  });
}

function everyColumn(columns: readonly string[]): (readonly [string, Template])[] {
  return columns.map((name) => [name, (row) => row[name] ?? ""] as const);
}

function missing(option: string, what: string): UsageError {
  return new UsageError(`${option} is needed: ${what}`);
}

import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { type Command, Option } from "commander";
import {
  formatOf,
  mapRows,
  openRows,
  type EventMapping,
  type MappingOptions,
  type SourceFormat,
  type SourceRow,
} from "@weir/sdk/files";
import type { CliContext } from "../context.js";
import { contextOf, UsageError } from "../context.js";
import { printImport } from "../import-text.js";
import { runImport } from "../import/run-import.js";
import { uploadFile } from "../import/upload-file.js";
import { collect, readCount } from "../options.js";
import { printJson } from "../print.js";

interface ImportOptions {
  readonly name?: string;
  readonly format?: SourceFormat;
  readonly id?: string;
  readonly source?: string;
  readonly type?: string;
  readonly subject?: string;
  readonly time?: string;
  readonly data?: readonly string[];
  readonly forEachSubject?: string;
  readonly chunk: number;
  readonly dryRun?: boolean;
  readonly server?: boolean;
}

const events_per_request_max = 10_000;
const shown_dry = 3;

export function addEventImportCommand(events: Command): void {
  events
    .command("import")
    .argument("<file>", "CSV with a line of column names, or NDJSON with one event a line")
    .description("import usage of any age, exactly once; run it again to go on where it stopped")
    .option("--name <name>", "the import's name; the file's when left out")
    .addOption(
      new Option("--format <format>", "when the file's name does not tell").choices(["csv", "ndjson"]),
    )
    .option("--type <text>", "the events' type")
    .option("--subject <text>", "whose usage a row is, such as {account}")
    .option("--time <text>", "a row's time, such as {TIMESTAMP}; UTC unless it says otherwise")
    .option(
      "--data <name=text>",
      "a property of data, such as tokens={Tokens}; all columns when left out",
      collect,
    )
    .option("--id <text>", "identifies the event; FILE/{row} when left out")
    .option("--source <text>", "the events' source; import/FILE when left out")
    .option("--for-each-subject <a,b|@file>", "one event a row for each of these; {subject} names it")
    .option("--chunk <events>", "events of one request, at most", readCount, 5000)
    .option(
      "--server",
      "upload the file and let Weir take it in: goes on without this command, and past bad lines",
    )
    .option("--dry-run", "read the whole file and show the first events, but send nothing")
    .addHelpText(
      "after",
      `
Texts have {column} places; {row} is the row's number from 0. For example:

  weir events import llm.csv --type llm.request --time "{TIMESTAMP}" --subject "{account}" \\
    --data "input={ContextTokens}" --data "output={GeneratedTokens}"`,
    )
    .action(async (file: string, options: ImportOptions, command: Command) => {
      if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
        throw new UsageError(`there is no file ${file}`);
      const context = contextOf(command);
      const format = options.format ?? formatOf(file);
      const mappingOptions = mappingOptionsOf(file, options);
      const { shape, rows } = await openRows(file, format);
      const mapping = mapRows(mappingOptions, shape);
      if (options.dryRun === true) return showDryRun(context, rows(), mapping);
      if (options.server === true)
        return importByServer(context, file, { ...options, format }, mappingOptions);
      if (options.chunk > events_per_request_max)
        throw new UsageError(`--chunk is ${events_per_request_max} at most`);
      const perRow = Math.max(1, mappingOptions.forEachSubject.length);
      const done = await runImport(context, {
        name: options.name ?? mappingOptions.dataSet,
        file,
        mappingText: JSON.stringify({ format, ...mappingOptions }),
        rows: rows(),
        mapping,
        chunkEvents: Math.max(perRow, options.chunk),
      });
      if (context.json) printJson(context, done);
      else printImport(context, done);
    });
}

/** @throws Error when it does not come to the file's end */
async function importByServer(
  context: CliContext,
  file: string,
  options: ImportOptions & { readonly format: SourceFormat },
  { dataSet, ...mapping }: MappingOptions,
): Promise<void> {
  const contentType =
    options.format === "ndjson"
      ? "application/x-ndjson"
      : /\.tsv$/i.test(file)
        ? "text/tab-separated-values"
        : "text/csv";
  const upload = { name: options.name ?? dataSet, file: dataSet, contentType, ...mapping } as const;
  const done = await uploadFile(context, file, upload);
  const details = await context.weir.imports.get(done.id);
  if (context.json) printJson(context, details);
  else printImport(context, details, details);
  if (details.status !== "completed") throw new Error(`the import is ${details.status}`);
}

function mappingOptionsOf(file: string, options: ImportOptions): MappingOptions {
  const { id, source, type, subject, time } = options;
  const forEachSubject = readSubjects(options.forEachSubject);
  if (forEachSubject.length > events_per_request_max) {
    throw new UsageError(`--for-each-subject takes ${events_per_request_max} subjects at most`);
  }
  return {
    dataSet: path.basename(file),
    ...(id === undefined ? {} : { id }),
    ...(source === undefined ? {} : { source }),
    ...(type === undefined ? {} : { type }),
    ...(subject === undefined ? {} : { subject }),
    ...(time === undefined ? {} : { time }),
    data: options.data ?? [],
    forEachSubject,
  };
}

function readSubjects(text: string | undefined): string[] {
  if (text === undefined) return [];
  const raw = text.startsWith("@") ? readFileSync(text.slice(1), "utf8").split(/\r?\n/) : text.split(",");
  const subjects = raw.map((each) => each.trim()).filter((each) => each !== "");
  if (new Set(subjects).size < subjects.length)
    throw new UsageError("--for-each-subject names a subject twice");
  return subjects;
}

async function showDryRun(
  context: CliContext,
  source: AsyncIterable<SourceRow>,
  mapping: EventMapping,
): Promise<void> {
  const first = [];
  let rows = 0;
  let events = 0;
  for await (const row of source) {
    const made = mapping(row);
    rows += 1;
    events += made.length;
    if (first.length < shown_dry) first.push(...made.slice(0, shown_dry - first.length));
  }
  if (context.json) return printJson(context, { rows, events, first });
  for (const event of first) context.out.write(`${JSON.stringify(event)}\n`);
  context.out.write(`${rows} rows would become ${events} events. Nothing was sent.\n`);
}

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { type Command, Option } from "commander";
import type { CliContext } from "../context.js";
import type { UsageEvent } from "@weir/sdk";
import { findChangedNumber } from "@weir/sdk/files";
import { contextOf, UsageError } from "../context.js";
import { readCount, readInstant, readJson, readTextOrFile } from "../options.js";
import { printFields, printJson, printTable, visible } from "../print.js";
import { addEventImportCommand } from "./event-import.js";

interface SendOptions {
  readonly type?: string;
  readonly subject?: string;
  readonly data?: string;
  readonly id?: string;
  readonly source?: string;
  readonly time?: string;
}

interface ListOptions {
  readonly from?: string;
  readonly to?: string;
  readonly type?: string;
  readonly subject?: string;
  readonly source?: string;
  readonly id?: string;
  readonly limit: number;
}

interface CorrectionOptions {
  readonly source: string;
  readonly id: string;
  readonly reason: string;
}

interface AmendOptions extends CorrectionOptions {
  readonly type?: string;
  readonly subject?: string;
  readonly time?: string;
  readonly data?: string;
}

const page_max = 1000;

export function addEventCommands(program: Command): void {
  const events = program.command("events").description("usage events: import, send, list, correct");
  addEventImportCommand(events);

  events
    .command("send")
    .argument("[file]", "NDJSON, a JSON array or one JSON event; - is standard input")
    .description("send events, from a file or one from the options")
    .option("--type <type>", "the event's type")
    .option("--subject <subject>", "whose usage it is")
    .option("--data <json>", 'such as {"tokens": 12}; @FILE reads a file')
    .option("--id <id>", "identifies the event together with its source; random when left out")
    .option("--source <source>", "where it comes from; this machine when left out")
    .option("--time <instant>", "the server's clock when left out", readInstant)
    .action(async (file: string | undefined, options: SendOptions, command: Command) => {
      const context = contextOf(command);
      const receipt = await context.weir.events.send(
        file === undefined ? [oneEvent(options)] : readFileEvents(file),
      );
      if (context.json) return printJson(context, receipt);
      const { accepted, duplicates, conflicting, unmetered } = receipt;
      printFields(context, [
        ["accepted", String(accepted)],
        ["duplicates", duplicates === 0 ? "" : `${duplicates} (already there, counted once)`],
        [
          "conflicting",
          conflicting === 0 ? "" : `${conflicting} (same source and id, other content: not taken)`,
        ],
        ["unmetered", unmetered === 0 ? "" : `${unmetered} (kept, but no meter counts them)`],
      ]);
      for (const { id, source } of (receipt.conflicts ?? []).slice(0, 20))
        context.out.write(`  conflict ${visible(source)} ${visible(id)}\n`);
      for (const { index, reason } of (receipt.unmeteredEvents ?? []).slice(0, 20)) {
        context.out.write(`  event ${index}: ${reason}\n`);
      }
    });

  events
    .command("list")
    .description("what arrived, newest first")
    .option("--from <instant>", "2026-01-31, RFC 3339, or 7d for seven days ago", readInstant)
    .option("--to <instant>", "exclusive", readInstant)
    .option("--type <type>")
    .option("--subject <subject>")
    .option("--source <source>")
    .option("--id <id>")
    .option("--limit <count>", "at most this many", readCount, 50)
    .action(async (options: ListOptions, command: Command) => {
      const context = contextOf(command);
      const { limit, ...filter } = options;
      const found = [];
      let after: string | null = null;
      do {
        const page = await context.weir.events.list({
          ...filter,
          limit: Math.min(page_max, limit - found.length),
          ...(after === null ? {} : { after }),
        });
        found.push(...page.events);
        after = page.next;
      } while (after !== null && found.length < limit);
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["TIME", "TYPE", "SUBJECT", "SOURCE", "ID", "DATA"],
        found.map((event) => [
          event.time ?? "",
          event.type,
          event.subject,
          event.source,
          `${event.id}${event.voided ? " (void)" : event.revision > 0 ? ` (revision ${event.revision})` : ""}`,
          shorten(JSON.stringify(event.data) ?? ""),
        ]),
        "No events. Send one: weir events send --type test --subject me --data '{\"units\": 1}'",
      );
    });

  correctionCommand(events, "void", "say that an event does not count; it stays as evidence").action(
    async (options: CorrectionOptions, command: Command) => {
      const context = contextOf(command);
      const { source, id, reason } = options;
      printCorrection(context, await context.weir.events.void({ source, id, reason }));
    },
  );

  correctionCommand(events, "amend", "replace an event by a corrected revision; the first stays as evidence")
    .option("--type <type>")
    .option("--subject <subject>")
    .option("--time <instant>", "", readInstant)
    .option("--data <json>", "the whole new data; @FILE reads a file")
    .action(async (options: AmendOptions, command: Command) => {
      const context = contextOf(command);
      const { source, id, reason, data, type, subject, time } = options;
      const change = {
        ...(type === undefined ? {} : { type }),
        ...(subject === undefined ? {} : { subject }),
        ...(time === undefined ? {} : { time }),
        ...(data === undefined ? {} : { data: readData(data) }),
      };
      if (Object.keys(change).length === 0)
        throw new UsageError("say what changes: --data, --subject, --type or --time");
      printCorrection(context, await context.weir.events.amend({ source, id, reason, change }));
    });
}

function correctionCommand(events: Command, name: string, description: string): Command {
  return events
    .command(name)
    .description(description)
    .addOption(new Option("--source <source>", "the event's source").makeOptionMandatory())
    .addOption(new Option("--id <id>", "the event's id").makeOptionMandatory())
    .addOption(new Option("--reason <text>", "why, kept with the record").makeOptionMandatory());
}

function printCorrection(
  context: CliContext,
  done: { action: string; source: string; id: string; revision: number; notice?: string },
): void {
  if (context.json) return printJson(context, done);
  context.out.write(`${done.action} ${done.source} ${done.id} (revision ${done.revision})\n`);
  if (done.notice !== undefined) context.err.write(`${done.notice}\n`);
}

function oneEvent(options: SendOptions): UsageEvent {
  const { type, subject, data, time } = options;
  if (type === undefined) throw new UsageError("give a file, or --type and --subject for one event");
  if (subject === undefined) throw new UsageError("--subject is needed: whose usage it is");
  return {
    id: options.id ?? randomUUID(),
    source: options.source ?? `cli/${hostname()}`,
    type,
    subject,
    ...(time === undefined ? {} : { time }),
    ...(data === undefined ? {} : { data: readData(data) }),
  };
}

function readData(text: string): unknown {
  return readSafeJson("--data", readTextOrFile("--data", text));
}

function readFileEvents(file: string): UsageEvent[] {
  const text = readTextOrFile("file", file === "-" ? "-" : `@${file}`).trim();
  if (text === "") throw new UsageError(`${file} is empty`);
  try {
    const whole: unknown = readSafeJson(file, text);
    return (Array.isArray(whole) ? whole : [whole]) as UsageEvent[];
  } catch (error) {
    if (!text.includes("\n")) throw error;
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
    return lines.map((line, index) => readSafeJson(`${file}, event ${index + 1}`, line) as UsageEvent);
  }
}

function readSafeJson(where: string, text: string): unknown {
  const value = readJson(where, text);
  const changed = findChangedNumber(text);
  if (changed === undefined) return value;
  throw new UsageError(`${where}: quote the number ${changed}: it has more digits than JSON readers keep`);
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

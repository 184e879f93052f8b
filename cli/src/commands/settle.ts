import { statSync } from "node:fs";
import path from "node:path";
import type { SettlementFile } from "@weir/sdk";
import { type Command, Option } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { type ShownMoney as Money } from "../money-text.js";
import { followFile, landFile } from "../import/land-file.js";
import { mutate } from "../mutate.js";
import { readCount } from "../options.js";
import { grouped, printFields, printJson, printTable } from "../print.js";

interface File {
  readonly id: string;
  readonly account: { readonly key: string };
  readonly name: string;
  readonly state: string;
  readonly format: string | null;
  readonly variant: string | null;
  readonly logicalId: string | null;
  readonly bytes: string;
  readonly recordCount: number;
  readonly repeatedCount: number;
  readonly matchedCount: number;
  readonly unmatchedCount: number;
  readonly postedCount: number;
  readonly period: { readonly start: string; readonly end: string } | null;
  readonly totals: readonly {
    readonly currency: string;
    readonly records: number;
    readonly gross: Money;
    readonly fee: Money;
    readonly net: Money;
  }[];
  readonly checks: readonly {
    readonly name: string;
    readonly expected: string;
    readonly found: string;
    readonly ok: boolean;
  }[];
  readonly refusal: SettlementFile["refusal"];
  readonly waiver: string | null;
  readonly run: string | null;
  readonly failure: string | null;
  readonly landedAt: string;
  readonly endedAt: string | null;
}

interface SettlementRecord {
  readonly position: number;
  readonly line: number | null;
  readonly kind: string;
  readonly gross: Money;
  readonly fee: Money | null;
  readonly at: string;
  readonly references: readonly string[];
  readonly parts: readonly {
    readonly effect: string;
    readonly rule: string;
    readonly amount: Money;
    readonly target: string | null;
    readonly note: string | null;
  }[];
}

const money = "{ amount currency }";
const listed = `id account { key } name state format recordCount repeatedCount matchedCount unmatchedCount postedCount landedAt`;
const selection = `${listed} variant logicalId bytes period { start end } totals { currency records gross ${money} fee ${money} net ${money} } checks { name expected found ok } refusal { line record field detail advice } waiver run failure endedAt`;
const states = ["landed", "parsing", "staged", "matched", "posted", "held", "refused", "discarding"];

export function addSettleCommands(program: Command): void {
  const settle = program
    .command("settle")
    .description("settlement files of providers, card schemes and banks");

  settle
    .command("import")
    .argument("<file...>", "a provider's report, a scheme's clearing file, a bank's statement")
    .requiredOption("--account <idOrKey>", "whose files they are")
    .option("--format <name>", "when the content does not tell")
    .description(
      "land files, and follow them until they are in the books; the same file again changes nothing",
    )
    .addHelpText(
      "after",
      "\nEnds with exit code 1 when a file is held, refused or stopped. Interrupted, the server goes on.",
    )
    .action(async (files: string[], options: { account: string; format?: string }, command: Command) => {
      for (const file of files)
        if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
          throw new UsageError(`there is no file ${file}`);
      const context = contextOf(command);
      const done = [];
      for (const file of files) {
        const landed = await landFile(context, file, { ...options, name: path.basename(file) });
        done.push(landed);
        if (!context.json) printLanded(context, landed);
      }
      if (context.json) printJson(context, done);
      const failed = done.filter(({ state }) => state !== "posted");
      if (failed.length > 0)
        throw new Error(
          `not in the books: ${failed.map(({ name, state }) => `${name} (${state})`).join(", ")}`,
        );
    });

  settle
    .command("list")
    .option("--account <idOrKey>", "only this account's")
    .addOption(new Option("--state <state>", "only those in this state").choices(states))
    .option("--limit <n>", "at most so many", readCount, 100)
    .description("files, newest first")
    .action(async ({ limit, ...filter }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const files = await nodesOf<File>(
        context,
        `query ($account: String, $state: SettlementFileState, $first: Int, $after: String) { connection: settlementFiles(account: $account, state: $state, first: $first, after: $after) { nodes { ${listed} } pageInfo { hasNextPage endCursor } } }`,
        filter,
        limit,
      );
      if (context.json) return printJson(context, files);
      printTable(
        context,
        ["ID", "ACCOUNT", "NAME", "FORMAT", "STATE", "RECORDS", "REPEATED", "UNMATCHED", "LANDED"],
        files.map((file) => [
          file.id,
          file.account.key,
          file.name,
          file.format ?? "",
          file.state,
          String(file.recordCount),
          String(file.repeatedCount),
          String(file.unmatchedCount),
          file.landedAt,
        ]),
        "No files. Land one: weir settle import FILE --account KEY",
      );
    });

  settle
    .command("show")
    .argument("<file>", "its id")
    .description("a file: its totals, its checks, and why it is held or refused")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const { settlementFile } = await context.weir.graphql.run<{ settlementFile: File | null }>(
        `query ($id: ID!) { settlementFile(id: $id) { ${selection} } }`,
        { id },
      );
      if (settlementFile === null)
        throw new UsageError(`there is no settlement file "${id}"; weir settle list`);
      if (context.json) return printJson(context, settlementFile);
      printFile(context, settlementFile);
    });

  settle
    .command("records")
    .argument("<file>", "its id")
    .option("--limit <n>", "at most so many", readCount, 100)
    .description("what a file reports, and what each record turned out to be")
    .action(async (id: string, { limit }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const records = await recordsOf(context, id, limit);
      if (context.json) return printJson(context, records);
      printTable(
        context,
        ["NO", "LINE", "AT", "KIND", "GROSS", "FEE", "CURRENCY", "IS", "OF", "BECAUSE"],
        records.flatMap((record) =>
          record.parts.map((part, index) => [
            index === 0 ? String(record.position) : "",
            index === 0 ? String(record.line ?? "") : "",
            index === 0 ? record.at : "",
            index === 0 ? record.kind : "",
            index === 0 ? grouped(record.gross.amount) : "",
            index === 0 && record.fee !== null ? grouped(record.fee.amount) : "",
            part.amount.currency,
            `${part.effect} ${grouped(part.amount.amount)}`,
            part.target ?? "",
            part.note ?? part.rule,
          ]),
        ),
        "No records: the file is not read yet, or nothing of it is used.",
      );
    });

  decision(
    settle,
    "accept",
    "acceptSettlementFile",
    "have a file that is held posted, whatever is wrong with it",
  );
  decision(settle, "discard", "discardSettlementFile", "give a file up of which nothing is in the books");
  decision(settle, "retry", "retrySettlementFile", "read a file that is held or refused once more").option(
    "--account <idOrKey>",
    "as this account's",
  );
}

function decision(settle: Command, name: string, field: string, description: string): Command {
  return settle
    .command(name)
    .argument("<file>", "its id")
    .requiredOption("--reason <text>", "goes into the audit log")
    .description(description)
    .action(async (id: string, options: { reason: string; account?: string }, command: Command) => {
      const context = contextOf(command);
      const { reason, account } = options;
      await mutate<{ id: string }>(
        context,
        field,
        {
          file: ["ID!", id],
          reason: ["String!", reason],
          ...(name === "retry" ? { account: ["String", account] as const } : {}),
        },
        "{ id }",
      );
      const file = await followFile(context, await context.weir.settlement.get(id));
      if (context.json) printJson(context, file);
      else printLanded(context, { ...file, alreadyLanded: false });
    });
}

interface RecordsPage {
  readonly settlementFile: {
    readonly records: {
      readonly nodes: readonly SettlementRecord[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    };
  } | null;
}

async function recordsOf(context: CliContext, id: string, limit: number): Promise<SettlementRecord[]> {
  const records: SettlementRecord[] = [];
  for (let after: string | null = null; records.length < limit; ) {
    const answer: RecordsPage = await context.weir.graphql.run(
      `query ($id: ID!, $first: Int, $after: String) { settlementFile(id: $id) { records(first: $first, after: $after) {
         nodes { position line kind gross ${money} fee ${money} at references parts { effect rule amount ${money} target note } }
         pageInfo { hasNextPage endCursor } } } }`,
      { id, first: Math.min(100, limit - records.length), after },
    );
    if (answer.settlementFile === null)
      throw new UsageError(`there is no settlement file "${id}"; weir settle list`);
    const { nodes, pageInfo } = answer.settlementFile.records;
    records.push(...nodes);
    if (!pageInfo.hasNextPage) break;
    after = pageInfo.endCursor;
  }
  return records;
}

function printLanded(context: CliContext, file: SettlementFile & { readonly alreadyLanded: boolean }): void {
  const { refusal } = file;
  const where = [
    refusal?.line == null ? undefined : `line ${refusal.line}`,
    refusal?.record == null ? undefined : `record ${refusal.record}`,
    refusal?.field ?? undefined,
  ].filter((part) => part !== undefined);
  printFields(context, [
    ["file", `${file.name} (${file.id}), ${file.state}${file.alreadyLanded ? "; already landed" : ""}`],
    ["format", file.format],
    [
      "records",
      `${file.records}${file.repeated === 0 ? "" : `, ${file.repeated} of them in the books before`}`,
    ],
    [
      "unmatched",
      file.unmatched === 0 ? "" : `${file.unmatched}: weir reconcile exceptions --file ${file.id}`,
    ],
    [
      "refused",
      refusal === null
        ? ""
        : `${where.length === 0 ? "" : `${where.join(", ")}: `}${refusal.detail}. ${refusal.advice}.`,
    ],
    ["held", file.state === "held" ? `weir reconcile exceptions --file ${file.id}` : ""],
    ["stopped", file.failure === null ? "" : `${file.failure} (weir runs show ${file.run ?? ""})`],
  ]);
}

function printFile(context: CliContext, file: File): void {
  const { refusal, checks } = file;
  const failed = checks.filter(({ ok }) => !ok);
  printFields(context, [
    ["id", file.id],
    ["account", file.account.key],
    ["name", file.name],
    ["state", file.state],
    ["format", file.format === null ? "" : `${file.format} (${file.variant ?? ""})`],
    ["sender's name", file.logicalId],
    ["bytes", grouped(file.bytes)],
    ["records", String(file.recordCount)],
    ["repeated", file.repeatedCount === 0 ? "" : String(file.repeatedCount)],
    ["unmatched", file.unmatchedCount === 0 ? "" : String(file.unmatchedCount)],
    ["period", file.period === null ? "" : `${file.period.start} – ${file.period.end}`],
    [
      "checks",
      checks.length === 0
        ? "none in this format"
        : `${checks.length - failed.length} of ${checks.length} hold`,
    ],
    ["refused", refusal === null ? "" : `${refusal.detail}. ${refusal.advice}.`],
    ["accepted", file.waiver],
    ["run", file.run],
    ["stopped", file.failure],
    ["landed", file.landedAt],
    ["ended", file.endedAt],
  ]);
  if (file.totals.length > 0) {
    context.out.write("\n");
    printTable(
      context,
      ["CURRENCY", "RECORDS", "GROSS", "FEE", "NET"],
      file.totals.map(({ currency, records, gross, fee, net }) => [
        currency,
        String(records),
        grouped(gross.amount),
        grouped(fee.amount),
        grouped(net.amount),
      ]),
      "",
    );
  }
  if (failed.length > 0) {
    context.out.write("\n");
    printTable(
      context,
      ["CHECK", "EXPECTED", "FOUND"],
      failed.map(({ name, expected, found }) => [name, expected, found]),
      "",
    );
  }
}

import { randomUUID } from "node:crypto";
import type { PaymentBatch, PaymentBatchItem } from "@weir/sdk";
import { type Command, Option } from "commander";
import { take } from "../all-nodes.js";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { moneyText } from "../money-text.js";
import { readCount } from "../options.js";
import { printFields, printJson, printTable } from "../print.js";
import { saveStream } from "../save-stream.js";

const wait_ms_max = 60_000;
const ask_every_ms = 250;

/** What goes out by files: charges and refunds to an acquirer, refunds of transfers to a bank. */
export function addPaymentBatchCommands(payments: Command): void {
  const batches = payments
    .command("batches")
    .description("what goes out by files: to an acquirer, or to a bank");

  batches
    .command("list")
    .option("--account <idOrKey>", "only this account's")
    .addOption(new Option("--state <state>", "only those").choices(["open", "closing", "closed"]))
    .option("--limit <n>", "at most so many", readCount, 100)
    .description("batches, oldest first")
    .action(
      async (
        { limit, ...filter }: { account?: string; state?: PaymentBatch["state"]; limit: number },
        command: Command,
      ) => {
        const context = contextOf(command);
        const found = await take(context.weir.paymentBatches.list(filter), limit);
        if (context.json) return printJson(context, found);
        printBatches(context, found, "No batches: nothing was ever to go out by a file.");
      },
    );

  batches
    .command("show")
    .argument("<batch>", "pbt_…")
    .option("--limit <n>", "at most so many items", readCount, 100)
    .description("a batch and what is in it")
    .action(async (id: string, { limit }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const batch = await mustFind(context, id);
      const items = await take(context.weir.paymentBatches.items(id), limit);
      if (context.json) return printJson(context, { ...batch, items });
      printBatch(context, batch);
      context.out.write("\n");
      printItems(context, items);
    });

  batches
    .command("close")
    .argument("<account>", "a provider account's id or key")
    .option("--out <file>", "save the file there; - is standard output")
    .option("--download", "save the file under its own name in this folder")
    .description("close the open batch of an account now, and wait for its file")
    .action(async (account: string, options: { out?: string; download?: true }, command: Command) => {
      const context = contextOf(command);
      const begun = await context.weir.paymentBatches.close(account, { idempotencyKey: randomUUID() });
      const batch = await made(context, begun);
      if (options.out !== undefined || options.download === true)
        await saveStream(context, await context.weir.paymentBatches.download(batch), options.out);
      if (options.out === "-") return;
      if (context.json) return printJson(context, batch);
      printBatch(context, batch);
    });

  batches
    .command("download")
    .argument("<batch>", "pbt_…")
    .option("--out <file>", "where to; - is standard output, its name in this folder when left out")
    .description("the file of a closed batch: the same bytes each time")
    .action(async (id: string, { out }: { out?: string }, command: Command) => {
      const context = contextOf(command);
      const batch = await mustFind(context, id);
      await saveStream(context, await context.weir.paymentBatches.download(batch), out);
    });
}

async function mustFind(context: CliContext, id: string): Promise<PaymentBatch> {
  const batch = await context.weir.paymentBatches.find(id);
  if (batch === null) throw new UsageError(`there is no batch "${id}"; weir payments batches list`);
  return batch;
}

/** The batch once its file is made. */
async function made(context: CliContext, begun: PaymentBatch): Promise<PaymentBatch> {
  const end = Date.now() + wait_ms_max;
  for (let batch = begun; ; batch = await mustFind(context, begun.id)) {
    if (batch.state === "closed") return batch;
    if (Date.now() > end)
      throw new Error(`the file of ${batch.id} is not made yet; weir payments batches show ${batch.id}`);
    await new Promise((resolve) => setTimeout(resolve, ask_every_ms));
  }
}

function totalsText({ totals }: PaymentBatch): string {
  return totals.map(({ amount }) => moneyText(amount)).join(" + ");
}

function printBatches(context: CliContext, batches: readonly PaymentBatch[], none: string): void {
  printTable(
    context,
    ["BATCH", "ACCOUNT", "NO", "STATE", "ITEMS", "TOTAL", "CLOSES", "CLOSED", "FILE"],
    batches.map((batch) => [
      batch.id,
      batch.account.key,
      batch.sequence,
      batch.state,
      String(batch.itemCount),
      totalsText(batch),
      batch.closesAt ?? "",
      batch.closedAt ?? "",
      batch.fileName ?? "",
    ]),
    none,
  );
}

function printBatch(context: CliContext, batch: PaymentBatch): void {
  printFields(context, [
    ["batch", batch.id],
    ["account", batch.account.key],
    ["number", batch.sequence],
    ["state", batch.state],
    ["items", String(batch.itemCount)],
    ["total", totalsText(batch)],
    ["closes", batch.closesAt],
    ["closed", batch.closedAt === null ? null : `${batch.closedAt} by ${batch.closedBy ?? ""}`],
    ["file", batch.fileName === null ? null : `${batch.fileName}, ${batch.bytes ?? 0} bytes`],
    ["SHA-256", batch.sha256],
  ]);
}

function printItems(context: CliContext, items: readonly PaymentBatchItem[]): void {
  printTable(
    context,
    ["NO", "ACTION", "REFERENCE", "AMOUNT", "STATE", "OF", "WHICH IS"],
    items.map((item) => {
      const of = item.attempt ?? item.refund ?? item.dispute;
      return [
        item.position === null ? "" : String(item.position),
        item.action,
        item.reference,
        moneyText(item.amount),
        item.state,
        of?.id ?? "",
        of?.state ?? "",
      ];
    }),
    "Nothing waits in it.",
  );
}

import { type Command, Option } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf, UsageError } from "../context.js";
import { mutate } from "../mutate.js";
import { readCount } from "../options.js";
import { printJson, printTable } from "../print.js";
import { accountNamed } from "./provider-accounts.js";

interface ProviderEvent {
  readonly id: string;
  readonly account: { readonly key: string };
  readonly type: string;
  readonly objectId: string;
  readonly state: string;
  readonly note: string | null;
  readonly replays: number;
  readonly receivedAt: string;
}

interface EventOptions {
  readonly account?: string;
  readonly state?: string;
  readonly replay?: string;
  readonly backfill?: true;
  readonly limit: number;
}

const selection =
  "{ id account { key } type objectType objectId state note replays happenedAt receivedAt processedAt }";

export function addProviderEventCommands(payments: Command): void {
  payments
    .command("events")
    .option("--account <account>", "of one provider account, by id or key")
    .addOption(
      new Option("--state <state>", "only those").choices(["pending", "processed", "ignored", "failed"]),
    )
    .option("--replay <event>", "process this one again: what it did before is not done twice")
    .option("--backfill", "take in what the provider lists and never told")
    .option("--limit <n>", "at most so many", readCount, 50)
    .description("what providers told Weir, newest first")
    .action(async (options: EventOptions, command: Command) => {
      const context = contextOf(command);
      const { account, state, replay, backfill, limit } = options;
      if (replay !== undefined && backfill === true)
        throw new UsageError("give --replay or --backfill, not both");
      if (replay !== undefined) {
        const args = {
          account: ["String!", await accountNamed(context, account)],
          event: ["ID!", replay],
        } as const;
        const event = await mutate<ProviderEvent>(context, "replayProviderEvent", args, selection);
        if (context.json) printJson(context, event);
        else
          context.out.write(`${event.id} is processed again; weir payments events shows what comes of it\n`);
        return;
      }
      if (backfill === true) {
        const args = { account: ["String!", await accountNamed(context, account)] } as const;
        const done = await mutate<{ taken: number }>(context, "backfillProviderEvents", args, "{ taken }");
        if (context.json) printJson(context, done);
        else context.out.write(`${done.taken} events had never come\n`);
        return;
      }
      const events = await nodesOf<ProviderEvent>(
        context,
        `query ($account: String, $state: ProviderEventState, $first: Int, $after: String) { connection: providerEvents(account: $account, state: $state, first: $first, after: $after) { nodes ${selection} pageInfo { hasNextPage endCursor } } }`,
        { account, state },
        limit,
      );
      if (context.json) return printJson(context, events);
      printTable(
        context,
        ["RECEIVED", "EVENT", "ACCOUNT", "TYPE", "OBJECT", "STATE", "REPLAYS", "WHAT CAME OF IT"],
        events.map((event) => [
          event.receivedAt,
          event.id,
          event.account.key,
          event.type,
          event.objectId,
          event.state,
          event.replays === 0 ? "" : String(event.replays),
          event.note ?? "",
        ]),
        "No events. The provider sends them to the address that weir payments accounts shows.",
      );
    });
}

import type { Money } from "@weir/sdk";
import { type Command, Option } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf } from "../context.js";
import { readCount } from "../options.js";
import { printTotals } from "../payment-text.js";
import { grouped, printJson, printTable } from "../print.js";

interface Payout {
  readonly id: string;
  readonly account: { readonly key: string };
  readonly providerRef: string;
  readonly amount: Money;
  readonly state: string;
  readonly failure: string | null;
  readonly arrivesOn: string | null;
  readonly receivedAt: string | null;
  readonly createdAt: string;
}

interface ListOptions {
  readonly account?: string;
  readonly state?: string;
  readonly limit: number;
}

const selection =
  "{ id account { key } providerRef amount { amount currency minor } state failure arrivesOn receivedAt createdAt }";

export function addPayoutCommands(program: Command): void {
  program
    .command("payouts")
    .description("what providers send to the bank")
    .command("list")
    .option("--account <account>", "of one provider account, by id or key")
    .addOption(
      new Option("--state <state>", "only those").choices([
        "pending",
        "in_transit",
        "paid",
        "failed",
        "canceled",
      ]),
    )
    .option("--limit <n>", "at most so many", readCount, 100)
    .description("payouts, oldest first")
    .action(async ({ limit, ...filter }: ListOptions, command: Command) => {
      const context = contextOf(command);
      const payouts = await nodesOf<Payout>(
        context,
        `query ($account: String, $state: PayoutState, $first: Int, $after: String) { connection: payouts(account: $account, state: $state, first: $first, after: $after) { nodes ${selection} pageInfo { hasNextPage endCursor } } }`,
        filter,
        limit,
      );
      if (context.json) return printJson(context, payouts);
      printTable(
        context,
        [
          "PAYOUT",
          "ACCOUNT",
          "STATE",
          "AMOUNT",
          "CURRENCY",
          "ARRIVES",
          "ON THE STATEMENT",
          "PROVIDER'S ID",
          "FAILURE",
        ],
        payouts.map((payout) => [
          payout.id,
          payout.account.key,
          payout.state,
          grouped(payout.amount.amount),
          payout.amount.currency,
          payout.arrivesOn ?? "",
          payout.receivedAt ?? "",
          payout.providerRef,
          payout.failure ?? "",
        ]),
        "No payouts. The provider makes them, and tells of them by webhook.",
      );
      const sent = payouts.filter(({ state }) => state !== "failed" && state !== "canceled");
      printTotals(
        context,
        "sent",
        sent.map(({ amount }) => amount),
      );
    });
}

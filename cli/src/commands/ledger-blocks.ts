import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf } from "../context.js";
import { readCount } from "../options.js";
import { printJson, printTable } from "../print.js";

interface Block {
  readonly number: number;
  readonly postings: number;
  readonly transfers: number;
  readonly firstPostedAt: string;
  readonly lastPostedAt: string;
  readonly hash: string;
}

interface VerificationPart {
  readonly stage: string;
  readonly blocksInAll: number;
  readonly blocks: number;
  readonly postings: number;
  readonly accounts: number;
  readonly fault: {
    readonly kind: string;
    readonly message: string;
    readonly block: number | null;
    readonly posting: string | null;
    readonly position: number | null;
    readonly account: string | null;
  } | null;
  readonly next: string | null;
}

const verification =
  "query ($after: String) { part: ledgerVerification(after: $after) { stage blocksInAll blocks postings accounts fault { kind message block posting position account } next } }";

export function addLedgerBlockCommands(ledger: Command): void {
  ledger
    .command("blocks")
    .option("--limit <n>", "at most so many", readCount, 20)
    .description(
      "sealed blocks with their hashes, newest first; keep a hash elsewhere to prove what was there",
    )
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const blocks = await nodesOf<Block>(
        context,
        "query ($first: Int, $after: String) { connection: ledgerBlocks(first: $first, after: $after) { nodes { number postings transfers firstPostedAt lastPostedAt previous hash sealedAt } pageInfo { hasNextPage endCursor } } }",
        {},
        limit,
      );
      if (context.json) return printJson(context, blocks);
      printTable(
        context,
        ["BLOCK", "POSTINGS", "TRANSFERS", "FROM", "TO", "HASH"],
        blocks.map(({ number, postings, transfers, firstPostedAt, lastPostedAt, hash }) => [
          String(number),
          String(postings),
          String(transfers),
          firstPostedAt,
          lastPostedAt,
          hash,
        ]),
        "Nothing is sealed yet: a block is sealed when it is full, or after five minutes.",
      );
    });

  ledger
    .command("verify")
    .description("compute the books anew: hashes, sums, balances; exit code 1 naming the first bad row")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const done = { blocks: 0, postings: 0, accounts: 0 };
      let part: VerificationPart | undefined;
      do {
        const asked: { readonly part: VerificationPart } = await context.weir.graphql.run(verification, {
          after: part?.next,
        });
        part = asked.part;
        done.blocks += part.blocks;
        done.postings += part.postings;
        done.accounts += part.accounts;
        if (part.next !== null)
          context.err.write(
            `${part.stage}: ${done.blocks} of ${part.blocksInAll} blocks, ${done.postings} postings, ${done.accounts} accounts\n`,
          );
      } while (part.next !== null);
      const { fault } = part;
      if (context.json) printJson(context, { ...done, fault });
      if (fault !== null) throw new Error(`the books were changed: ${fault.message}`);
      if (!context.json)
        context.out.write(
          `Verified ${done.blocks} blocks, ${done.postings} postings and ${done.accounts} accounts: nothing was changed.\n`,
        );
    });
}

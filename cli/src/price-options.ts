import type { Command } from "commander";
import { UsageError } from "./context.js";
import { collect, readJson, readTextOrFile } from "./options.js";
import { readPrice, type PriceInput } from "./price-text.js";

/** What a version of a plan or an add-on is sold for. */
export interface PriceOptions {
  readonly name?: string;
  readonly currency: string;
  readonly interval?: string;
  readonly price?: readonly string[];
  readonly prices?: string;
}

/** Options that describe prices and what they have in common. */
export function priceOptions(command: Command): Command {
  return command
    .requiredOption("--currency <code>", "ISO 4217, such as USD")
    .option("--name <name>", "the key when left out")
    .option("--interval <interval>", "week, month, quarter or year; month when left out")
    .option("--price <text>", "a price in one line; may be repeated", collect)
    .option("--prices <json>", "prices as in GraphQL's PriceInput; @FILE reads a file")
    .addHelpText(
      "after",
      `
A price is its key, a meter, and an amount, or tiers of UP_TO:AMOUNT[:FLAT]; without a meter it is a fee:

  --price "tokens llm-tokens 0.002 per 1000"
  --price "tokens llm-tokens graduated 1000000:0 10000000:0.5 inf:0.3 per 1000000"
  --price "support flat 250"`,
    );
}

/** @throws UsageError without a price */
export function pricesOf(options: Pick<PriceOptions, "price" | "prices">): readonly unknown[] {
  const lines: PriceInput[] = (options.price ?? []).map(readPrice);
  const given =
    options.prices === undefined ? [] : readJson("--prices", readTextOrFile("--prices", options.prices));
  if (!Array.isArray(given)) throw new UsageError("--prices must be a JSON array of prices");
  const prices = [...lines, ...(given as unknown[])];
  if (prices.length === 0) throw new UsageError("give at least one --price, or --prices");
  return prices;
}

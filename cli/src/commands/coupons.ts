import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf } from "../context.js";
import { mutate } from "../mutate.js";
import { collect, collectList, readCount, readInstant, readPairs } from "../options.js";
import { printJson, printTable } from "../print.js";

interface Coupon {
  readonly id: string;
  readonly key: string;
  readonly percentOff: string | null;
  readonly amountOff: readonly { readonly currency: string; readonly amount: string }[];
  readonly duration: "once" | "months" | "forever";
  readonly months: number | null;
  readonly prices: readonly string[];
  readonly products: readonly string[];
  readonly redemptionsMax: number | null;
  readonly expiresAt: string | null;
  readonly archivedAt: string | null;
}

interface CouponOptions {
  readonly name?: string;
  readonly percentOff?: string;
  readonly amountOff?: readonly string[];
  readonly months?: number;
  readonly forever?: boolean;
  readonly prices?: readonly string[];
  readonly products?: readonly string[];
  readonly redemptionsMax?: number;
  readonly expires?: string;
}

const selection = `{ id key percentOff amountOff { currency amount } duration months prices products redemptionsMax expiresAt archivedAt }`;

export function addCouponCommands(program: Command): void {
  const coupons = program.command("coupons").description("coupons: discounts that customers redeem");

  coupons
    .command("list")
    .description("the coupons")
    .option("--archived", "archived ones too")
    .option("--limit <count>", "at most this many", readCount, 100)
    .action(async ({ limit, archived }: { limit: number; archived?: boolean }, command: Command) => {
      const context = contextOf(command);
      const found = await nodesOf<Coupon>(
        context,
        `query ($first: Int, $after: String, $archived: Boolean) { connection: coupons(first: $first, after: $after, archived: $archived) { nodes ${selection} pageInfo { hasNextPage endCursor } } }`,
        { archived: archived === true },
        limit,
      );
      if (context.json) return printJson(context, found);
      printCoupons(context, found);
    });

  coupons
    .command("create")
    .argument("<key>", "what customers redeem")
    .option("--name <name>", "the key when left out")
    .option("--percent-off <percent>", "such as 20; or --amount-off")
    .option("--amount-off <currency=amount>", "such as USD=5; may be repeated", collect)
    .option("--months <count>", "how long it holds; once when left out", readCount)
    .option("--forever", "it holds for good")
    .option("--prices <keys>", "only off these prices", collectList)
    .option("--products <keys>", "only off these products", collectList)
    .option("--redemptions-max <count>", "how often it can be redeemed", readCount)
    .option("--expires <time>", "from when it cannot be redeemed", readInstant)
    .description("create a coupon; what it takes off never changes")
    .action(async (key: string, options: CouponOptions, command: Command) => {
      const context = contextOf(command);
      const coupon = await mutate<Coupon>(
        context,
        "createCoupon",
        {
          key: ["String!", key],
          name: ["String", options.name],
          percentOff: ["Decimal", options.percentOff],
          amountOff: [
            "JSON",
            options.amountOff === undefined ? undefined : readPairs("--amount-off", options.amountOff),
          ],
          duration: ["CouponDuration", durationOf(options)],
          months: ["Int", options.months],
          prices: ["[String!]", options.prices],
          products: ["[String!]", options.products],
          redemptionsMax: ["Int", options.redemptionsMax],
          expiresAt: ["Instant", options.expires],
        },
        selection,
      );
      if (context.json) return printJson(context, coupon);
      printCoupons(context, [coupon]);
    });

  coupons
    .command("archive")
    .argument("<coupon>", "id or key")
    .description("let it be redeemed no more; what was redeemed runs on")
    .action(async (idOrKey: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const coupon = await mutate<Coupon>(
        context,
        "archiveCoupon",
        { coupon: ["String!", idOrKey] },
        selection,
      );
      if (context.json) return printJson(context, coupon);
      printCoupons(context, [coupon]);
    });
}

function durationOf({ months, forever }: CouponOptions): string | undefined {
  if (forever === true) return "forever";
  return months === undefined ? undefined : "months";
}

function printCoupons(context: ReturnType<typeof contextOf>, coupons: readonly Coupon[]): void {
  printTable(
    context,
    ["KEY", "OFF", "FOR", "ON", "AT MOST", "EXPIRES", "ARCHIVED", "ID"],
    coupons.map((coupon) => [
      coupon.key,
      coupon.percentOff === null
        ? coupon.amountOff.map(({ currency, amount }) => `${amount} ${currency}`).join(", ")
        : `${coupon.percentOff} %`,
      coupon.duration === "months" ? `${coupon.months} months` : coupon.duration,
      [...coupon.prices, ...coupon.products].join(" "),
      coupon.redemptionsMax === null ? "" : String(coupon.redemptionsMax),
      coupon.expiresAt ?? "",
      coupon.archivedAt ?? "",
      coupon.id,
    ]),
    "No coupons. Create one: weir coupons create welcome --percent-off 20 --months 3",
  );
}

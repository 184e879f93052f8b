import { randomUUID } from "node:crypto";
import type { ChangeTime, NewSubscription, Overrides, Quantities, Subscription, Weir } from "@weir/sdk";
import type { Command } from "commander";
import { take } from "../all-nodes.js";
import { contextOf, UsageError, type CliContext } from "../context.js";
import {
  collect,
  collectList,
  readCount,
  readInstant,
  readJson,
  readPairs,
  readTextOrFile,
  readWhole,
} from "../options.js";
import { printJson, printTable } from "../print.js";
import { printSubscription } from "../subscription-text.js";
import { subscriptionOf } from "./subscription-of.js";

interface CreateOptions {
  readonly start?: string;
  readonly anchorDay?: number;
  readonly anchor?: string;
  readonly currency?: string;
  readonly trialDays?: number;
  readonly quantity?: readonly string[];
  readonly overrides?: string;
  readonly coupon?: readonly string[];
}

interface WhenOptions {
  readonly at?: string;
  readonly periodEnd?: boolean;
}

const which = "the subscription's id, or a customer that has only one";

export function addSubscriptionCommands(program: Command): void {
  const subscriptions = program.command("subscriptions").description("customers on plans over time");

  subscriptions
    .command("list")
    .description("the subscriptions, with their current period")
    .option("--customer <customer>", "id or key")
    .option("--limit <count>", "at most this many", readCount, 100)
    .action(async (options: { customer?: string; limit: number }, command: Command) => {
      const context = contextOf(command);
      const { customer } = options;
      const found = await take(
        context.weir.subscriptions.list(customer === undefined ? {} : { customer }),
        options.limit,
      );
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["ID", "CUSTOMER", "STATUS", "PLAN", "VERSION", "PERIOD", "TIME ZONE"],
        found.map((each) => [
          each.id,
          each.customer.key,
          each.status.toLowerCase(),
          each.planVersion.planKey,
          String(each.planVersion.version),
          each.period === null ? "" : `${each.period.start} … ${each.period.end}`,
          each.timeZone,
        ]),
        "No subscriptions. Create one: weir subscriptions create CUSTOMER PLAN",
      );
    });

  subscriptions
    .command("show")
    .argument("<subscription>", which)
    .description("a subscription and its timeline")
    .action(async (name: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const id = await subscriptionOf(context, name);
      const subscription = await context.weir.subscriptions.find(id);
      if (subscription === null)
        throw new UsageError(`there is no subscription "${name}"; weir subscriptions list`);
      printSubscription(context, subscription);
    });

  subscriptions
    .command("create")
    .argument("<customer>", "id or key")
    .argument("<plan>", "a plan's id or key for the version in force at the start, or a version's id")
    .description("put a customer on a plan")
    .option("--start <instant>", "any instant of the first day; today when left out", readInstant)
    .option("--anchor-day <day>", "the day of the month that periods begin on, 1 to 31", readCount)
    .option("--anchor <kind>", "calendar (when left out) or anniversary")
    .option("--currency <code>", "the customer's, or else the plan's, when left out")
    .option("--trial-days <days>", "the plan's when left out", readWhole)
    .option("--quantity <price=quantity>", "of a licensed price, 1 when left out; repeatable", collect)
    .option("--overrides <json>", '{"price key": model as in catalog.yaml}, or @FILE')
    .option("--coupon <coupons>", "redeem these: a,b", collectList)
    .action(async (customer: string, plan: string, options: CreateOptions, command: Command) => {
      const context = contextOf(command);
      const created = await context.weir.subscriptions.create(
        {
          customer,
          plan,
          start: options.start,
          anchorDay: options.anchorDay,
          // The server says which there are.
          anchor: options.anchor?.toUpperCase() as NewSubscription["anchor"],
          currency: options.currency,
          trialDays: options.trialDays,
          quantities: quantitiesOf(options.quantity),
          overrides: overridesOf(options.overrides),
          coupons: options.coupon,
        },
        once(),
      );
      printSubscription(context, created);
    });

  withWhen(
    subscriptions
      .command("change-plan")
      .argument("<subscription>", which)
      .argument("<plan>", "id or key, or a version's id")
      .description("upgrade or downgrade from the beginning of a local day on")
      .option("--quantity <price=quantity>", "of a licensed price; repeatable", collect)
      .option("--overrides <json>", '{"price key": model as in catalog.yaml}, or @FILE'),
  ).action(
    async (
      name: string,
      plan: string,
      options: WhenOptions & { quantity?: string[]; overrides?: string },
      command: Command,
    ) => {
      const quantities = quantitiesOf(options.quantity);
      const overrides = overridesOf(options.overrides);
      const input = { plan, quantities, overrides, ...timeOf(options) };
      await change(contextOf(command), name, (on, id) => on.changePlan(id, input, once()));
    },
  );

  withWhen(
    subscriptions
      .command("set-quantity")
      .argument("<subscription>", which)
      .argument("<price>", "the licensed price's key")
      .argument("<quantity>")
      .description("another licensed quantity from the beginning of a local day on"),
  ).action(async (name: string, price: string, quantity: string, options: WhenOptions, command: Command) => {
    const input = { price, quantity, ...timeOf(options) };
    await change(contextOf(command), name, (on, id) => on.setQuantity(id, input, once()));
  });

  addAddOnCommands(subscriptions.command("add-on").description("add-ons on a subscription"));
  addCouponCommands(subscriptions.command("coupon").description("coupons on a subscription"));

  withWhen(
    subscriptions
      .command("cancel")
      .argument("<subscription>", which)
      .description("end a subscription after a local day, which is included: today when left out"),
  ).action(async (name: string, options: WhenOptions, command: Command) => {
    const time = timeOf(options);
    await change(contextOf(command), name, (on, id) => on.cancel(id, time, once()));
  });

  subscriptions
    .command("uncancel")
    .argument("<subscription>", which)
    .description("take a cancellation back before it takes effect")
    .action(async (name: string, _options: object, command: Command) => {
      await change(contextOf(command), name, (on, id) => on.uncancel(id, once()));
    });
}

function addAddOnCommands(addOns: Command): void {
  withWhen(
    addOns
      .command("attach")
      .argument("<subscription>", which)
      .argument("<add-on>", "id or key; the version that is sold now")
      .description("put an add-on on top from the beginning of a local day on")
      .option("--quantity <quantity>", "1 when left out")
      .option("--until <instant>", "any instant of its last day; open when left out", readInstant),
  ).action(
    async (
      name: string,
      addOn: string,
      options: WhenOptions & { quantity?: string; until?: string },
      command: Command,
    ) => {
      const { quantity, until } = options;
      const input = { addOn, quantity, until, ...timeOf(options) };
      await change(contextOf(command), name, (on, id) => on.attachAddOn(id, input, once()));
    },
  );
  withWhen(
    addOns
      .command("detach")
      .argument("<subscription>", which)
      .argument("<id>", "the id that it has on the subscription: sao_…")
      .description("take an add-on off after a local day, which is included: today when left out"),
  ).action(async (name: string, addOn: string, options: WhenOptions, command: Command) => {
    const input = { addOn, ...timeOf(options) };
    await change(contextOf(command), name, (on, id) => on.detachAddOn(id, input, once()));
  });
}

function addCouponCommands(coupons: Command): void {
  for (const [verb, field, description] of [
    ["redeem", "redeemCoupon", "redeem a coupon for whole billing periods, from the present one on"],
    ["remove", "removeCoupon", "take a coupon off from the next billing period on"],
  ] as const) {
    coupons
      .command(verb)
      .argument("<subscription>", which)
      .argument("<coupon>", "id or key")
      .description(description)
      .action(async (name: string, coupon: string, _options: object, command: Command) => {
        await change(contextOf(command), name, (on, id) => on[field](id, coupon, once()));
      });
  }
}

function withWhen(command: Command): Command {
  return command
    .option("--at <instant>", "any instant of the local day; today when left out", readInstant)
    .option("--period-end", "at the end of the billing period");
}

/** @throws UsageError when both are given */
function timeOf({ at, periodEnd }: WhenOptions): ChangeTime {
  if (at !== undefined && periodEnd === true) throw new UsageError("give --at or --period-end, not both");
  return { at, when: periodEnd === true ? "PERIOD_END" : undefined };
}

function quantitiesOf(texts: readonly string[] | undefined): Quantities | undefined {
  return texts === undefined ? undefined : readPairs("--quantity", texts);
}

/** @throws UsageError for what is no JSON object */
function overridesOf(text: string | undefined): Overrides | undefined {
  if (text === undefined) return undefined;
  const models = readJson("--overrides", readTextOrFile("--overrides", text));
  if (typeof models !== "object" || models === null || Array.isArray(models))
    throw new UsageError('--overrides: write an object, {"price key": model}');
  return models as Overrides;
}

/** A command is one change, however often the connection makes the client send it. */
function once() {
  return { idempotencyKey: randomUUID() };
}

async function change(
  context: CliContext,
  name: string,
  act: (subscriptions: Weir["subscriptions"], id: string) => Promise<Subscription>,
): Promise<void> {
  const id = await subscriptionOf(context, name);
  printSubscription(context, await act(context.weir.subscriptions, id));
}

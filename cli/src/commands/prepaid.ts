import { type Command, Option } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { moneyText } from "../money-text.js";
import { mutate } from "../mutate.js";
import { readCount } from "../options.js";
import { grouped, printFields, printJson, printTable } from "../print.js";

interface Money {
  readonly amount: string;
  readonly currency: string;
}

/** As `weir credits balance` shows it. */
export interface PrepaidBalance {
  readonly currency: string;
  readonly granted: Money;
  readonly drawn: Money;
  readonly remaining: Money;
  readonly burning: Money;
  readonly available: Money;
  readonly burnedLately: Money;
  readonly runsOutOn: string | null;
}

interface Settings {
  readonly customer: { readonly key: string };
  readonly currency: string;
  readonly threshold: Money | null;
  readonly amount: Money | null;
  readonly monthlyMax: Money | null;
  readonly method: {
    readonly id: string;
    readonly brand: string | null;
    readonly last4: string | null;
  } | null;
  readonly lowAt: Money | null;
  readonly isLow: boolean;
  readonly stoppedAt: string | null;
  readonly stoppedBy: string | null;
  readonly fault: string | null;
}

interface TopUp {
  readonly id: string;
  readonly customer: { readonly key: string };
  readonly amount: Money;
  readonly isAutomatic: boolean;
  readonly state: string;
  readonly attempts: readonly { readonly id: string; readonly state: string }[];
  readonly retryAt: string | null;
  readonly failedBy: string | null;
  readonly grants: readonly string[];
  readonly createdAt: string;
}

interface Attempt {
  readonly id: string;
  readonly topUpId: string;
  readonly state: string;
  readonly amount: Money;
}

interface SettingsOptions {
  readonly threshold?: string;
  readonly amount?: string;
  readonly monthlyMax?: string;
  readonly method?: string;
  readonly lowAt?: string;
  readonly currency?: string;
  readonly off?: true;
}

const money = "{ amount currency }";
const settingsSelection = `{ customer { key } currency threshold ${money} amount ${money} monthlyMax ${money} method { id brand last4 } lowAt ${money} isLow stoppedAt stoppedBy fault }`;
const topUpSelection = `id customer { key } amount ${money} isAutomatic state attempts { id state } retryAt failedBy grants createdAt`;
export const prepaidSelection = `{ currency granted ${money} drawn ${money} remaining ${money} burning ${money} available ${money} burnedLately ${money} runsOutOn }`;

/** What customers pay in advance: below `weir credits`. */
export function addPrepaidCommands(credits: Command): void {
  credits
    .command("top-up")
    .argument("<customer>", "id or key")
    .requiredOption("--amount <amount>", "in major units, such as 100.00")
    .option("--currency <code>", "the customer's when left out")
    .option("--method <id>", "a payment method; the customer's default when left out")
    .description("charge a customer in advance: the money becomes paid credits")
    .action(
      async (
        customer: string,
        options: { amount: string; currency?: string; method?: string },
        command: Command,
      ) => {
        const context = contextOf(command);
        const attempt = await mutate<Attempt>(
          context,
          "topUpCredit",
          {
            customer: ["String!", customer],
            amount: ["Decimal!", options.amount],
            currency: ["String", options.currency],
            method: ["ID", options.method],
          },
          `{ id topUpId state amount ${money} }`,
        );
        if (context.json) return printJson(context, attempt);
        const { amount, id, topUpId } = attempt;
        context.out.write(
          `charging ${moneyText(amount)} (${id}); what becomes of it: weir credits top-ups ${customer} (${topUpId})\n`,
        );
      },
    );

  credits
    .command("top-ups")
    .argument("[customer]", "only this one's: id or key")
    .addOption(
      new Option("--state <state>", "only those in this state").choices([
        "open",
        "succeeded",
        "failed",
        "canceled",
      ]),
    )
    .option("--limit <n>", "at most so many", readCount, 1000)
    .description("what customers were charged in advance, oldest first")
    .action(
      async (customer: string | undefined, options: { state?: string; limit: number }, command: Command) => {
        const context = contextOf(command);
        const found = await nodesOf<TopUp>(
          context,
          `query ($customer: String, $state: TopUpState, $first: Int, $after: String) { connection: topUps(customer: $customer, state: $state, first: $first, after: $after) { nodes { ${topUpSelection} } pageInfo { hasNextPage endCursor } } }`,
          { customer, state: options.state },
          options.limit,
        );
        if (context.json) return printJson(context, found);
        printTable(
          context,
          ["ID", "CUSTOMER", "AT", "AMOUNT", "CURRENCY", "BY", "STATE", "ATTEMPTS", "NEXT", "WHY", "GRANT"],
          found.map((topUp) => [
            topUp.id,
            topUp.customer.key,
            topUp.createdAt,
            grouped(topUp.amount.amount),
            topUp.amount.currency,
            topUp.isAutomatic ? "settings" : "hand",
            topUp.state,
            String(topUp.attempts.length),
            topUp.retryAt ?? "",
            topUp.failedBy ?? "",
            topUp.grants.join(" "),
          ]),
          "No top-ups. Make one: weir credits top-up CUSTOMER --amount 100.00",
        );
      },
    );

  credits
    .command("auto-top-up")
    .argument("<customer>", "id or key")
    .option("--threshold <amount>", "top up when less than this is available")
    .option("--amount <amount>", "by so much; with --threshold")
    .option("--monthly-max <amount>", "of all automatic top-ups in a calendar month")
    .option("--method <id>", "a payment method; the customer's default when left out")
    .option("--low-at <amount>", "send balance.low when less than this is available")
    .option("--currency <code>", "the customer's when left out")
    .option("--off", "do not watch the balance any more")
    .description("show when a balance is topped up and told to be low, or with options set it, as a whole")
    .action(async (customer: string, options: SettingsOptions, command: Command) => {
      const context = contextOf(command);
      const { off, ...settings } = options;
      const isSetting = Object.keys(settings).length > 0;
      if (off && isSetting) throw new UsageError("--off goes without other options");
      if (off) {
        await mutate(context, "disableTopUpSettings", { customer: ["String!", customer] }, "{ id }");
        if (context.json) return printJson(context, null);
        context.out.write(`the balance of ${customer} is not watched any more\n`);
        return;
      }
      if (!isSetting) return showSettings(context, customer);
      printSettings(
        context,
        await mutate<Settings>(
          context,
          "setTopUpSettings",
          {
            customer: ["String!", customer],
            currency: ["String", settings.currency],
            threshold: ["Decimal", settings.threshold],
            amount: ["Decimal", settings.amount],
            monthlyMax: ["Decimal", settings.monthlyMax],
            method: ["ID", settings.method],
            lowAt: ["Decimal", settings.lowAt],
          },
          settingsSelection,
        ),
      );
    });
}

export function printPrepaid(context: CliContext, balances: readonly PrepaidBalance[]): void {
  printTable(
    context,
    ["PREPAID", "GRANTED", "DRAWN", "REMAINING", "BURNING", "AVAILABLE", "LAST 7 DAYS", "RUNS OUT"],
    balances.map((balance) => [
      balance.currency,
      grouped(balance.granted.amount),
      grouped(balance.drawn.amount),
      grouped(balance.remaining.amount),
      grouped(balance.burning.amount),
      grouped(balance.available.amount),
      grouped(balance.burnedLately.amount),
      balance.runsOutOn ?? "not soon",
    ]),
    "Nothing paid in advance. Charge some: weir credits top-up CUSTOMER --amount 100.00",
  );
}

async function showSettings(context: CliContext, customer: string): Promise<void> {
  const { topUpSettings } = await context.weir.graphql.run<{ topUpSettings: Settings | null }>(
    `query ($customer: String!) { topUpSettings(customer: $customer) ${settingsSelection} }`,
    { customer },
  );
  if (topUpSettings !== null || context.json) return printSettings(context, topUpSettings);
  context.out.write(
    `the balance of ${customer} is not watched: weir credits auto-top-up ${customer} --threshold 20.00 --amount 100.00 --low-at 50.00\n`,
  );
}

function printSettings(context: CliContext, settings: Settings | null): void {
  if (context.json || settings === null) return printJson(context, settings);
  const text = (amount: Money | null) => (amount === null ? null : moneyText(amount));
  const { method, amount } = settings;
  const card = method && [method.brand, method.last4 && `•••• ${method.last4}`, method.id];
  printFields(context, [
    ["customer", settings.customer.key],
    ["top up below", text(settings.threshold) ?? "never"],
    ["by", text(amount)],
    ["a month at most", amount === null ? null : (text(settings.monthlyMax) ?? "no limit")],
    [
      "charged to",
      amount === null ? null : card === null ? "the default method" : card.filter(Boolean).join(" "),
    ],
    ["told below", text(settings.lowAt) ?? "never"],
    ["now", settings.isLow ? "low" : null],
    ["stopped", settings.stoppedAt === null ? null : `since ${settings.stoppedAt}: ${settings.stoppedBy}`],
    ["fault", settings.fault],
  ]);
}

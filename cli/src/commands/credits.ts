import { type Command, Option } from "commander";
import { nodesOf } from "../all-nodes.js";
import { contextOf, UsageError } from "../context.js";
import { moneyText } from "../money-text.js";
import { mutate } from "../mutate.js";
import { readCount, readInstant } from "../options.js";
import { grouped, printFields, printJson, printTable } from "../print.js";
import { addPrepaidCommands, prepaidSelection, printPrepaid, type PrepaidBalance } from "./prepaid.js";

interface Money {
  readonly amount: string;
  readonly currency: string;
}

interface Grant {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly customer: { readonly key: string };
  readonly amount: Money;
  readonly remaining: Money;
  readonly priority: number;
  readonly effectiveFrom: string;
  readonly expiresAt: string | null;
  readonly note: string | null;
}

interface Movement {
  readonly at: string;
  readonly kind: string;
  readonly amount: Money;
  readonly invoice: string | null;
  readonly reason: string | null;
}

interface Balance {
  readonly kind: string;
  readonly currency: string;
  readonly granted: Money;
  readonly used: Money;
  readonly voided: Money;
  readonly expired: Money;
  readonly upcoming: Money;
  readonly remaining: Money;
}

interface GrantOptions {
  readonly kind: string;
  readonly currency?: string;
  readonly priority?: string;
  readonly from?: string;
  readonly expires?: string;
  readonly note?: string;
}

const money = "{ amount currency }";
const selection = `id kind status customer { key } amount ${money} remaining ${money} priority effectiveFrom expiresAt note`;

export function addCreditCommands(program: Command): void {
  const credits = program.command("credits").description("credits of customers: given, used, expired");

  credits
    .command("grant")
    .argument("<customer>", "id or key")
    .argument("<amount>", "in major units, such as 100.00")
    .addOption(
      new Option("--kind <kind>", "promotional lowers what is taxed; paid was bought in advance")
        .choices(["promotional", "paid"])
        .makeOptionMandatory(),
    )
    .option("--currency <code>", "the customer's when left out")
    .option("--priority <n>", "0 to 1000, the lowest is used first; 100 when left out")
    .option("--from <instant>", "valid from; now when left out", readInstant)
    .option("--expires <instant>", "valid until just before; for good when left out", readInstant)
    .option("--note <text>", "what it is for")
    .description("give a customer credits")
    .action(async (customer: string, amount: string, options: GrantOptions, command: Command) => {
      const context = contextOf(command);
      if (options.priority !== undefined && !/^\d{1,4}$/.test(options.priority))
        throw new UsageError(`--priority ${options.priority}: a whole number from 0 to 1000`);
      const grant = await mutate<Grant>(
        context,
        "grantCredit",
        {
          customer: ["String!", customer],
          kind: ["CreditKind!", options.kind],
          amount: ["Decimal!", amount],
          currency: ["String", options.currency],
          priority: ["Int", options.priority === undefined ? undefined : Number(options.priority)],
          effectiveFrom: ["Instant", options.from],
          expiresAt: ["Instant", options.expires],
          note: ["String", options.note],
        },
        `{ ${selection} }`,
      );
      if (context.json) return printJson(context, grant);
      context.out.write(`granted ${moneyText(grant.amount)} (${grant.id})\n`);
    });

  credits
    .command("list")
    .option("--customer <idOrKey>", "only this customer's")
    .option("--open", "only those that are neither used up nor voided")
    .option("--limit <n>", "at most so many", readCount, 1000)
    .description("credit grants, oldest first")
    .action(async ({ limit, ...filter }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const grants = await nodesOf<Grant>(
        context,
        `query ($customer: String, $open: Boolean, $first: Int, $after: String) { connection: creditGrants(customer: $customer, open: $open, first: $first, after: $after) { nodes { ${selection} } pageInfo { hasNextPage endCursor } } }`,
        filter,
        limit,
      );
      if (context.json) return printJson(context, grants);
      printTable(
        context,
        ["ID", "CUSTOMER", "KIND", "STATUS", "AMOUNT", "LEFT", "CURRENCY", "PRIORITY", "EXPIRES", "NOTE"],
        grants.map((grant) => [
          grant.id,
          grant.customer.key,
          grant.kind,
          grant.status,
          grouped(grant.amount.amount),
          grouped(grant.remaining.amount),
          grant.amount.currency,
          String(grant.priority),
          grant.expiresAt ?? "never",
          grant.note ?? "",
        ]),
        "No credits. Give some: weir credits grant CUSTOMER 100.00 --kind promotional",
      );
    });

  credits
    .command("show")
    .argument("<grant>", "its id")
    .description("a grant and what happened to it")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const { creditGrant } = await context.weir.graphql.run<{
        creditGrant: (Grant & { movements: { nodes: Movement[] } }) | null;
      }>(
        `query ($id: ID!) { creditGrant(id: $id) { ${selection} movements(first: 200) { nodes { at kind amount ${money} invoice reason } } } }`,
        { id },
      );
      if (creditGrant === null) throw new UsageError(`there is no credit grant "${id}"; weir credits list`);
      if (context.json) return printJson(context, creditGrant);
      const { amount, remaining } = creditGrant;
      printFields(context, [
        ["id", creditGrant.id],
        ["customer", creditGrant.customer.key],
        ["kind", creditGrant.kind],
        ["status", creditGrant.status],
        ["amount", moneyText(amount)],
        ["left", moneyText(remaining)],
        ["priority", String(creditGrant.priority)],
        ["from", creditGrant.effectiveFrom],
        ["expires", creditGrant.expiresAt ?? "never"],
        ["note", creditGrant.note],
      ]);
      context.out.write("\n");
      printTable(
        context,
        ["AT", "WHAT", "AMOUNT", "INVOICE", "REASON"],
        creditGrant.movements.nodes.map(({ at, kind, amount: moved, invoice, reason }) => [
          at,
          kind,
          grouped(moved.amount),
          invoice ?? "",
          reason ?? "",
        ]),
        "Nothing was drawn on it yet.",
      );
    });

  credits
    .command("balance")
    .argument("<customer>", "id or key")
    .description(
      "what a customer has now by currency and kind, and how fast what was paid in advance burns down",
    )
    .action(async (idOrKey: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const sums = ["granted", "used", "voided", "expired", "upcoming", "remaining"] as const;
      const { customer } = await context.weir.graphql.run<{
        customer: { creditBalances: Balance[] } | null;
      }>(
        `query ($customer: String!) { customer(idOrKey: $customer) { creditBalances { kind currency ${sums.map((sum) => `${sum} ${money}`).join(" ")} } } }`,
        { customer: idOrKey },
      );
      if (customer === null) throw new UsageError(`there is no customer "${idOrKey}"; weir customers list`);
      const { prepaidBalance } = await context.weir.graphql.run<{ prepaidBalance: PrepaidBalance[] }>(
        `query ($customer: String!) { prepaidBalance(customer: $customer) ${prepaidSelection} }`,
        { customer: idOrKey },
      );
      if (context.json)
        return printJson(context, { credits: customer.creditBalances, prepaid: prepaidBalance });
      printTable(
        context,
        ["KIND", "CURRENCY", ...sums.map((sum) => sum.toUpperCase())],
        customer.creditBalances.map((balance) => [
          balance.kind,
          balance.currency,
          ...sums.map((sum) => grouped(balance[sum].amount)),
        ]),
        "No credits.",
      );
      context.out.write("\n");
      printPrepaid(context, prepaidBalance);
    });

  addPrepaidCommands(credits);

  credits
    .command("void")
    .argument("<grant>", "its id")
    .requiredOption("--reason <text>", "goes into the audit log")
    .description("take away what is left of a grant")
    .action(async (id: string, { reason }: { reason: string }, command: Command) => {
      const context = contextOf(command);
      const grant = await mutate<Grant>(
        context,
        "voidCreditGrant",
        { grant: ["ID!", id], reason: ["String!", reason] },
        `{ ${selection} }`,
      );
      if (context.json) printJson(context, grant);
      else context.out.write(`voided what was left of ${grant.id}\n`);
    });
}

import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import type { CliContext } from "../context.js";
import { contextOf } from "../context.js";
import { mutate } from "../mutate.js";
import { collectList, readCount, readInstant } from "../options.js";
import { printFields, printJson, printTable } from "../print.js";

interface Customer {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly timeZone: string;
  readonly currency: string | null;
  readonly email: string | null;
  readonly subjects: readonly {
    readonly subject: string;
    readonly from: string;
    readonly to: string | null;
  }[];
}

interface CreateOptions {
  readonly name?: string;
  readonly timeZone: string;
  readonly currency?: string;
  readonly email?: string;
  readonly subject?: readonly string[];
}

const selection = "{ id key name timeZone currency email subjects { subject from to } }";

export function addCustomerCommands(program: Command): void {
  const customers = program.command("customers").description("who is billed, and for which subjects");

  customers
    .command("list")
    .option("--limit <count>", "at most this many", readCount, 100)
    .description("the customers")
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const found = await nodesOf<Customer>(
        context,
        `query ($first: Int, $after: String) { connection: customers(first: $first, after: $after) { nodes ${selection} pageInfo { hasNextPage endCursor } } }`,
        {},
        limit,
      );
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["KEY", "NAME", "TIME ZONE", "CURRENCY", "SUBJECTS", "ID"],
        found.map((each) => [
          each.key,
          each.name,
          each.timeZone,
          each.currency ?? "",
          openSubjects(each).join(" "),
          each.id,
        ]),
        "No customers. Create one: weir customers create acme --time-zone Europe/Berlin --subject acme",
      );
    });

  customers
    .command("create")
    .argument("<key>", "your own key for it")
    .description("create a customer")
    .option("--name <name>", "the key when left out")
    .option("--time-zone <zone>", "where its days and billing periods begin", "UTC")
    .option("--currency <code>", "the only one it is billed in; any when left out")
    .option("--email <address>")
    .option("--subject <subjects>", "assign these subjects, from the beginning of time: a,b", collectList)
    .action(async (key: string, options: CreateOptions, command: Command) => {
      const context = contextOf(command);
      let customer = await mutate<Customer>(
        context,
        "createCustomer",
        {
          key: ["String!", key],
          name: ["String!", options.name ?? key],
          timeZone: ["String!", options.timeZone],
          currency: ["String", options.currency],
          email: ["String", options.email],
        },
        selection,
      );
      for (const subject of options.subject ?? []) customer = await assign(context, key, subject);
      printCustomer(context, customer);
    });

  customers
    .command("assign")
    .argument("<customer>", "id or key")
    .argument("<subject>", "the key that usage arrives under")
    .description("make a subject the customer's")
    .option("--from <instant>", "the beginning of time when left out", readInstant)
    .option("--to <instant>", "exclusive; open when left out", readInstant)
    .action(
      async (customer: string, subject: string, span: { from?: string; to?: string }, command: Command) => {
        const context = contextOf(command);
        printCustomer(context, await assign(context, customer, subject, span));
      },
    );

  customers
    .command("unassign")
    .argument("<customer>", "id or key")
    .argument("<subject>")
    .description("end an assignment; at its very beginning it is removed")
    .option("--at <instant>", "now when left out", readInstant)
    .action(async (customer: string, subject: string, { at }: { at?: string }, command: Command) => {
      const context = contextOf(command);
      const changed = await mutate<Customer>(
        context,
        "endSubject",
        { customer: ["String!", customer], subject: ["String!", subject], at: ["Instant", at] },
        selection,
      );
      printCustomer(context, changed);
    });
}

function assign(
  context: CliContext,
  customer: string,
  subject: string,
  span: { from?: string; to?: string } = {},
): Promise<Customer> {
  return mutate(
    context,
    "assignSubject",
    {
      customer: ["String!", customer],
      subject: ["String!", subject],
      from: ["Instant", span.from],
      to: ["Instant", span.to],
    },
    selection,
  );
}

function openSubjects(customer: Customer): string[] {
  return customer.subjects.filter(({ to }) => to === null).map(({ subject }) => subject);
}

function printCustomer(context: CliContext, customer: Customer): void {
  if (context.json) return printJson(context, customer);
  printFields(context, [
    ["key", customer.key],
    ["id", customer.id],
    ["name", customer.name],
    ["time zone", customer.timeZone],
    ["currency", customer.currency],
    ["email", customer.email],
    ...customer.subjects.map(
      ({ subject, from, to }) =>
        ["subject", `${subject} from ${from}${to === null ? "" : ` to ${to}`}`] as const,
    ),
  ]);
}

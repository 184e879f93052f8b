import { randomUUID } from "node:crypto";
import type { CustomerFields } from "@weir/sdk";
import type { Command } from "commander";
import { take } from "../all-nodes.js";
import { contextOf, UsageError } from "../context.js";
import { collectList, readCount, readWhole } from "../options.js";
import { printFields, printJson, printTable } from "../print.js";
import { openSubjects, printCustomer } from "../customer-text.js";
import { addSubjectCommands, assign } from "./customer-subjects.js";

interface CustomerOptions {
  readonly name?: string;
  readonly timeZone?: string;
  readonly currency?: string;
  readonly email?: string;
  readonly line1?: string;
  readonly line2?: string;
  readonly city?: string;
  readonly postalCode?: string;
  readonly region?: string;
  readonly country?: string;
  readonly taxId?: string;
  readonly taxExempt?: string;
  readonly terms?: number;
  readonly locale?: string;
  readonly electronicAddress?: string;
  readonly registrationNumber?: string;
  readonly buyerReference?: string;
  readonly payer?: string;
}

export function addCustomerCommands(program: Command): void {
  const customers = program.command("customers").description("who is billed, and for which subjects");

  customers
    .command("list")
    .option("--limit <count>", "at most this many", readCount, 100)
    .description("the customers")
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const context = contextOf(command);
      const found = await take(context.weir.customers.list(), limit);
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["KEY", "NAME", "TIME ZONE", "CURRENCY", "PAYER", "SUBJECTS", "ID"],
        found.map((each) => [
          each.key,
          each.name,
          each.timeZone,
          each.currency ?? "",
          each.payer?.key ?? "",
          openSubjects(each).join(" "),
          each.id,
        ]),
        "No customers. Create one: weir customers create acme --time-zone Europe/Berlin --subject acme",
      );
    });

  customers
    .command("show")
    .argument("<customer>", "id or key")
    .description("a customer")
    .action(async (name: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const customer = await context.weir.customers.find(name);
      if (customer === null) throw new UsageError(`there is no customer "${name}"; weir customers list`);
      printCustomer(context, customer);
    });

  withFields(
    customers
      .command("create")
      .argument("<key>", "your own key for it")
      .description("create a customer")
      .option("--subject <subjects>", "assign these subjects, from the beginning of time: a,b", collectList),
  ).action(
    async (key: string, options: CustomerOptions & { subject?: readonly string[] }, command: Command) => {
      const context = contextOf(command);
      let customer = await context.weir.customers.create(
        {
          key,
          name: options.name ?? key,
          timeZone: options.timeZone ?? "UTC",
          ...fieldsOf(options, undefined),
        },
        { idempotencyKey: randomUUID() },
      );
      for (const subject of options.subject ?? []) customer = await assign(context, key, subject);
      printCustomer(context, customer);
    },
  );

  withFields(
    customers
      .command("update")
      .argument("<customer>", "id or key")
      .description("change a customer; an option given as '' takes away, one left out keeps"),
  ).action(async (name: string, options: CustomerOptions, command: Command) => {
    const context = contextOf(command);
    const { timeZone } = options;
    const updated = await context.weir.customers.update(
      name,
      { name: options.name, timeZone, ...fieldsOf(options, null) },
      { idempotencyKey: randomUUID() },
    );
    printCustomer(context, updated);
  });

  customers
    .command("erase")
    .argument("<customer>", "id or key")
    .requiredOption("--confirm <key>", "the customer's key, once more: this cannot be undone")
    .option("--subject <subjects>", "subjects of it that are personal themselves: a,b", collectList)
    .description("replace a customer's personal data, for good; its invoices go on under its id")
    .action(async (name: string, options: { confirm: string; subject?: string[] }, command: Command) => {
      const context = contextOf(command);
      const erased = await context.weir.customers.erase(
        name,
        { confirm: options.confirm, subjects: options.subject },
        { idempotencyKey: randomUUID() },
      );
      if (context.json) return printJson(context, erased);
      printFields(context, [
        ["erased", erased.customer.erasedAt],
        ["id", erased.customer.id],
        ["key", erased.customer.key],
        ["subjects erased", String(erased.subjectsErased)],
        ["subjects kept", erased.subjectsKept.join(" ")],
      ]);
    });

  addSubjectCommands(customers);
}

function withFields(command: Command): Command {
  return command
    .option("--name <name>", "the key when left out")
    .option("--time-zone <zone>", "where its days and billing periods begin; UTC for a new one")
    .option("--currency <code>", "the only one it is billed in; any when left out")
    .option("--email <address>")
    .option("--line1 <text>", "billing address: first line; an update replaces the whole address")
    .option("--line2 <text>")
    .option("--city <text>")
    .option("--postal-code <text>")
    .option("--region <text>")
    .option("--country <code>", "ISO 3166, such as NZ")
    .option("--tax-id <text>")
    .option("--tax-exempt <kind>", "none, exempt or reverse_charge")
    .option("--terms <days>", "days to pay in, 0 to 365; 30 for a new one", readWhole)
    .option("--locale <tag>", "what its invoices are written in, such as de-AT")
    .option("--electronic-address <address>", "where its e-invoices go, such as 0204:991-01234-56")
    .option("--registration-number <text>", "in a register of companies, such as 'HRB 12345'")
    .option("--buyer-reference <text>", "what it wants named on invoices: a Leitweg-ID, an order")
    .option("--payer <customer>", "id or key of another customer, who pays");
}

/** @param none  what an option that is given as '' stands for */
function fieldsOf(options: CustomerOptions, none: null | undefined): CustomerFields {
  const text = (value: string | undefined) => (value === "" ? none : value);
  const { line1, line2, city, postalCode, region, country, taxExempt } = options;
  const address = Object.entries({ line1, line2, city, postalCode, region, country }).filter(
    ([, value]) => value !== undefined,
  );
  return {
    currency: text(options.currency),
    email: text(options.email),
    address: address.length === 0 ? undefined : Object.fromEntries(address),
    taxId: text(options.taxId),
    // The server says which there are.
    taxExempt: taxExempt as CustomerFields["taxExempt"],
    paymentTermsDays: options.terms,
    locale: text(options.locale),
    electronicAddress: text(options.electronicAddress),
    registrationNumber: text(options.registrationNumber),
    buyerReference: text(options.buyerReference),
    payer: text(options.payer),
  };
}

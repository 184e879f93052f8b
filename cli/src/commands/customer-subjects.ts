import { randomUUID } from "node:crypto";
import type { Customer } from "@weir/sdk";
import type { Command } from "commander";
import type { CliContext } from "../context.js";
import { contextOf, UsageError } from "../context.js";
import { printCustomer } from "../customer-text.js";
import { readInstant } from "../options.js";
import { printJson, printTable } from "../print.js";

/** Commands on a customer's subjects, both beside the others and under `subjects`. */
export function addSubjectCommands(customers: Command): void {
  const subjects = customers.command("subjects").description("whose usage is whose, and when");

  subjects
    .command("list")
    .argument("<customer>", "id or key")
    .description("a customer's subjects, with their spans of time")
    .action(async (name: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const customer = await context.weir.customers.find(name);
      if (customer === null) throw new UsageError(`there is no customer "${name}"; weir customers list`);
      if (context.json) return printJson(context, customer.subjects);
      printTable(
        context,
        ["SUBJECT", "FROM", "TO"],
        customer.subjects.map(({ subject, from, to }) => [subject, from, to ?? ""]),
        `No subjects. Assign one: weir customers assign ${name} SUBJECT`,
      );
    });

  subjects
    .command("reassign")
    .argument("<customer>", "who gets it: id or key")
    .argument("<subject>", "the key that usage arrives under")
    .description("make a subject another customer's from an instant on")
    .option("--at <instant>", "now when left out", readInstant)
    .action(async (customer: string, subject: string, { at }: { at?: string }, command: Command) => {
      const context = contextOf(command);
      const changed = await context.weir.customers.reassignSubject(customer, subject, at, {
        idempotencyKey: randomUUID(),
      });
      printCustomer(context, changed);
    });

  // Used every day, so also one word shorter: `weir customers assign`.
  for (const parent of [customers, subjects]) {
    parent
      .command("assign")
      .argument("<customer>", "id or key")
      .argument("<subject>", "the key that usage arrives under")
      .description("make a subject the customer's")
      .option("--from <instant>", "from all that is not invoiced when left out", readInstant)
      .option("--to <instant>", "exclusive; open when left out", readInstant)
      .action(
        async (customer: string, subject: string, span: { from?: string; to?: string }, command: Command) => {
          const context = contextOf(command);
          printCustomer(context, await assign(context, customer, subject, span));
        },
      );
    parent
      .command("unassign")
      .argument("<customer>", "id or key")
      .argument("<subject>")
      .description("end an assignment; at its very beginning it is removed")
      .option("--at <instant>", "now when left out", readInstant)
      .action(async (customer: string, subject: string, { at }: { at?: string }, command: Command) => {
        const context = contextOf(command);
        const changed = await context.weir.customers.endSubject(customer, subject, at, {
          idempotencyKey: randomUUID(),
        });
        printCustomer(context, changed);
      });
  }
}

export function assign(
  context: CliContext,
  customer: string,
  subject: string,
  span: { from?: string; to?: string } = {},
): Promise<Customer> {
  return context.weir.customers.assignSubject(customer, subject, span, { idempotencyKey: randomUUID() });
}

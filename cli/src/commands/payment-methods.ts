import { randomUUID } from "node:crypto";
import type { PaymentMethod } from "@weir/sdk";
import type { Command } from "commander";
import { take } from "../all-nodes.js";
import { contextOf, UsageError, type CliContext } from "../context.js";
import { readCount } from "../options.js";
import { methodText } from "../payment-text.js";
import { printJson, printTable } from "../print.js";
import { accountNamed } from "./provider-accounts.js";

interface LinkOptions {
  readonly account?: string;
  readonly page?: true;
  readonly returnUrl?: string;
}

export function addPaymentMethodCommands(payments: Command): void {
  payments
    .command("methods")
    .option("--customer <idOrKey>", "only this customer's")
    .option("--detached", "also those that were taken away")
    .option("--limit <n>", "at most so many", readCount, 100)
    .description("customers' cards and bank accounts, oldest first")
    .action(
      async (
        { limit, ...filter }: { customer?: string; detached?: true; limit: number },
        command: Command,
      ) => {
        const context = contextOf(command);
        const found = await take(context.weir.paymentMethods.list(filter), limit);
        if (context.json) return printJson(context, found);
        printTable(
          context,
          [
            "METHOD",
            "CUSTOMER",
            "KIND",
            "CARD",
            "EXPIRES",
            "DEFAULT",
            "ACCOUNT",
            "PROVIDER'S ID",
            "DETACHED",
          ],
          found.map((method) => [
            method.id,
            method.customer.key,
            method.kind,
            methodText(method),
            method.expires ?? "",
            method.isDefault ? "yes" : "",
            method.account.key,
            method.providerRef,
            method.detachedAt ?? "",
          ]),
          "No payment methods. Send a link to enter one: weir payments setup-link CUSTOMER",
        );
      },
    );

  payments
    .command("attach")
    .argument("<customer>", "id or key")
    .argument("<token>", "what the provider's page or library made: pm_…; never a card's number")
    .option("--account <account>", "a provider account's id or key; the only one when left out")
    .option("--default", "charged by itself from now on; the first one is anyway")
    .option("--brand <brand>", "visa, say: for people, where the provider cannot be asked")
    .option("--last4 <digits>", "the card's last four, likewise")
    .option("--expires <month>", "2028-04, likewise")
    .description("attach a payment method to a customer")
    .action(
      async (
        customer: string,
        token: string,
        options: { account?: string; default?: true; brand?: string; last4?: string; expires?: string },
        command: Command,
      ) => {
        const context = contextOf(command);
        // A number that was typed here must not be sent on to anyone.
        if (/^[\d -]{12,30}$/.test(token))
          throw new UsageError(
            "this looks like a card's number. It is entered on the provider's page only: weir payments setup-link CUSTOMER",
          );
        const account = await accountNamed(context, options.account);
        const { default: makeDefault, brand, last4, expires } = options;
        printMethod(
          context,
          await context.weir.paymentMethods.attach(
            { customer, account, method: token, makeDefault, brand, last4, expires },
            { idempotencyKey: randomUUID() },
          ),
        );
      },
    );

  payments
    .command("default")
    .argument("<method>", "pmt_…")
    .description("charge it by itself from now on; what was declined before is tried with it at once")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      printMethod(
        context,
        await context.weir.paymentMethods.setDefault(id, { idempotencyKey: randomUUID() }),
      );
    });

  payments
    .command("detach")
    .argument("<method>", "pmt_…")
    .description("take a method away, at the provider too")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      printMethod(context, await context.weir.paymentMethods.detach(id, { idempotencyKey: randomUUID() }));
    });

  payments
    .command("setup-link")
    .argument("<customer>", "id or key")
    .option(
      "--account <account>",
      "a provider account's id or key; that of the customer's default method, or the only one, when left out",
    )
    .option("--page", "the provider's page itself, for someone who is there now; good for a day or so")
    .option("--return-url <url>", "with --page: where the customer is sent back to")
    .description("a link on which the customer enters a card: to be mailed, good for 30 days")
    .action(async (customer: string, { account, page, returnUrl }: LinkOptions, command: Command) => {
      const context = contextOf(command);
      const options = { idempotencyKey: randomUUID() };
      const { paymentMethods } = context.weir;
      if (returnUrl !== undefined && page !== true) throw new UsageError("--return-url goes with --page");
      if (page === true) {
        const url = await paymentMethods.createSetupPage({ customer, account, returnUrl }, options);
        if (context.json) printJson(context, { url });
        else context.out.write(`${url}\n`);
        return;
      }
      const link = await paymentMethods.createUpdateLink({ customer, account }, options);
      if (context.json) return printJson(context, link);
      context.out.write(`${link.url}\n`);
      context.err.write(`Good until ${link.expiresAt}, for entering a card at ${link.account.key}.\n`);
    });
}

function printMethod(context: CliContext, method: PaymentMethod): void {
  if (context.json) return printJson(context, method);
  const state =
    method.detachedAt === null ? (method.isDefault ? "the default" : "not the default") : "detached";
  context.out.write(`${methodText(method)} of ${method.customer.key}, ${state} (${method.id})\n`);
}

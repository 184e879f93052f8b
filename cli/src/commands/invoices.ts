import type { Command } from "commander";
import { nodesOf } from "../all-nodes.js";
import type { CliContext } from "../context.js";
import { contextOf, UsageError } from "../context.js";
import { mutate } from "../mutate.js";
import { readCount, readInstant } from "../options.js";
import { grouped, printFields, printJson, printTable } from "../print.js";
import { addInvoiceDownloadCommands } from "./invoice-download.js";
import { addInvoiceExplainCommand } from "./invoice-explain.js";
import { addCreditNoteCommands } from "./invoice-credit-notes.js";
import { subscriptionOf } from "./subscription-of.js";

interface Money {
  readonly amount: string;
  readonly currency: string;
}

interface Line {
  readonly id?: string;
  readonly name: string;
  readonly price: { readonly key: string; readonly name: string } | null;
  readonly quantity: string | null;
  readonly eventCount: number;
  readonly amount: string;
  readonly money: Money;
}

interface Totals {
  readonly subtotal: Money;
  readonly promotionalCredits: Money;
  readonly tax: Money;
  readonly total: Money;
  readonly paidCredits: Money;
  readonly balanceUsed: Money;
  readonly toBalance: Money;
  readonly due: Money;
}

interface Preview {
  readonly currency: string;
  readonly period: { readonly start: string; readonly end: string };
  readonly timeZone: string;
  readonly totals: Totals;
  readonly notices: readonly string[];
  readonly lines: readonly Line[];
}

interface Invoice extends Omit<Preview, "notices"> {
  readonly id: string;
  readonly status: string;
  readonly number: string | null;
  readonly revision: number;
  readonly refreshedAt: string;
  readonly customer: { readonly key: string };
}

const lineSelection = "name price { key name } quantity eventCount amount money { amount currency }";
const money = "{ amount currency }";
const totalsSelection = `totals { subtotal ${money} promotionalCredits ${money} tax ${money} total ${money} paidCredits ${money} balanceUsed ${money} toBalance ${money} due ${money} }`;
const sharedSelection = `currency period { start end } timeZone ${totalsSelection}`;
const headSelection = `id status number revision refreshedAt customer { key } ${sharedSelection}`;
const invoiceSelection = `{ ${headSelection} lines { id ${lineSelection} } }`;

export function addInvoiceCommands(program: Command): void {
  const invoices = program
    .command("invoices")
    .description("invoices: previews, drafts, finalizing, credit notes, and why they cost what they cost");

  invoices
    .command("preview")
    .argument("<subscription>", "its id, or a customer's id or key that has one subscription")
    .option("--at <instant>", "the period that holds it; now when left out", readInstant)
    .description("what a period costs by the usage known now")
    .action(async (name: string, { at }: { at?: string }, command: Command) => {
      const context = contextOf(command);
      const { invoicePreview } = await context.weir.graphql.run<{ invoicePreview: Preview }>(
        `query ($subscription: ID!, $at: Instant) { invoicePreview(subscription: $subscription, at: $at) { ${sharedSelection} notices lines { ${lineSelection} } } }`,
        { subscription: await subscriptionOf(context, name), at },
      );
      if (context.json) return printJson(context, invoicePreview);
      printBody(context, invoicePreview);
      for (const notice of invoicePreview.notices) context.out.write(`${notice}\n`);
    });

  invoices
    .command("create")
    .argument("<subscription>", "its id, or a customer's id or key that has one subscription")
    .option("--at <instant>", "the period that holds it; now when left out", readInstant)
    .description("store a period's draft; there is one per period")
    .action(async (name: string, { at }: { at?: string }, command: Command) => {
      const context = contextOf(command);
      const done = await mutate<{ created: boolean; invoice: Invoice }>(
        context,
        "createInvoice",
        { subscription: ["ID!", await subscriptionOf(context, name)], at: ["Instant", at] },
        `{ created invoice ${invoiceSelection} }`,
      );
      if (context.json) return printJson(context, done);
      if (!done.created)
        context.err.write("This period has its draft already; weir invoices refresh brings it up to date.\n");
      printInvoice(context, done.invoice);
    });

  invoices
    .command("refresh")
    .argument("<invoice>")
    .description("compute a draft again by the usage known now")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const invoice = await mutate<Invoice>(context, "refreshInvoice", { id: ["ID!", id] }, invoiceSelection);
      if (context.json) printJson(context, invoice);
      else printInvoice(context, invoice);
    });

  invoices
    .command("list")
    .description("the invoices, newest first")
    .option("--customer <customer>", "id or key")
    .option("--status <status>", "draft, finalized or voided")
    .option("--limit <count>", "at most this many", readCount, 100)
    .action(async (options: { customer?: string; status?: string; limit: number }, command: Command) => {
      const context = contextOf(command);
      const found = await nodesOf<Omit<Invoice, "lines">>(
        context,
        `query ($customer: String, $status: String, $first: Int, $after: String) { connection: invoices(customer: $customer, status: $status, first: $first, after: $after) { nodes { ${headSelection} } pageInfo { hasNextPage endCursor } } }`,
        { customer: options.customer, status: options.status },
        options.limit,
      );
      if (context.json) return printJson(context, found);
      printTable(
        context,
        ["ID", "NUMBER", "CUSTOMER", "STATUS", "PERIOD", "TOTAL", "DUE"],
        found.map(({ id, number, customer, status, period, totals }) => [
          id,
          number ?? "",
          customer.key,
          status,
          `${period.start} … ${period.end}`,
          `${totals.total.amount} ${totals.total.currency}`,
          totals.due.amount,
        ]),
        "No invoices. See what one would be: weir invoices preview CUSTOMER",
      );
    });

  invoices
    .command("show")
    .argument("<invoice>")
    .description("an invoice with its lines")
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const { invoice } = await context.weir.graphql.run<{ invoice: Invoice | null }>(
        `query ($id: ID!) { invoice(id: $id) ${invoiceSelection} }`,
        { id },
      );
      if (invoice === null) throw new UsageError(`there is no invoice "${id}"; weir invoices list`);
      if (context.json) printJson(context, invoice);
      else printInvoice(context, invoice);
    });

  invoices
    .command("finalize")
    .argument("<invoice>")
    .description(
      "make a draft final: numbered, posted to the ledger, drawn from credits; it never changes again",
    )
    .action(async (id: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const invoice = await mutate<Invoice>(
        context,
        "finalizeInvoice",
        { id: ["ID!", id] },
        invoiceSelection,
      );
      if (context.json) printJson(context, invoice);
      else printInvoice(context, invoice);
    });

  addInvoiceExplainCommand(invoices);
  addCreditNoteCommands(invoices);
  addInvoiceDownloadCommands(invoices);
}

function printInvoice(context: CliContext, invoice: Invoice): void {
  printFields(context, [
    [
      "invoice",
      `${invoice.number ?? invoice.id}, ${invoice.status}, revision ${invoice.revision}${invoice.number === null ? "" : ` (${invoice.id})`}`,
    ],
    ["customer", invoice.customer.key],
    ["computed", invoice.refreshedAt],
  ]);
  printBody(context, invoice);
}

function printBody(context: CliContext, invoice: Omit<Preview, "notices">): void {
  const { period, timeZone, lines, totals, currency } = invoice;
  context.out.write(`period  ${period.start} … ${period.end}, ${timeZone}\n\n`);
  printTable(
    context,
    ["PRICE", "QUANTITY", "EVENTS", "EXACT AMOUNT", `AMOUNT ${currency}`],
    lines.map((line) => [
      line.price?.key ?? line.name,
      line.quantity === null ? "" : grouped(line.quantity),
      grouped(String(line.eventCount)),
      line.amount,
      line.money.amount,
    ]),
    "No lines.",
  );
  const shown: [string, Money][] = [
    ["subtotal", totals.subtotal],
    ["promotional credits", totals.promotionalCredits],
    ["tax", totals.tax],
    ["total", totals.total],
    ["paid credits", totals.paidCredits],
    ["balance used", totals.balanceUsed],
    ["to balance", totals.toBalance],
    ["due", totals.due],
  ];
  context.out.write("\n");
  printFields(
    context,
    shown
      .filter(([name, { amount }]) => name === "total" || name === "due" || Number(amount) !== 0)
      .map(([name, { amount }]) => [name, `${amount} ${currency}`]),
  );
}

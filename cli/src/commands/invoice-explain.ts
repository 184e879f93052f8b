import type { ExplainedLine, LineExplanation, MeasuredEvent } from "@weir/sdk";
import type { Command } from "commander";
import { take } from "../all-nodes.js";
import type { CliContext } from "../context.js";
import { contextOf, UsageError } from "../context.js";
import { readCount, readInstant } from "../options.js";
import { printHowPaid } from "../payment-text.js";
import { grouped, printFields, printJson, printTable } from "../print.js";
import { subscriptionOf } from "./subscription-of.js";

interface ExplainOptions {
  readonly line?: string;
  readonly at?: string;
  readonly events: number;
}

/** The most that come with an explanation; a walk through all of them goes on behind these. */
const first_events_max = 500;

export function addInvoiceExplainCommand(invoices: Command): void {
  invoices
    .command("explain")
    .argument(
      "<invoice>",
      "an invoice's id; or, before there is one, a subscription or customer as for preview",
    )
    .option("--line <line>", "a line's id or a price's key; needed when there are several")
    .option("--at <instant>", "without an invoice: the period that holds it; now when left out", readInstant)
    .option(
      "--events <count>",
      "show this many of the events behind the line; all for every one",
      readEvents,
      10,
    )
    .description(
      "why a line costs what it costs: price, tiers, meter, days, the events themselves; and how it was paid",
    )
    .action(async (name: string, options: ExplainOptions, command: Command) => {
      const context = contextOf(command);
      const { invoices } = context.weir;
      const line = await findLine(context, name, options);
      const first = Math.min(options.events, first_events_max);
      const explanation = await invoices.explain(line, { first });
      const { nodes, endCursor } = explanation.events;
      const events = nodes.slice(0, options.events);
      if (endCursor !== null && options.events > nodes.length)
        events.push(
          ...(await take(invoices.evidence(line, { after: endCursor }), options.events - nodes.length)),
        );
      const payment = explanation.invoiceId === null ? null : await invoices.howPaid(explanation.invoiceId);
      if (context.json) return printJson(context, { ...explanation, events, payment });
      printExplanation(context, explanation, events);
      if (payment === null) return;
      context.out.write("\n");
      printHowPaid(context, payment);
    });
}

async function findLine(context: CliContext, name: string, options: ExplainOptions): Promise<ExplainedLine> {
  if (name.startsWith("inv_") || name.startsWith("INV-")) {
    const invoice = await context.weir.invoices.find(name);
    if (invoice === null) throw new UsageError(`there is no invoice "${name}"; weir invoices list`);
    const line = pick(options.line, invoice.lines, ({ id, name: called, price }) =>
      price === null ? [called, id] : [price.key, id, price.id],
    );
    return { invoice: name, line: line.id };
  }
  const subscription = await subscriptionOf(context, name);
  const found = await context.weir.graphql.run<{
    subscription: { planVersion: { prices: { id: string; key: string }[] } } | null;
  }>("query ($id: ID!) { subscription(id: $id) { planVersion { prices { id key } } } }", {
    id: subscription,
  });
  if (found.subscription === null)
    throw new UsageError(`there is no subscription "${name}"; weir subscriptions list`);
  const price = pick(options.line, found.subscription.planVersion.prices, ({ id, key }) => [key, id]);
  return { subscription, price: price.key, at: options.at };
}

/** The line that is meant, or the only one. `namesOf` gives first the name to show, then the id. */
function pick<T>(wanted: string | undefined, lines: readonly T[], namesOf: (line: T) => string[]): T {
  const found = wanted === undefined ? lines : lines.filter((line) => namesOf(line).includes(wanted));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (lines.length === 0) throw new UsageError("the invoice has no lines");
  // Late usage has a line of its own beside that of the period: what is named alike is told apart by its id.
  const shown = found.length === 0 ? lines : found;
  const names = shown.map((line) => namesOf(line)[0] ?? "");
  const listed = shown.map((line, index) => {
    const [name = "", id = ""] = namesOf(line);
    return names.indexOf(name) === index && names.lastIndexOf(name) === index ? name : `${id} (${name})`;
  });
  const fault =
    wanted === undefined
      ? "name a line with --line"
      : found.length === 0
        ? `there is no line "${wanted}"`
        : `several lines are named "${wanted}", give one's id`;
  throw new UsageError(`${fault}: ${listed.join(", ")}`);
}

function printExplanation(
  context: CliContext,
  line: LineExplanation,
  events: readonly MeasuredEvent[],
): void {
  const { recorded, meter, planVersion, period } = line;
  printFields(context, [
    [
      "amount",
      Number(line.billedBefore.amount) === 0
        ? `${line.money.amount} ${line.money.currency}  (exactly ${recorded.amount})`
        : `${line.money.amount} ${line.money.currency}  (${recorded.money.amount}, exactly ${recorded.amount}, less ${line.billedBefore.amount} billed before)`,
    ],
    ["customer", line.customer.key],
    ["invoice", line.invoiceId ?? "none yet: a preview"],
    ["period", `${period.start} … ${period.end}, ${line.timeZone}`],
    [
      "price",
      `${line.price === null ? line.name : `${line.price.key} (${line.price.id})`} of ${planVersion.planKey}, version ${planVersion.version}`,
    ],
    [
      "quantity",
      recorded.quantity === null
        ? "none: a fee"
        : `${grouped(recorded.quantity)}${meter === null ? "" : `, ${meter.aggregation} of ${meter.slug} version ${meter.version}`}`,
    ],
    ["subjects", line.subjects.map(({ subject }) => subject).join(", ")],
    ["watermark", JSON.stringify(line.watermark)],
    ["recomputed", line.reproduced ? "the same, digit for digit" : "DIFFERENT"],
  ]);
  for (const { field, recorded: was, recomputed } of line.differences) {
    context.out.write(`  ${field}: the invoice says ${was}, now ${recomputed}\n`);
  }
  context.out.write("\n");
  printTable(
    context,
    ["FROM", "UP TO", "QUANTITY", "UNIT AMOUNT", "FLAT", "AMOUNT"],
    recorded.tiers.map((tier) => [
      grouped(tier.from),
      tier.upTo === null ? "∞" : grouped(tier.upTo),
      grouped(tier.quantity),
      tier.unitAmount,
      tier.flatAmount,
      tier.amount,
    ]),
    "No tiers.",
  );
  context.out.write("\n");
  printTable(
    context,
    ["DAY", "QUANTITY", "EVENTS"],
    line.days.map((day) => [day.date, grouped(day.quantity), grouped(String(day.eventCount))]),
    "No usage in this period.",
  );
  if (events.length === 0) return;
  context.out.write(
    `\n${events.length} of ${grouped(String(recorded.eventCount))} events, in order of time\n`,
  );
  printTable(
    context,
    ["TIME", "SUBJECT", "VALUE", "SOURCE", "ID"],
    events.map((event) => [event.time, event.subject, grouped(event.value), event.source, event.id]),
    "",
  );
}

function readEvents(value: string): number {
  return value === "all" ? Number.MAX_SAFE_INTEGER : value === "0" ? 0 : readCount(value);
}

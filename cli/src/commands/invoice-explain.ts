import type { Command } from "commander";
import type { CliContext } from "../context.js";
import { contextOf, UsageError } from "../context.js";
import { readCount, readInstant } from "../options.js";
import { grouped, printFields, printJson, printTable } from "../print.js";
import { subscriptionOf } from "./subscription-of.js";

interface ExplainOptions {
  readonly line?: string;
  readonly at?: string;
  readonly events: number;
}

interface Computation {
  readonly quantity: string | null;
  readonly eventCount: number;
  readonly amount: string;
  readonly money: { readonly amount: string; readonly currency: string };
  readonly tiers: readonly {
    readonly from: string;
    readonly upTo: string | null;
    readonly quantity: string;
    readonly unitAmount: string;
    readonly flatAmount: string;
    readonly amount: string;
  }[];
}

interface MeasuredEvent {
  readonly id: string;
  readonly source: string;
  readonly subject: string;
  readonly time: string;
  readonly value: string;
  readonly data: unknown;
}

interface Explanation {
  readonly invoiceId: string | null;
  readonly customer: { readonly key: string };
  readonly name: string;
  readonly money: { readonly amount: string; readonly currency: string };
  readonly billedBefore: { readonly amount: string };
  readonly price: { readonly key: string; readonly id: string } | null;
  readonly planVersion: { readonly planKey: string; readonly version: number };
  readonly meter: {
    readonly slug: string;
    readonly version: number;
    readonly aggregation: string;
  } | null;
  readonly period: { readonly start: string; readonly end: string };
  readonly timeZone: string;
  readonly subjects: readonly { readonly subject: string; readonly from: string; readonly to: string }[];
  readonly watermark: unknown;
  readonly recorded: Computation;
  readonly recomputed: Computation;
  readonly reproduced: boolean;
  readonly differences: readonly {
    readonly field: string;
    readonly recorded: string;
    readonly recomputed: string;
  }[];
  readonly days: readonly { readonly date: string; readonly quantity: string; readonly eventCount: number }[];
}

interface EventPage {
  readonly nodes: readonly MeasuredEvent[];
  readonly endCursor: string | null;
}

const computation =
  "{ quantity eventCount amount money { amount currency } tiers { from upTo quantity unitAmount flatAmount amount } }";
const explanationSelection = `name money { amount currency } billedBefore { amount } invoiceId customer { key } price { key id } planVersion { planKey version }
  meter { slug version aggregation } period { start end } timeZone subjects { subject from to } watermark
  recorded ${computation} recomputed ${computation} reproduced differences { field recorded recomputed }
  days { date quantity eventCount }`;
const eventsSelection =
  "events(first: $first, after: $after) { nodes { id source subject time value data } endCursor }";
const events_page = 500;

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
    .description("why a line costs what it costs: price, tiers, meter, days, and the events themselves")
    .action(async (name: string, options: ExplainOptions, command: Command) => {
      const context = contextOf(command);
      const line = await findLine(context, name, options);
      const explanation = await line.read<Explanation>(explanationSelection, {});
      const events = await readAll(line, options.events);
      if (context.json) return printJson(context, { ...explanation, events });
      printExplanation(context, explanation, events);
    });
}

/** Where an explanation is read: of an invoice's line, or of a price before there is an invoice. */
interface ExplainedLine {
  read<T>(selection: string, variables: object): Promise<T>;
}

async function findLine(context: CliContext, name: string, options: ExplainOptions): Promise<ExplainedLine> {
  if (name.startsWith("inv_") || name.startsWith("INV-")) {
    const { invoice } = await context.weir.graphql.run<{
      invoice: { lines: { id: string; name: string; price: { key: string; id: string } | null }[] } | null;
    }>("query ($id: ID!) { invoice(id: $id) { lines { id name price { key id } } } }", { id: name });
    if (invoice === null) throw new UsageError(`there is no invoice "${name}"; weir invoices list`);
    const line = pick(options.line, invoice.lines, ({ id, name: called, price }) =>
      price === null ? [called, id] : [price.key, id, price.id],
    );
    return {
      read: async <T>(selection: string, variables: object) => {
        const { line: read } = await context.weir.graphql.run<{ line: T }>(
          `query ($invoice: ID!, $line: ID!${declare(selection)}) { line: lineExplanation(invoice: $invoice, line: $line) { ${selection} } }`,
          { invoice: name, line: line.id, ...variables },
        );
        return read;
      },
    };
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
  return {
    read: async <T>(selection: string, variables: object) => {
      const { line } = await context.weir.graphql.run<{ line: T }>(
        `query ($subscription: ID!, $price: String!, $at: Instant${declare(selection)}) { line: previewExplanation(subscription: $subscription, price: $price, at: $at) { ${selection} } }`,
        { subscription, price: price.key, at: options.at, ...variables },
      );
      return line;
    },
  };
}

function declare(selection: string): string {
  return selection.includes("$first") ? ", $first: Int, $after: String" : "";
}

/** The line that is meant, or the only one. `namesOf` gives first the name to show. */
function pick<T>(wanted: string | undefined, lines: readonly T[], namesOf: (line: T) => string[]): T {
  const found = wanted === undefined ? lines : lines.filter((line) => namesOf(line).includes(wanted));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const listed = lines.map((line) => namesOf(line)[0]).join(", ");
  if (listed === "") throw new UsageError("the invoice has no lines");
  throw new UsageError(
    `${wanted === undefined ? "name a line with --line" : `there is no line "${wanted}"`}: ${listed}`,
  );
}

async function readAll(line: ExplainedLine, count: number): Promise<MeasuredEvent[]> {
  const events: MeasuredEvent[] = [];
  let after: string | null = null;
  while (events.length < count) {
    const first = Math.min(events_page, count - events.length);
    const page: { events: EventPage } = await line.read(eventsSelection, { first, after });
    events.push(...page.events.nodes);
    after = page.events.endCursor;
    if (after === null) break;
  }
  return events;
}

function printExplanation(context: CliContext, line: Explanation, events: readonly MeasuredEvent[]): void {
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

import { modelIn, type Price } from "../../catalog/core/index.js";
import type { Catalog, PlanVersion } from "../../catalog/index.js";
import type { Currency } from "../../kernel/currency.js";
import { Decimal } from "../../kernel/decimal.js";
import type {
  CustomerId,
  InvoiceId,
  InvoiceLineId,
  OrganizationId,
  SubscriptionId,
} from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { windowBoundaries, type TimeZone } from "../../kernel/time-zone.js";
import { ratedPartToJson } from "../../rating/core/index.js";
import { ratePortion, sumUp, timeZoneAt, type Period, type RatedPortion } from "../core/index.js";
import { measuredIn, partOf } from "../measure-charges.js";
import type {
  BilledMeter,
  EvidencePage,
  UsagePort,
  UsageSelection,
  UsageWatermark,
  WindowQuantity,
} from "../usage-port.js";
import { readEvidenceCursor, writeEvidenceCursor } from "./evidence-cursor.js";
import type { Invoice, InvoicePreview, PreviewLine } from "./invoice.js";
import type { Invoices } from "./invoices.js";
import type { Subscriptions } from "../subscriptions.js";

/** What a charge comes to, and from what. */
export interface LineComputation {
  readonly quantity: Decimal | undefined;
  readonly events: number;
  readonly portions: readonly RatedPortion[];
  /** After discounts, exact, in major units. */
  readonly exact: Decimal;
  /** Rounded once, in minor units. */
  readonly minor: bigint;
}

/** Where a recomputation differs from what is recorded. */
export interface Difference {
  readonly field: "quantity" | "events" | "amount" | "amount_minor" | "parts";
  readonly recorded: string;
  readonly recomputed: string;
}

/** Why a line costs what it costs: its inputs, and the same line computed again from them. */
export interface LineExplanation {
  readonly organization: OrganizationId;
  /** Absent for a preview's line, which is stored nowhere. */
  readonly invoice: InvoiceId | undefined;
  readonly lineId: InvoiceLineId | undefined;
  readonly line: PreviewLine;
  readonly customer: CustomerId;
  readonly subscription: SubscriptionId;
  readonly planVersion: PlanVersion;
  /** Of a charge, and of what is given back of one. */
  readonly price: Price | undefined;
  /** Of a charge on usage. */
  readonly meter: BilledMeter | undefined;
  readonly currency: Currency;
  readonly timeZone: TimeZone;
  readonly watermark: UsageWatermark;
  /** What the invoice says the charge comes to in all; the line is this less what was billed of it before. */
  readonly recorded: LineComputation;
  /** The same, read and rated again at the same watermark. */
  readonly recomputed: LineComputation;
  /** Whether recomputing gave the same quantity, parts and amount, digit for digit. */
  readonly reproduced: boolean;
  /** Where it did not; empty when reproduced. */
  readonly differences: readonly Difference[];
}

export interface ExplanationsDependencies {
  readonly catalog: Catalog;
  readonly usage: UsagePort;
  readonly invoices: Invoices;
  readonly subscriptions: Pick<Subscriptions, "get">;
}

/** Traces a line to the price, the tiers, the meter and the events behind it, and shows that they give its amount. */
export class Explanations {
  readonly #on: ExplanationsDependencies;

  constructor(dependencies: ExplanationsDependencies) {
    this.#on = dependencies;
  }

  /** @throws Refusal 404 for an unknown invoice, or a line that is not the invoice's */
  async ofLine(organization: OrganizationId, invoiceId: string, lineId: string): Promise<LineExplanation> {
    const invoice = await this.#on.invoices.get(organization, invoiceId);
    const line = invoice.lines.find((one) => one.id === lineId);
    if (line === undefined) {
      const detail = `Invoice ${invoice.id} has no line "${lineId.slice(0, 64)}". It has: ${invoice.lines.map((one) => one.id).join(", ")}.`;
      throw new Refusal(makeProblem("line-not-found", 404, "No such line", detail));
    }
    return this.#explain(organization, invoice, line, { invoice: invoice.id, lineId: line.id });
  }

  /**
   * Explains what a price costs so far in the period that holds `at`, without an invoice.
   * @throws Refusal 404 for an unknown subscription or price
   */
  async ofPreview(
    organization: OrganizationId,
    input: { subscription: string; at?: Instant; price: string },
  ): Promise<LineExplanation> {
    const preview = await this.#on.invoices.preview(organization, input.subscription, input.at);
    const keys: string[] = [];
    for (const line of preview.lines) {
      const found =
        line.price === undefined ? undefined : await this.#on.catalog.findPrice(organization, line.price);
      if (found !== undefined) keys.push(found.price.key);
      if (found?.price.key !== input.price && line.price !== input.price) continue;
      return this.#explain(organization, preview, line, { invoice: undefined, lineId: undefined });
    }
    const detail = `The invoice would have no line of price "${input.price.slice(0, 64)}". It would have: ${keys.join(", ")}.`;
    throw new Refusal(makeProblem("price-not-found", 404, "No such price", detail));
  }

  /** The quantity of each local day that has any. Days add up to the line for meters that sum or count. */
  async daysOf(explanation: LineExplanation): Promise<readonly WindowQuantity[]> {
    const selection = selectionOf(explanation);
    if (selection === undefined) return [];
    const { start, end } = explanation.line.covered;
    return this.#on.usage.windows(selection, windowBoundaries(start, end, "DAY", explanation.timeZone));
  }

  /**
   * The events that were measured into the line, in time order. Its cursors carry the watermark, so that the pages of
   * one walk fit together though usage goes on arriving.
   * @throws Refusal 400 for a cursor that is none of ours
   */
  async eventsOf(
    explanation: LineExplanation,
    page: { after?: string; limit: number },
  ): Promise<EvidencePage> {
    const cursor = page.after === undefined ? undefined : readEvidenceCursor(page.after);
    const watermark = cursor?.watermark ?? explanation.watermark;
    const selection = selectionOf(explanation);
    if (selection === undefined) return { rows: [] };
    const found = await this.#on.usage.evidence({
      ...selection,
      watermark,
      limit: page.limit,
      ...(cursor === undefined ? {} : { after: cursor.after }),
    });
    return {
      rows: found.rows,
      ...(found.next === undefined ? {} : { next: writeEvidenceCursor({ watermark, after: found.next }) }),
    };
  }

  async #explain(
    organization: OrganizationId,
    { sections, currency, watermark }: Invoice | InvoicePreview,
    line: PreviewLine,
    named: Pick<LineExplanation, "invoice" | "lineId">,
  ): Promise<LineExplanation> {
    const { catalog, usage, subscriptions } = this.#on;
    const section = sections[line.section];
    if (section === undefined) throw new Error(`line ${named.lineId ?? line.item} is in no section`);
    const planVersion = await catalog.getVersion(organization, section.planVersion);
    // The zone that the charge was measured in: an invoice after a move still corrects what was before.
    const timeZone = timeZoneAt(
      await subscriptions.get(organization, section.subscription),
      line.period.start,
    );
    const known = line.price === undefined ? undefined : await catalog.findPrice(organization, line.price);
    const meter =
      line.meterVersion === undefined ? undefined : await usage.findMeter(organization, line.meterVersion);
    const portions = line.portions.map((portion): RatedPortion => {
      const model = portion.model ?? (known && modelIn(known.price, known, currency));
      if (model === undefined) throw new Error(`line ${named.lineId ?? line.item} has no price model`);
      return { ...portion, model };
    });
    const recorded: LineComputation = {
      quantity: line.quantity,
      events: line.events,
      portions,
      exact: line.exact,
      minor: line.targetNet,
    };
    const again = await this.#recompute(organization, {
      line,
      timeZone,
      price: known?.price,
      portions,
      watermark,
    });
    const target = sumUp(again, currency);
    const recomputed: LineComputation =
      line.kind !== "charge"
        ? recorded
        : {
            quantity: line.quantity === undefined ? undefined : quantityOf(again),
            events: again.reduce((sum, { events }) => sum + events, 0),
            portions: again,
            exact: target.net,
            minor: target.netMinor,
          };
    const differences = compare(recorded, recomputed);
    return {
      organization,
      ...named,
      line,
      customer: section.customer,
      subscription: section.subscription,
      planVersion,
      price: known?.price,
      meter,
      currency,
      timeZone,
      watermark,
      recorded,
      recomputed,
      reproduced: differences.length === 0,
      differences,
    };
  }

  async #recompute(
    organization: OrganizationId,
    {
      line,
      timeZone,
      price,
      portions,
      watermark,
    }: {
      line: PreviewLine;
      timeZone: TimeZone;
      price: Price | undefined;
      portions: readonly RatedPortion[];
      watermark: UsageWatermark;
    },
  ): Promise<RatedPortion[]> {
    const { meterVersion, subjects } = line;
    if (meterVersion === undefined) return portions.map((portion) => ratePortion(portion, undefined));
    const filters = price?.filters ?? [];
    const source = { organization, meterVersion, watermark, ...(filters.length === 0 ? {} : { filters }) };
    const measured = await this.#on.usage.readMany(
      source,
      portions.map((portion) => partOf(portion, subjects, timeZone)),
    );
    return portions.map((portion, index) => {
      const read = measured[index];
      return ratePortion(portion, read && measuredIn(portion, timeZone, read));
    });
  }
}

/** Of usage all of it; of what is held the most that was. */
function quantityOf(portions: readonly RatedPortion[]): Decimal {
  const quantities = portions.map(({ quantity }) => quantity);
  return portions.some(({ held }) => held !== undefined)
    ? Decimal.max(Decimal.zero, ...quantities)
    : Decimal.sum(quantities);
}

/** Every difference between what is recorded and the same computed again. */
function compare(recorded: LineComputation, recomputed: LineComputation): Difference[] {
  const texts = [comparable(recorded), comparable(recomputed)] as const;
  const fields: Difference["field"][] = ["quantity", "events", "amount", "amount_minor", "parts"];
  return fields
    .map((field) => ({ field, recorded: texts[0][field], recomputed: texts[1][field] }))
    .filter((difference) => difference.recorded !== difference.recomputed);
}

function comparable({
  quantity,
  events,
  exact,
  minor,
  portions,
}: LineComputation): Record<Difference["field"], string> {
  return {
    quantity: quantity?.toString() ?? "",
    events: String(events),
    amount: exact.toString(),
    amount_minor: minor.toString(),
    parts: JSON.stringify(
      portions.map((portion) => [
        portion.quantity.toString(),
        portion.gross.toString(),
        portion.parts.map(ratedPartToJson),
      ]),
    ),
  };
}

/** Whose usage is behind a line; undefined without any. */
function selectionOf({ organization, line, price, watermark }: LineExplanation): UsageSelection | undefined {
  const { meterVersion, subjects } = line;
  if (meterVersion === undefined || subjects.length === 0) return undefined;
  const period: Period = line.covered;
  const filters = price?.filters ?? [];
  return {
    organization,
    meterVersion,
    subjects,
    period,
    watermark,
    ...(filters.length === 0 ? {} : { filters }),
  };
}

import type { Catalog, PlanVersion, Price } from "../catalog/index.js";
import type { Currency } from "../kernel/currency.js";
import type { CustomerId, InvoiceId, InvoiceLineId, OrganizationId, SubscriptionId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { windowBoundaries, type TimeZone } from "../kernel/time-zone.js";
import { compareLines, rateLine, type Difference, type Period, type RatedLine } from "./core/index.js";
import { readEvidenceCursor, writeEvidenceCursor } from "./evidence-cursor.js";
import type { Invoices } from "./invoices.js";
import { readQuantity } from "./preview-invoice.js";
import type {
  BilledMeter,
  EvidencePage,
  UsagePort,
  UsageSelection,
  UsageWatermark,
  WindowQuantity,
} from "./usage-port.js";

/** Why a line costs what it costs: its inputs, and the same line computed again from them. */
export interface LineExplanation {
  readonly organization: OrganizationId;
  /** Absent for a preview's line, which is stored nowhere. */
  readonly invoice: InvoiceId | undefined;
  readonly line: InvoiceLineId | undefined;
  readonly customer: CustomerId;
  readonly subscription: SubscriptionId;
  readonly planVersion: PlanVersion;
  readonly price: Price;
  readonly meter: BilledMeter;
  readonly currency: Currency;
  readonly period: Period;
  readonly timeZone: TimeZone;
  readonly watermark: UsageWatermark;
  /** What the invoice says. */
  readonly recorded: RatedLine;
  /** The same, read and rated again at the same watermark. */
  readonly recomputed: RatedLine;
  /** Whether recomputing gave the same quantity, tiers and amount, digit for digit. */
  readonly reproduced: boolean;
  /** Where it did not; empty when reproduced. */
  readonly differences: readonly Difference[];
}

export interface ExplanationsDependencies {
  readonly catalog: Catalog;
  readonly usage: UsagePort;
  readonly invoices: Invoices;
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
      const detail = `Invoice ${invoice.id} has no line "${lineId}". It has: ${invoice.lines.map((one) => one.id).join(", ")}.`;
      throw new Refusal(makeProblem("line-not-found", 404, "No such line", detail));
    }
    const planVersion = await this.#on.catalog.getVersion(organization, invoice.planVersion);
    const price = planVersion.prices.find((one) => one.id === line.price);
    if (price === undefined)
      throw new Error(`line ${line.id} names price ${line.price}, which ${planVersion.id} has not`);
    const { customer, subscription, currency, period, timeZone, watermark } = invoice;
    const named = { organization, invoice: invoice.id, line: line.id, customer, subscription };
    return this.#explain({
      ...named,
      planVersion,
      price,
      currency,
      period,
      timeZone,
      watermark,
      recorded: { ...line, price },
    });
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
    const recorded = preview.lines.find(
      (line) => line.price.key === input.price || line.price.id === input.price,
    );
    if (recorded === undefined) {
      const keys = preview.lines.map((line) => line.price.key).join(", ");
      const detail = `Plan "${preview.planVersion.planKey}" has no price "${input.price}". It has: ${keys}.`;
      throw new Refusal(makeProblem("price-not-found", 404, "No such price", detail));
    }
    const { subscription, planVersion, currency, period, timeZone, watermark } = preview;
    const named = {
      organization,
      invoice: undefined,
      line: undefined,
      customer: subscription.customer,
      subscription: subscription.id,
    };
    return this.#explain({
      ...named,
      planVersion,
      price: recorded.price,
      currency,
      period,
      timeZone,
      watermark,
      recorded,
    });
  }

  /** The quantity of each local day that has any. Days add up to the line for meters that sum or count. */
  async daysOf(explanation: LineExplanation): Promise<readonly WindowQuantity[]> {
    const selection = selectionOf(explanation);
    if (selection.subjects.length === 0) return [];
    const { period, timeZone } = explanation;
    return this.#on.usage.windows(selection, windowBoundaries(period.start, period.end, "DAY", timeZone));
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
    const selection = { ...selectionOf(explanation), watermark };
    if (selection.subjects.length === 0) return { rows: [] };
    const found = await this.#on.usage.evidence({
      ...selection,
      limit: page.limit,
      ...(cursor === undefined ? {} : { after: cursor.after }),
    });
    return {
      rows: found.rows,
      ...(found.next === undefined ? {} : { next: writeEvidenceCursor({ watermark, after: found.next }) }),
    };
  }

  async #explain(
    inputs: Omit<LineExplanation, "meter" | "recomputed" | "reproduced" | "differences">,
  ): Promise<LineExplanation> {
    const { organization, recorded, price, currency } = inputs;
    const meter = await this.#on.usage.findMeter(organization, recorded.meterVersion);
    if (meter === undefined) throw new Error(`meter version ${recorded.meterVersion} of a line is not there`);
    const { meterVersion, subjects } = recorded;
    const measured = await readQuantity(this.#on.usage, selectionOf(inputs));
    const recomputed = rateLine(price, { meterVersion, subjects, ...measured }, currency);
    const differences = compareLines(recorded, recomputed);
    return { ...inputs, meter, recomputed, reproduced: differences.length === 0, differences };
  }
}

function selectionOf(
  inputs: Pick<LineExplanation, "organization" | "recorded" | "period" | "watermark">,
): UsageSelection {
  const { organization, recorded, period, watermark } = inputs;
  return {
    organization,
    meterVersion: recorded.meterVersion,
    subjects: recorded.subjects,
    period,
    watermark,
  };
}

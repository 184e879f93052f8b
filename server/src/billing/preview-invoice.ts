import type { PlanVersion, Price } from "../catalog/index.js";
import { Decimal } from "../kernel/decimal.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import {
  cutToPeriod,
  rateLine,
  timeZoneAt,
  totalOf,
  type BilledSpan,
  type Period,
  type SubjectSpan,
} from "./core/index.js";
import type { InvoicePreview } from "./invoice.js";
import type { Subscription } from "./subscription.js";
import type { BilledMeter, UsagePort, UsageSelection } from "./usage-port.js";

/** What a preview is computed from besides usage. */
export interface PreviewInputs {
  readonly organization: OrganizationId;
  readonly subscription: Subscription;
  readonly planVersion: PlanVersion;
  readonly period: Period;
  /** The customer's, at least those that touch the period. */
  readonly spans: readonly SubjectSpan[];
  readonly now: Instant;
}

/**
 * Computes what a period costs from nothing but metered usage at the present watermark. Nothing is stored.
 * @throws Refusal 409 while a meter's history is still being measured
 */
export async function previewInvoice(usage: UsagePort, inputs: PreviewInputs): Promise<InvoicePreview> {
  const { organization, subscription, planVersion, period, now } = inputs;
  const { currency } = planVersion;
  const subjects = cutToPeriod(inputs.spans, period);
  const priced = await Promise.all(
    planVersion.prices.map(async (price) => ({ price, meter: await meterOf(usage, organization, price) })),
  );
  const watermark = await usage.watermark(
    organization,
    priced.map(({ meter }) => meter.id),
  );
  const lines = await Promise.all(
    priced.map(async ({ price, meter }) => {
      const selection = { organization, meterVersion: meter.id, subjects, period, watermark };
      return rateLine(
        price,
        { meterVersion: meter.id, subjects, ...(await readQuantity(usage, selection)) },
        currency,
      );
    }),
  );
  const notices = noticesOf(subjects, lines);
  const timeZone = timeZoneAt(subscription, period.start);
  return {
    subscription,
    planVersion,
    period,
    timeZone,
    currency,
    watermark,
    lines,
    notices,
    computedAt: now,
    ...totalOf(lines, currency),
  };
}

/** Without a subject there is no usage; the question would otherwise be about everyone's. */
export async function readQuantity(
  usage: UsagePort,
  selection: UsageSelection,
): Promise<{ quantity: Decimal; events: number }> {
  if (selection.subjects.length === 0) return { quantity: Decimal.zero, events: 0 };
  return usage.quantity(selection);
}

async function meterOf(usage: UsagePort, organization: OrganizationId, price: Price): Promise<BilledMeter> {
  const meter = price.meter === undefined ? undefined : await usage.findMeter(organization, price.meter.id);
  if (meter !== undefined) return meter;
  const detail = `Price "${price.key}" is on meter "${price.meter?.slug ?? ""}", which cannot be found.`;
  throw new Refusal(
    makeProblem("meter-missing", 409, "A price's meter is missing", detail, { price: price.key }),
  );
}

/** What a reader of a preview that comes to nothing should look at first: a zero is never silent. */
function noticesOf(subjects: readonly BilledSpan[], lines: readonly { readonly events: number }[]): string[] {
  if (subjects.length === 0)
    return ["The customer owns no subject in this period, so no usage is theirs: assign one."];
  if (lines.some((line) => line.events > 0)) return [];
  return ["No event of the customer's subjects was measured in this period by the meters of this plan."];
}

import { modelIn } from "../../catalog/core/index.js";
import type { Postgres } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import { exponentOf } from "../../kernel/currency.js";
import { Decimal } from "../../kernel/decimal.js";
import type { MeterVersionId, OrganizationId } from "../../kernel/ids.js";
import { day, type Instant } from "../../kernel/instant.js";
import { decideRates, type TaxRate, type TaxTable } from "../../tax/core/index.js";
import type { TaxPort } from "../../tax/index.js";
import type { CatalogPort } from "../catalog-port.js";
import {
  billingPeriodAt,
  byKey,
  computeSection,
  currentPeriod,
  cutToPeriod,
  keyText,
  phaseAt,
  planSection,
  sectionReach,
  timeZoneAt,
  type BilledCharges,
  type Contract,
  type Measured,
  type RatedPortion,
  type Period,
  type SectionLine,
  type SectionPlan,
  type SectionScope,
  type Subscription,
} from "../core/index.js";
import type { Customer } from "../customer.js";
import { loadContracts } from "../load-contracts.js";
import {
  measureCharges,
  meterVersionOf,
  metersOf,
  type BilledMeters,
  type ChargedUsage,
} from "../measure-charges.js";
import { readBilled } from "../store/billed-charges.js";
import { readClaims, type Claims } from "../store/invoice-sections.js";
import type { UsagePort, UsageWatermark } from "../usage-port.js";
import type { InvoiceSection } from "./invoice.js";
import type { InvoiceOrder, OrderedSection } from "./invoice-order.js";
import type { PricedInvoice, PricedLine } from "./priced-invoice.js";
import type { RecordedPortion } from "./recorded-portion.js";
import { none_known, readSituation, type KnownSubscriptions, type Situation } from "./situation.js";

export interface PricingDependencies {
  readonly postgres: Postgres;
  readonly catalog: CatalogPort;
  readonly usage: UsagePort;
  readonly tax: TaxPort;
}

/** How long after a period what was billed for it is looked at again: late usage within it is on the next invoice. */
export const late_usage_days = 35;
/** What a plan leaves out: how long a draft waits for usage that is under way. */
const grace_hours_default = 24;

/** A section on its way: its contract, what it must measure, and what it came to. */
interface SectionAtWork {
  readonly order: OrderedSection;
  readonly contract: Contract;
  readonly plan: SectionPlan;
  readonly claims: Claims | undefined;
}

/**
 * Computes invoices up to where credits and balance come in, from one watermark of usage, by few queries however many
 * there are. What comes out holds for the subscriptions' progress that it names; nothing is written.
 * @param known  what was read of some of the subscriptions already
 * @throws Refusal 404 for an unknown subscription, 409 while a meter's history is still being measured
 */
export async function priceInvoices(
  on: PricingDependencies,
  organization: OrganizationId,
  orders: readonly InvoiceOrder[],
  known: KnownSubscriptions = none_known,
): Promise<PricedInvoice[]> {
  const sections = orders.flatMap((order) => order.sections);
  const situation = await readSituation(on, organization, sections, known);
  const contracts = await loadContracts(on.catalog, organization, [...situation.subscriptions.values()]);
  const byId = new Map(contracts.map((contract) => [contract.subscription.id, contract]));
  const ordered = sections.map((section) => {
    const contract = mustHave(byId, section.subscription);
    return { ...section, period: currentPeriod(contract.subscription, section) };
  });
  const { claims, billed } = await on.postgres.inOrganization(organization, async (sql) => {
    const claimed = await readClaims(sql, ordered);
    const asked = ordered.map((section) => {
      const { subscription, kind, period } = section;
      const scope = scopeOf(section, claimed.get(subscription));
      return {
        subscription,
        kind,
        end: period.end,
        since: sectionReach(mustHave(byId, subscription), scope),
      };
    });
    return { claims: claimed, billed: await readBilled(sql, asked) };
  });
  const atWork = ordered.map((order): SectionAtWork => {
    const contract = mustHave(byId, order.subscription);
    const claim = claims.get(order.subscription);
    const plan = planSection(contract, scopeOf(order, claim), byKey(billed.get(order.subscription) ?? []));
    return { order, contract, plan, claims: claim };
  });
  const { watermark, meters, measured } = await measureSections(on.usage, organization, atWork, situation);
  let next = 0;
  return orders.map((order) => {
    const own = atWork.slice(next, next + order.sections.length);
    const ownMeasured = measured.slice(next, next + order.sections.length);
    next += order.sections.length;
    return toInvoice(order, own, ownMeasured, { situation, watermark, meters });
  });
}

function scopeOf({ kind, period }: OrderedSection, claims: Claims | undefined): SectionScope {
  return { kind, period, claimedUntil: claims?.claimedUntil, lookback: late_usage_days * day };
}

/** What was measured for each section's usage charges, by their keys. */
async function measureSections(
  usage: UsagePort,
  organization: OrganizationId,
  sections: readonly SectionAtWork[],
  { spans }: Situation,
): Promise<{
  watermark: UsageWatermark;
  meters: BilledMeters;
  measured: ReadonlyMap<string, readonly Measured[]>[];
}> {
  const charged = sections.flatMap(({ contract, plan }): ChargedUsage[] =>
    plan.usage.map((charge) => ({
      charge,
      spans: spans.get(contract.subscription.customer) ?? [],
      timeZone: timeZoneAt(contract.subscription, charge.period.start),
      meterVersion: plan.billed.get(keyText(charge))?.meterVersion,
    })),
  );
  const meters = await metersOf(
    usage,
    organization,
    charged.map(({ charge }) => charge),
  );
  const versions = new Set(charged.map((one) => meterVersionOf(meters, one)));
  const watermark = versions.size === 0 ? [] : await usage.watermark(organization, [...versions]);
  const readings = await measureCharges(usage, { organization, watermark, meters }, charged);
  let next = 0;
  const measured = sections.map(({ plan }) => {
    const known = new Map<string, readonly Measured[]>();
    for (const charge of plan.usage) {
      known.set(keyText(charge), readings[next] ?? []);
      next += 1;
    }
    return known;
  });
  return { watermark, meters, measured };
}

interface Shared {
  readonly situation: Situation;
  readonly watermark: UsageWatermark;
  readonly meters: BilledMeters;
}

function toInvoice(
  order: InvoiceOrder,
  sections: readonly SectionAtWork[],
  measured: readonly ReadonlyMap<string, readonly Measured[]>[],
  { situation, watermark, meters }: Shared,
): PricedInvoice {
  const [first] = sections;
  if (first === undefined) throw new RangeError("an invoice has at least one section");
  const { subscription } = first.contract;
  const payer = mustHave(situation.customers, subscription.payer);
  const notices = new Set<string>();
  const taxNotices = new Set<string>();
  const rates = ratesFor(situation.tax, payer, taxNotices);
  const boundary = latest(sections.map(({ order: { period } }) => period.end));
  const lines: PricedLine[] = [];
  for (const [position, section] of sections.entries()) {
    const { contract, plan } = section;
    const spans = situation.spans.get(contract.subscription.customer) ?? [];
    for (const line of computeSection(plan, measured[position] ?? new Map<string, readonly Measured[]>())) {
      const meterVersion = meterVersionOfLine(line, plan.billed, meters);
      const place = {
        section: position,
        meterVersion,
        subjects: meterVersion === undefined ? [] : cutToPeriod(spans, line.covered),
        rate: line.billed?.rate ?? rates(line.category, (line.covered.end - 1) as Instant),
        boundary,
      };
      lines.push(recordLine(line, recordContent(contract, line), place));
    }
    const hasUsage = plan.usage.length > 0;
    if (hasUsage && cutToPeriod(spans, { start: plan.from, end: plan.to }).length === 0)
      notices.add("The customer owns no subject in this period, so no usage is theirs: assign one.");
  }
  const usageLines = lines.filter((line) => line.meterVersion !== undefined);
  if (notices.size === 0 && usageLines.length > 0 && usageLines.every((line) => line.events === 0))
    notices.add(
      "No event of the customer's subjects was measured in this period by the meters of this plan.",
    );
  const issueAt = latest([
    ...(order.draft === undefined ? [] : [order.draft.issueAt]),
    ...(order.issueNotBefore === undefined ? [] : [order.issueNotBefore]),
    ...sections.flatMap((section) => [
      graceEnd(section),
      ...(section.claims?.draft === undefined ? [] : [section.claims.draft.issueAt]),
    ]),
  ]);
  return {
    draft: order.draft,
    payer,
    kind: first.order.kind,
    currency: subscription.currency,
    timeZone: timeZoneAt(subscription, (boundary - 1) as Instant),
    boundary,
    issueAt,
    creditsUntil: creditsUntil(first.order.kind, subscription, boundary),
    watermark,
    notices: [...notices, ...taxNotices],
    sections: sections.map(sectionOf),
    lines,
    progress: new Map(
      sections.map(({ order: { subscription: id } }) => [id, situation.progress.get(id)?.version ?? 0]),
    ),
    waitsFor: sections.find(({ claims }) => claims?.draft !== undefined)?.claims?.draft?.invoice,
    isBare: lines.length === 0 && sections.every(isBare),
  };
}

function sectionOf({ order, contract }: SectionAtWork, position: number): InvoiceSection {
  const { subscription } = contract;
  const { kind, period } = order;
  return {
    position,
    subscription: subscription.id,
    customer: subscription.customer,
    kind,
    period,
    timeZone: timeZoneAt(subscription, period.start),
    planVersion: phaseOf(subscription, period.end).planVersion,
  };
}

/** The phase in force up to an instant. */
function phaseOf(subscription: Subscription, end: Instant) {
  const at = Math.max(subscription.startedAt, end - 1) as Instant;
  const phase = phaseAt(subscription, at) ?? subscription.schedule.at(-1);
  if (phase === undefined) throw new RangeError(`subscription ${subscription.id} has no phase`);
  return phase;
}

function graceEnd({ order, contract, plan }: SectionAtWork): Instant {
  const { kind, period } = order;
  // What waits for no usage needs no grace; what bills usage ahead takes what is there.
  if (kind !== "period" || plan.usage.length === 0) return period.end;
  const { planVersion } = phaseOf(contract.subscription, period.end);
  const hours = contract.planVersions.get(planVersion)?.graceHours ?? grace_hours_default;
  return (period.end + hours * (day / 24)) as Instant;
}

/** A grant counts when it is valid in the last instant of what is billed; what is due at the start, is for the first period. */
function creditsUntil(kind: InvoiceSection["kind"], subscription: Subscription, boundary: Instant): Instant {
  return kind === "start" ? (billingPeriodAt(subscription, boundary)?.end ?? boundary) : boundary;
}

/** A period before anything is charged, such as in a trial, and a look back that found nothing, have no invoice. */
function isBare({ order: { kind }, plan }: SectionAtWork): boolean {
  return kind !== "period" || (plan.charges.length === 0 && plan.others.length === 0);
}

/** The rate of a category on the day of an instant, decided once for each; what is missing becomes a notice. */
function ratesFor(table: TaxTable, payer: Customer, notices: Set<string>) {
  const buyer = {
    country: payer.address?.country,
    region: payer.address?.region,
    postalCode: payer.address?.postalCode,
    taxId: payer.taxId,
    taxExempt: payer.taxExempt,
    timeZone: payer.timeZone,
  };
  const known = new Map<string, TaxRate>();
  return (category: string, at: Instant): TaxRate => {
    const key = `${category} ${at}`;
    const rate = known.get(key) ?? decideRates(table, buyer, [category], at).get(category);
    if (rate === undefined) throw new RangeError(`no tax rate was decided for ${category}`);
    known.set(key, rate);
    if (rate.notice !== undefined) notices.add(rate.notice);
    return rate;
  };
}

function meterVersionOfLine(
  { content, billed }: SectionLine,
  known: BilledCharges,
  meters: BilledMeters,
): MeterVersionId | undefined {
  if (content.kind !== "charge") return billed?.meterVersion;
  const { charge } = content;
  if (charge.price.charge !== "usage") return undefined;
  return meterVersionOf(meters, { charge, meterVersion: known.get(keyText(charge))?.meterVersion });
}

/** What a line says of what it is for. */
type RecordedContent = Pick<
  PricedLine,
  "kind" | "price" | "quantity" | "events" | "portions" | "adjustment" | "exact"
>;

/** Field by field: a run makes thousands of these a second, and objects of so many fields are slow to spread. */
function recordLine(
  line: SectionLine,
  content: RecordedContent,
  place: Pick<PricedLine, "section" | "meterVersion" | "subjects" | "rate"> & { readonly boundary: Instant },
): PricedLine {
  return {
    section: place.section,
    kind: content.kind,
    item: line.item,
    period: line.period,
    covered: line.covered,
    name: line.name,
    category: line.category,
    price: content.price,
    meterVersion: place.meterVersion,
    subjects: place.subjects,
    quantity: content.quantity,
    events: content.events,
    portions: content.portions,
    adjustment: content.adjustment,
    exact: content.exact,
    targetGross: line.targetGross,
    targetNet: line.targetNet,
    billedGross: line.billedGross,
    billedNet: line.billedNet,
    gross: line.gross,
    net: line.net,
    rate: place.rate,
    isCorrection: line.isCorrection,
    earnedOver: place.meterVersion === undefined ? earnedOver(line, place.boundary) : undefined,
  };
}

/** What follows from charges, or takes them back, is mostly about such as are earned over time: see PricedLine. */
function earnedOver({ content, covered, billed }: SectionLine, boundary: Instant): Period | undefined {
  if (content.kind === "charge" && content.charge.price.charge === "one_off") return undefined;
  if (billed === undefined) return covered;
  const start = Math.max(covered.start, boundary) as Instant;
  const end = Math.max(covered.end, billed.covered.end) as Instant;
  return start < end ? { start, end } : undefined;
}

function recordContent(contract: Contract, { content, billed }: SectionLine): RecordedContent {
  const { currency } = contract.subscription;
  switch (content.kind) {
    case "charge": {
      const { charge, target } = content;
      const own = modelIn(charge.price, versionOf(contract, charge.source), currency);
      return {
        kind: "charge",
        price: charge.price.id,
        quantity: quantityOf(charge.price.charge, target.portions),
        events: target.portions.reduce((sum, portion) => sum + portion.events, 0),
        portions: target.portions.map(
          (portion): RecordedPortion => ({
            ...portion,
            model: portion.model === own ? undefined : portion.model,
          }),
        ),
        adjustment: undefined,
        exact: target.net,
      };
    }
    case "adjustment": {
      const { kind, agreedMinor, baseMinor, targetMinor } = content.adjustment;
      return {
        kind: "adjustment",
        price: undefined,
        quantity: undefined,
        events: 0,
        portions: [],
        adjustment: { kind, agreed: agreedMinor, base: baseMinor },
        exact: majorOf(targetMinor, currency),
      };
    }
    case "vanished":
      return {
        kind: "reversal",
        price: billed?.price,
        quantity: undefined,
        events: 0,
        portions: [],
        adjustment: undefined,
        exact: Decimal.zero,
      };
    default:
      return content satisfies never;
  }
}

function versionOf(contract: Contract, source: { kind: "plan" | "add_on"; version: string }) {
  const versions: ReadonlyMap<string, { readonly currency: Currency }> =
    source.kind === "plan" ? contract.planVersions : contract.addOnVersions;
  return mustHave(versions, source.version);
}

/** Of usage all of it; of what is held the most that was. A fee has none. */
function quantityOf(charge: string, portions: readonly RatedPortion[]): Decimal | undefined {
  const quantities = portions.map(({ quantity }) => quantity);
  if (charge === "usage") return Decimal.sum(quantities);
  return charge === "licensed" ? Decimal.max(Decimal.zero, ...quantities) : undefined;
}

function majorOf(minor: bigint, currency: Currency): Decimal {
  return Decimal.fromUnscaled(minor, exponentOf(currency));
}

function latest(instants: readonly Instant[]): Instant {
  return Math.max(...instants) as Instant;
}

function mustHave<Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): Value {
  const value = map.get(key);
  if (value === undefined) throw new RangeError(`${String(key)} is not loaded`);
  return value;
}

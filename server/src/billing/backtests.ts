import { setImmediate as nextTurn } from "node:timers/promises";
import type { Catalog, PlanDefinition, PlanVersion } from "../catalog/index.js";
import { modelIn } from "../catalog/core/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { CustomerId, MeterVersionId, OrganizationId, PlanId, SubscriptionId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { CatalogPort } from "./catalog-port.js";
import {
  billingPeriodAt,
  computeSection,
  keyText,
  nextBoundary,
  planSection,
  summarizeBacktest,
  timeZoneAt,
  type BacktestedAmount,
  type BacktestSummary,
  type Contract,
  type Measured,
  type Period,
  type SectionPlan,
  type SubjectSpan,
  type Subscription,
} from "./core/index.js";
import { loadContracts } from "./load-contracts.js";
import { measureCharges, metersOf, type ChargedUsage } from "./measure-charges.js";
import { listSpansOf } from "./store/customer-subjects.js";
import { countSubscriptionsOnPlan, listSubscriptionsOnPlan } from "./store/plan-subscriptions.js";
import { readSubscriptions } from "./store/subscriptions.js";
import type { UsagePort, UsageWatermark } from "./usage-port.js";

export interface BacktestRequest {
  /** Id or key. */
  readonly plan: string;
  /** The billing periods that end within (start, end] are rated. */
  readonly period: Period;
  /** The prices to try; stored nowhere. */
  readonly draft: PlanDefinition;
}

export interface Backtest extends BacktestSummary {
  readonly plan: PlanId;
  readonly planKey: string;
  readonly draft: PlanVersion;
  readonly period: Period;
  /** The usage that both were rated by. */
  readonly watermark: UsageWatermark;
  readonly subscriptions: number;
  /** Subscriptions that could not be compared, since the draft has no price in their currency. */
  readonly incomparable: readonly SubscriptionId[];
}

export interface BacktestsDependencies {
  readonly postgres: Postgres;
  readonly catalog: Catalog;
  readonly catalogPort: CatalogPort;
  readonly usage: UsagePort;
}

const subscriptions_max = 20_000;
/**
 * Subscriptions of neighbouring ids have subjects all over the usage table: each page reads most of it. 10,000 by pages
 * of 500 read it twenty times, which was more than half of the time. Spans of 2,000 are also what one query takes.
 * 20,000 subscriptions fit in a heap of 256 MiB so.
 */
const page_subscriptions = 2_000;
/** Planned or rated without a break, some 15 ms: other requests wait for it. */
const turn_subscriptions = 100;
const billing_periods_max = 60;

/** Rates past usage under other prices, for everybody on a plan: what it would have earned, who would pay less, who more. */
export class Backtests {
  readonly #on: BacktestsDependencies;

  constructor(dependencies: BacktestsDependencies) {
    this.#on = dependencies;
  }

  /**
   * Compares amounts before tax and credits, by the lines that an invoice of each billing period would have, under the
   * subscription's own plan versions and with every version of the plan replaced by the draft. Overrides and quantities
   * stay.
   * @throws Refusal 400 for a bad draft or period, 404 for an unknown plan, 409 while a meter's history is still being
   *         measured, 422 beyond 20,000 subscriptions
   */
  async run(organization: OrganizationId, { plan, period, draft }: BacktestRequest): Promise<Backtest> {
    const { postgres, catalog, usage } = this.#on;
    if (period.end <= period.start) throw badPeriod(period);
    const version = await catalog.draftVersion(organization, plan, draft);
    const on = { plan: version.plan, period };
    const subscriptions = await postgres.inOrganization(organization, (sql) =>
      countSubscriptionsOnPlan(sql, on),
    );
    if (subscriptions > subscriptions_max) throw tooMany(subscriptions);
    const watermark = await usage.watermark(organization, await this.#metersOfPlan(organization, version));
    const amounts: BacktestedAmount[] = [];
    const incomparable: SubscriptionId[] = [];
    for (let after: SubscriptionId | undefined; ; ) {
      const page = await this.#read(organization, {
        ...on,
        limit: page_subscriptions,
        ...(after === undefined ? {} : { after }),
      });
      const last = page.subscriptions.at(-1);
      if (last === undefined) break;
      after = last.id;
      const comparable = page.subscriptions.filter((one) => isSoldIn(version, one));
      incomparable.push(...page.subscriptions.filter((one) => !isSoldIn(version, one)).map(({ id }) => id));
      amounts.push(
        ...(await this.#compare(organization, {
          version,
          period,
          watermark,
          comparable,
          spans: page.spans,
        })),
      );
    }
    return {
      plan: version.plan,
      planKey: version.planKey,
      draft: version,
      period,
      watermark,
      subscriptions,
      incomparable,
      ...summarizeBacktest(amounts),
    };
  }

  async #metersOfPlan(organization: OrganizationId, { prices }: PlanVersion): Promise<MeterVersionId[]> {
    const found: MeterVersionId[] = [];
    for (const { meter } of prices) {
      const read = meter === undefined ? undefined : await this.#on.usage.findMeter(organization, meter.id);
      if (read !== undefined) found.push(read.id);
    }
    return found;
  }

  async #read(organization: OrganizationId, page: Parameters<typeof listSubscriptionsOnPlan>[1]) {
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const subscriptions = await readSubscriptions(sql, await listSubscriptionsOnPlan(sql, page));
      const customers = [...new Set(subscriptions.map(({ customer }) => customer))];
      const spans = new Map<CustomerId, SubjectSpan[]>();
      for (const span of await listSpansOf(sql, customers)) {
        const known = spans.get(span.customer);
        if (known === undefined) spans.set(span.customer, [span]);
        else known.push(span);
      }
      return { subscriptions, spans };
    });
  }

  async #compare(
    organization: OrganizationId,
    on: {
      readonly version: PlanVersion;
      readonly period: Period;
      readonly watermark: UsageWatermark;
      readonly comparable: readonly Subscription[];
      readonly spans: ReadonlyMap<CustomerId, readonly SubjectSpan[]>;
    },
  ): Promise<BacktestedAmount[]> {
    const contracts = await loadContracts(this.#on.catalogPort, organization, on.comparable);
    const pairs = await inTurns(contracts, (contract) => {
      const periods = periodsWithin(contract.subscription, on.period);
      const drafted = withDraft(contract, on.version);
      return {
        subscription: contract.subscription,
        current: periods.map((period) => sectionOf(contract, period)),
        draft: periods.map((period) => sectionOf(drafted, period)),
      };
    });
    const charged: ChargedUsage[] = pairs.flatMap(({ subscription, current, draft }) =>
      [...current, ...draft].flatMap((plan) =>
        plan.usage.map((charge) => ({
          charge,
          spans: on.spans.get(subscription.customer) ?? [],
          timeZone: timeZoneAt(subscription, charge.period.start),
        })),
      ),
    );
    const meters = await metersOf(
      this.#on.usage,
      organization,
      charged.map(({ charge }) => charge),
    );
    const measured = await measureCharges(
      this.#on.usage,
      { organization, watermark: on.watermark, meters },
      charged,
    );
    let next = 0;
    const sumOf = (plans: readonly SectionPlan[]): bigint =>
      plans.reduce((sum, plan) => {
        const known = new Map<string, readonly Measured[]>();
        for (const charge of plan.usage) {
          known.set(keyText(charge), measured[next] ?? []);
          next += 1;
        }
        return sum + computeSection(plan, known).reduce((net, line) => net + line.net, 0n);
      }, 0n);
    return inTurns(pairs, ({ subscription, current, draft }) => {
      const { customer, currency } = subscription;
      const before = sumOf(current);
      return { customer, currency, current: before, draft: sumOf(draft) };
    });
  }
}

/** Maps in order, and lets other requests have their turn in between. */
async function inTurns<T, U>(items: readonly T[], each: (item: T) => U): Promise<U[]> {
  const results: U[] = [];
  for (const item of items) {
    if (results.length > 0 && results.length % turn_subscriptions === 0) await nextTurn();
    results.push(each(item));
  }
  return results;
}

/** The subscription's billing periods that end within (start, end]. */
function periodsWithin(subscription: Subscription, { start, end }: Period): Period[] {
  const periods: Period[] = [];
  let at: Instant | undefined = start < subscription.startedAt ? subscription.startedAt : start;
  while (at !== undefined && at < end && periods.length < billing_periods_max) {
    const period = billingPeriodAt(subscription, at);
    if (period !== undefined && period.end > end) break;
    if (period !== undefined && period.end > start) periods.push(period);
    at = period !== undefined && period.end > at ? period.end : nextBoundary(subscription, at);
  }
  return periods;
}

function sectionOf(contract: Contract, period: Period): SectionPlan {
  return planSection(contract, { kind: "period", period, claimedUntil: undefined, lookback: 0 }, new Map());
}

/** The same subscription with every version of the draft's plan replaced by the draft. */
function withDraft(contract: Contract, draft: PlanVersion): Contract {
  const { subscription, planVersions } = contract;
  const schedule = subscription.schedule.map((phase) =>
    planVersions.get(phase.planVersion)?.plan === draft.plan ? { ...phase, planVersion: draft.id } : phase,
  );
  return {
    ...contract,
    subscription: { ...subscription, schedule },
    planVersions: new Map([...planVersions, [draft.id, draft]]),
  };
}

function isSoldIn(draft: PlanVersion, { currency }: Subscription): boolean {
  return draft.prices.every((price) => modelIn(price, draft, currency) !== undefined);
}

function badPeriod({ start, end }: Period): Refusal {
  const detail = `The period ends at ${formatInstant(end)}, which is not after its start, ${formatInstant(start)}.`;
  return new Refusal(makeProblem("invalid-period", 400, "The period is not valid", detail));
}

function tooMany(subscriptions: number): Refusal {
  const detail = `${subscriptions} subscriptions were on the plan in that time, at most ${subscriptions_max} are rated at once. Choose a shorter time.`;
  return new Refusal(makeProblem("backtest-too-large", 422, "The backtest is too large", detail));
}

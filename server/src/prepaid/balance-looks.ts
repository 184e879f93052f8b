import { usableAt } from "../credits/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Clocks } from "../kernel/clock.js";
import type { CustomerId, OrganizationId, SubscriptionId } from "../kernel/ids.js";
import { day, minute, type Instant } from "../kernel/instant.js";
import { formatMoney, moneyJson } from "../kernel/money.js";
import type { JsonValue } from "../kernel/json.js";
import {
  calendarMonthAt,
  decideLook,
  top_ups_per_day_max,
  type LookDecision,
  type LookedAt,
} from "./core/index.js";
import type { LookWakes } from "./look-wakes.js";
import type { BillingPort, CreditsPort, NoticesPort, PaymentsPort } from "./ports.js";
import {
  findWatch,
  isWatched,
  listWatched,
  readWatches,
  updateWatch,
  type BalanceWatch,
} from "./store/balance-watches.js";
import { findOpenTopUp, sumAutomatic } from "./store/top-ups.js";
import { failedNotice, type TopUps } from "./top-ups.js";

export interface BalanceLooksDependencies {
  readonly postgres: Postgres;
  readonly billing: BillingPort;
  readonly credits: CreditsPort;
  readonly payments: PaymentsPort;
  readonly notices: NoticesPort;
  readonly topUps: TopUps;
  readonly lookWakes: LookWakes;
  readonly clocks: Clocks;
}

/** What was read of a balance about which there is something to do. */
export type BalanceReading =
  | {
      readonly customer: CustomerId;
      /** In minor units, as text. */
      readonly burning: string;
      /** What its subscriptions' progress had counted to. */
      readonly progress: readonly (readonly [SubscriptionId, number])[];
    }
  | { readonly customer: CustomerId; readonly fault: string };

/** How a balance was found, and what follows from that. */
interface Found {
  readonly state: LookedAt;
  readonly decision: LookDecision;
  readonly remaining: bigint;
  readonly month: { readonly start: Instant; readonly end: Instant };
  /** When something happens by itself that changes it; undefined when nothing is known of. */
  readonly nextLookAt: Instant | undefined;
}

/** When a balance that could not be told is tried again, if nothing happens to it before. */
const look_after_fault = day;
/** When it was billed while it was looked at: billing looks by itself, and this is in case it does not. */
const look_again = minute;

/**
 * Looks at balances: what they have left by the books, less what runs. Reading decides about which of them there is anything to do;
 * acting decides again under the watch's lock, and only if nothing was billed meanwhile.
 */
export class BalanceLooks {
  readonly #on: BalanceLooksDependencies;

  constructor(dependencies: BalanceLooksDependencies) {
    this.#on = dependencies;
  }

  /** Customers whose balance is watched, by id, after one. */
  async watched(
    organization: OrganizationId,
    page: { readonly after: string; readonly limit: number },
  ): Promise<CustomerId[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listWatched(sql, page));
  }

  /** Those of these customers about whose balance there is something to do. Few queries, however many customers. */
  async read(organization: OrganizationId, customers: readonly CustomerId[]): Promise<BalanceReading[]> {
    const { postgres } = this.#on;
    const watches = await postgres.inOrganization(organization, (sql) => readWatches(sql, customers));
    return this.#readAll(organization, watches);
  }

  async #readAll(organization: OrganizationId, watches: readonly BalanceWatch[]): Promise<BalanceReading[]> {
    if (watches.length === 0) return [];
    const { postgres, billing } = this.#on;
    let costs: Awaited<ReturnType<BillingPort["unbilled"]>>;
    try {
      costs = await billing.unbilled(
        organization,
        watches.map(({ customer }) => customer),
      );
    } catch (error) {
      // What passes by itself is not the customers' fault; else the one that cannot be priced does not keep the others back.
      if (error instanceof Error && "retry" in error && error.retry === true) throw error;
      const [only] = watches;
      if (watches.length === 1 && only !== undefined)
        return [{ customer: only.customer, fault: error instanceof Error ? error.message : String(error) }];
      const middle = Math.ceil(watches.length / 2);
      return [
        ...(await this.#readAll(organization, watches.slice(0, middle))),
        ...(await this.#readAll(organization, watches.slice(middle))),
      ];
    }
    return postgres.inOrganization(organization, async (sql) => {
      const readings: BalanceReading[] = [];
      for (const watch of watches) {
        const cost = costs.get(watch.customer);
        const burning = cost?.sums.find(({ currency }) => currency === watch.currency)?.total ?? 0n;
        if (!isToDo(watch, await this.#find(sql, organization, watch, burning))) continue;
        const progress = [...(cost?.progress ?? new Map<SubscriptionId, number>())];
        readings.push({ customer: watch.customer, burning: burning.toString(), progress });
      }
      return readings;
    });
  }

  /** Does what a reading asks for, in the caller's transaction: exactly once, whoever looks how often. */
  async act(sql: Sql, organization: OrganizationId, reading: BalanceReading): Promise<string> {
    const { billing, lookWakes, clocks } = this.#on;
    const { customer } = reading;
    const watch = await findWatch(sql, customer, { lock: true });
    if (watch === undefined || !isWatched(watch)) return "not watched any more";
    const now = clocks.of(organization).now();
    if ("fault" in reading) {
      await updateWatch(sql, { ...watch, fault: reading.fault });
      await lookWakes.lookBy(sql, organization, customer, (now + look_after_fault) as Instant);
      return "cannot be told";
    }
    const found = await this.#find(sql, organization, watch, BigInt(reading.burning));
    // Its grants are held by now: an invoice that drew on them has counted up the progress, and one that will waits.
    if (!(await billing.holds(sql, { progress: new Map(reading.progress) }))) {
      await lookWakes.lookBy(sql, organization, customer, (now + look_again) as Instant);
      return "billed meanwhile";
    }
    await this.#tell(sql, organization, watch, found);
    await this.#topUp(sql, organization, watch, found);
    if (found.nextLookAt !== undefined) await lookWakes.lookBy(sql, organization, customer, found.nextLookAt);
    const { low, topUp } = found.decision;
    return `${formatMoney({ currency: watch.currency, minor: found.state.available })} available, low: ${low}, top-up: ${topUp}`;
  }

  async #find(sql: Sql, organization: OrganizationId, watch: BalanceWatch, burning: bigint): Promise<Found> {
    const { credits, payments, billing, clocks } = this.#on;
    const { customer, currency, lowAt, topUp, isLow, stopped } = watch;
    const now = clocks.of(organization).now();
    const open = topUp === undefined ? undefined : await findOpenTopUp(sql, watch);
    const grants = await credits.lockGrants(sql, [{ customer, currency }]);
    const remaining = grants.reduce(
      (sum, grant) => (grant.kind === "paid" ? sum + usableAt(grant, now) : sum),
      0n,
    );
    const available = remaining - burning;
    const isNeeded = topUp !== undefined && available < topUp.threshold;
    const month = isNeeded
      ? calendarMonthAt(now, (await billing.customer(sql, customer)).timeZone)
      : { start: now, end: now };
    const begun = isNeeded
      ? await sumAutomatic(sql, { customer, currency, from: month.start, countFrom: (now - day) as Instant })
      : { amount: 0n, count: 0 };
    const state: LookedAt = {
      available,
      lowAt,
      isLow,
      topUp,
      isStopped: stopped !== undefined || (isNeeded && (await payments.isPaused(sql, customer))),
      open: open && { retryAt: open.retryAt, isAutomatic: open.isAutomatic },
      thisMonth: begun.amount,
      lastDay: begun.count,
      now,
    };
    const decision = decideLook(state);
    const upcoming = grants.flatMap(({ effectiveFrom }) => (effectiveFrom > now ? [effectiveFrom] : []));
    const next = [
      ...upcoming,
      ...(decision.topUp === "over_monthly_max" ? [month.end] : []),
      ...(open?.retryAt !== undefined && open.retryAt > now ? [open.retryAt] : []),
    ];
    return {
      state,
      decision,
      remaining,
      month,
      nextLookAt: next.length === 0 ? undefined : (Math.min(...next) as Instant),
    };
  }

  async #tell(sql: Sql, organization: OrganizationId, watch: BalanceWatch, found: Found): Promise<void> {
    const { customer, currency, crossings, lowAt } = watch;
    const { decision, state, remaining } = found;
    if (decision.low !== "crossed" || lowAt === undefined) return;
    const money = (minor: bigint) => moneyJson({ currency, minor });
    const data: Record<string, JsonValue> = {
      customer,
      available: money(state.available),
      lowAt: money(lowAt),
      remaining: money(remaining),
      burning: money(remaining - state.available),
    };
    await this.#on.notices.publish(sql, organization, [
      { type: "balance.low", key: `balance.low:${customer}:${crossings + 1}`, data },
    ]);
  }

  /** Writes what is told, and that the balance could be told. */
  async #mark(sql: Sql, watch: BalanceWatch, { decision, month }: Found): Promise<BalanceWatch> {
    const { low, topUp } = decision;
    const after: BalanceWatch = {
      ...watch,
      isLow: low === "none" ? watch.isLow : low === "crossed",
      crossings: watch.crossings + (low === "crossed" ? 1 : 0),
      cappedUntil: topUp === "over_monthly_max" ? month.end : watch.cappedUntil,
      fault: undefined,
    };
    await updateWatch(sql, after);
    return after;
  }

  async #topUp(sql: Sql, organization: OrganizationId, before: BalanceWatch, found: Found): Promise<void> {
    const { topUps, notices } = this.#on;
    const watch = await this.#mark(sql, before, found);
    const { customer, currency, topUp } = watch;
    switch (found.decision.topUp) {
      case "none":
        return;
      case "begin":
        await topUps.beginAutomatic(sql, organization, watch);
        return;
      case "retry":
        await topUps.retry(sql, organization, watch);
        return;
      case "give_up":
        return topUps.giveUpWaiting(sql, organization, watch);
      case "too_many": {
        const message = `${top_ups_per_day_max} automatic top-ups were begun within 24 hours: the amount is too small for what is used.`;
        await topUps.stop(sql, organization, watch, { code: "too-many-top-ups", message });
        return;
      }
      case "over_monthly_max": {
        // Told once a month, and again when other settings come to it.
        if (before.cappedUntil === found.month.end) return;
        const max = formatMoney({ currency, minor: topUp?.monthlyMax ?? 0n });
        const taken = formatMoney({ currency, minor: found.state.thisMonth });
        const failure = {
          code: "monthly-maximum",
          message: `Automatic top-ups took ${taken} of ${max} that this month allows.`,
        };
        const key = `${found.month.start}:${watch.changedAt}`;
        await notices.publish(sql, organization, [
          failedNotice({ customer, currency }, key, failure, { topUp: undefined, isStopped: false }),
        ]);
      }
    }
  }
}

/** Whether acting would do more than write what is written. */
function isToDo({ fault }: BalanceWatch, { decision, nextLookAt }: Found): boolean {
  const { low, topUp } = decision;
  return low !== "none" || topUp !== "none" || fault !== undefined || nextLookAt !== undefined;
}

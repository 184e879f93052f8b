import type { UnbilledCost } from "../billing/index.js";
import { usableAt, type CreditTotals, type StoredGrant } from "../credits/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { Clocks } from "../kernel/clock.js";
import type { Currency } from "../kernel/currency.js";
import type { CustomerId, OrganizationId } from "../kernel/ids.js";
import { day, type Instant } from "../kernel/instant.js";
import { StoreUnavailable } from "../kernel/problem.js";
import type { TimeZone } from "../kernel/time-zone.js";
import { runOutAt } from "./core/index.js";
import type { BillingPort, CreditsPort } from "./ports.js";
import { findWatch } from "./store/balance-watches.js";

/**
 * What is left of what a customer paid in advance, in minor units of one currency: granted = drawn + voided + expired + upcoming +
 * remaining, and available = remaining − burning.
 */
export interface PrepaidBalance {
  readonly customer: CustomerId;
  /** In which its days are counted. */
  readonly timeZone: TimeZone;
  readonly currency: Currency;
  readonly granted: bigint;
  /** By invoices that are final, less what voided ones gave back. */
  readonly drawn: bigint;
  readonly voided: bigint;
  readonly expired: bigint;
  /** Not valid yet. */
  readonly upcoming: bigint;
  /** Valid now, and not drawn. */
  readonly remaining: bigint;
  /** What the customer would be invoiced now, with tax, after promotional credits. */
  readonly burning: bigint;
  /** Below zero when more was used than there is. */
  readonly available: bigint;
  /** What usage of the last 7 days cost, with tax and without credits; less time when its subscriptions are younger. */
  readonly burnedLately: bigint;
  /** When it is used up if that goes on; undefined when it lasts. */
  readonly runsOutAt: Instant | undefined;
  readonly computedAt: Instant;
}

export interface PrepaidBalancesDependencies {
  readonly postgres: Postgres;
  readonly billing: BillingPort;
  readonly credits: CreditsPort;
  readonly clocks: Clocks;
}

const rate_span = 7 * day;
const rate_span_min = day;
/** How often a balance is read again because an invoice was finalized meanwhile. */
const readings_max = 5;

/** Prepaid balances, computed when they are asked for: grants by the books, usage by what is known of it now. */
export class PrepaidBalances {
  readonly #on: PrepaidBalancesDependencies;

  constructor(dependencies: PrepaidBalancesDependencies) {
    this.#on = dependencies;
  }

  /**
   * By customer's id or key, in each currency in which it has paid credits or has them watched.
   * @throws Refusal 404; 422 for a payer of more than 1,000 subscriptions; 409 while a meter's history is being measured
   */
  async of(organization: OrganizationId, idOrKey: string): Promise<PrepaidBalance[]> {
    const { postgres, billing, clocks } = this.#on;
    const customer = await postgres.inOrganization(organization, (sql) => billing.customer(sql, idOrKey));
    const { id } = customer;
    for (let readings = 1; readings <= readings_max; readings += 1) {
      const now = clocks.of(organization).now();
      const usageBefore = (now - rate_span) as Instant;
      const cost = mustHave(await billing.unbilled(organization, [id]), id);
      const before = mustHave(await billing.unbilled(organization, [id], { usageBefore }), id);
      const found = await this.#book(organization, id, [cost, before]);
      if (found === undefined) continue;
      return found.map((books) => balanceOf({ ...customer, now, cost, before, ...books }));
    }
    throw new StoreUnavailable(`customer ${id} was billed meanwhile, ${readings_max} times in a row`);
  }

  /** What the books say; undefined when billing has gone on since the costs were read. */
  async #book(organization: OrganizationId, id: CustomerId, costs: readonly UnbilledCost[]) {
    const { postgres, billing, credits } = this.#on;
    return postgres.inOrganization(organization, async (sql) => {
      const watched = (await findWatch(sql, id))?.currency;
      const known = await credits.sums(sql, organization, id);
      const paid = known.filter(({ kind }) => kind === "paid").map(({ currency }) => currency);
      const currencies = [...new Set([...paid, ...(watched === undefined ? [] : [watched])])].sort();
      // Held before they are summed: whoever finalizes an invoice draws on them, and counts up what is compared then.
      const grants = await credits.lockGrants(
        sql,
        currencies.map((currency) => ({ customer: id, currency })),
      );
      const sums = await credits.sums(sql, organization, id);
      for (const cost of costs) if (!(await billing.holds(sql, cost))) return undefined;
      return currencies.map((currency) => ({
        currency,
        totals: sums.find((one) => one.kind === "paid" && one.currency === currency),
        grants: grants.filter((one) => one.kind === "paid" && one.currency === currency),
      }));
    });
  }
}

interface Found {
  readonly id: CustomerId;
  readonly timeZone: TimeZone;
  readonly currency: Currency;
  readonly now: Instant;
  readonly cost: UnbilledCost;
  /** By the usage of before the last 7 days. */
  readonly before: UnbilledCost;
  readonly totals: CreditTotals | undefined;
  readonly grants: readonly StoredGrant[];
}

function balanceOf({ id, timeZone, currency, now, cost, before, totals, grants }: Found): PrepaidBalance {
  const sumOf = ({ sums }: UnbilledCost) => sums.find((one) => one.currency === currency);
  const burning = sumOf(cost)?.total ?? 0n;
  const burnedLately = (sumOf(cost)?.cost ?? 0n) - (sumOf(before)?.cost ?? 0n);
  const remaining = totals?.remaining ?? 0n;
  // Of a customer that is younger than that, what it used is what it used since.
  const age = cost.since === undefined ? 0 : now - cost.since;
  const span = Math.min(Math.max(age, rate_span_min), rate_span);
  const usable = grants.flatMap((grant) => {
    const left = usableAt(grant, now);
    return left > 0n ? [{ left, expiresAt: grant.expiresAt }] : [];
  });
  return {
    customer: id,
    timeZone,
    currency,
    granted: totals?.granted ?? 0n,
    drawn: totals?.used ?? 0n,
    voided: totals?.voided ?? 0n,
    expired: totals?.expired ?? 0n,
    upcoming: totals?.upcoming ?? 0n,
    remaining,
    burning,
    available: remaining - burning,
    burnedLately,
    runsOutAt: runOutAt(usable, { burning, burned: burnedLately, span }, now),
    computedAt: now,
  };
}

function mustHave(costs: ReadonlyMap<CustomerId, UnbilledCost>, id: CustomerId): UnbilledCost {
  const cost = costs.get(id);
  if (cost === undefined) throw new RangeError(`nothing was computed for customer ${id}`);
  return cost;
}

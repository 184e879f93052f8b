import type { AmountPerCurrency, Price } from "../../catalog/core/index.js";
import { standard_tax_category } from "../../catalog/core/index.js";
import { Decimal } from "../../kernel/decimal.js";
import type { Instant } from "../../kernel/instant.js";
import { dateAt } from "../../kernel/local-date.js";
import { toMoney } from "../../kernel/money.js";
import { allocate } from "./allocation.js";
import { touches } from "./billed-charge.js";
import type { ChargeKey, ChargeSource } from "./charge.js";
import { chargedSpan, couponOf, overlap, planOf, type Contract, type OpenSpan } from "./contract.js";
import { couponWindow, holds, isInScope, plusMonths } from "./coupon-window.js";
import { billingPeriodAt } from "./next-boundary.js";
import { shareOfDays } from "./proration.js";
import { calendarOf, periodsOf, type Period } from "./service-period.js";
import type { SchedulePhase } from "./subscription.js";

export type AdjustmentKind = "coupon" | "minimum" | "maximum" | "commitment";

/** A charge that follows from what other charges come to: a fixed coupon, a minimum, a maximum, a commitment. */
export interface Adjustment extends ChargeKey {
  readonly kind: AdjustmentKind;
  readonly name: string;
  /** There is one for each tax category that it falls to. */
  readonly category: string;
  readonly targetMinor: bigint;
  /** What it followed from, over all categories: the agreed amount, and what the charges came to. */
  readonly agreedMinor: bigint;
  readonly baseMinor: bigint;
}

/** What a charge comes to, as adjustments see it. */
export interface NetCharge {
  readonly price: Pick<Price, "key" | "product" | "taxCategory" | "timing">;
  readonly source: ChargeSource;
  readonly covered: Period;
  readonly dueAt: Instant;
  readonly netMinor: bigint;
}

/**
 * The adjustments of all spans that share an instant with [from, to). Those before are computed too, as far as a wider
 * span's follow from them: a quarter's minimum is on what the coupons of all its months leave.
 *
 * @param charges  all that begin at `earliestBase` or later, with what they come to so far
 * @param until    what is due by then is complete: minimums and commitments of spans that end by then are charged
 */
export function adjustmentsOf(
  contract: Contract,
  charges: readonly NetCharge[],
  { from, to, until }: { from: Instant; to: Instant; until: Instant },
): Adjustment[] {
  const base = { from: earliestBase(contract, from), to };
  const coupons = fixedCoupons(contract, charges, base);
  const limits = spendLimits(contract, charges, coupons, { ...base, until });
  return [
    ...[...coupons, ...limits].filter(({ period }) => touches(period, from, to)),
    ...commitments(contract, charges, [...coupons, ...limits], { from, to, until }),
  ];
}

/** The earliest instant that a charge can begin at and still matter to a span that shares an instant with [from, to). */
export function earliestBase(contract: Contract, from: Instant): Instant {
  const { subscription } = contract;
  let earliest = from;
  const reach = (start: Instant | undefined) => {
    if (start !== undefined && start < earliest) earliest = start;
  };
  // The widest first: commitments follow from limits and coupons, and limits from coupons.
  const plans = subscription.schedule.map((phase) => planOf(contract, phase));
  for (const commitment of plans.flatMap((plan) => plan.commitments))
    reach(spansOfCommitment(contract, commitment, { from, to: (from + 1) as Instant })[0]?.start);
  for (const { minimum, maximum, interval } of plans) {
    if (minimum === undefined && maximum === undefined) continue;
    reach(periodsOf(subscription, interval, earliest, (earliest + 1) as Instant)[0]?.start);
  }
  if (subscription.coupons.length > 0) reach(billingPeriodAt(subscription, earliest)?.start);
  return earliest;
}

function fixedCoupons(contract: Contract, charges: readonly NetCharge[], range: Range): Adjustment[] {
  const { subscription } = contract;
  const found: Adjustment[] = [];
  const taken = new Map<NetCharge, bigint>();
  for (const redemption of subscription.coupons) {
    const coupon = couponOf(contract, redemption);
    if (coupon.off.kind !== "amount") continue;
    const agreedMinor = minorIn(contract, coupon.off.amounts);
    const window = couponWindow(subscription, coupon, redemption);
    if (agreedMinor === undefined || window === undefined) continue;
    for (const period of billingPeriods(contract, range)) {
      if (!holds(window, period.start)) continue;
      const base = charges.filter(
        ({ covered, price }) => startsIn(covered, period) && isInScope(coupon, price),
      );
      // Never below zero: what earlier coupons left, less what lines below zero give back.
      const left = base.map((charge) => charge.netMinor + (taken.get(charge) ?? 0n));
      const sum = left.reduce((total, minor) => total + minor, 0n);
      const off = sum <= 0n ? 0n : sum < agreedMinor ? sum : agreedMinor;
      const shares = off === 0n ? [] : allocate(off, left.map(positive));
      for (const [index, share] of shares.entries()) {
        const charge = base[index];
        if (charge !== undefined) taken.set(charge, (taken.get(charge) ?? 0n) - share);
      }
      found.push(
        ...perCategory({
          kind: "coupon",
          item: `coupon:${coupon.key}`,
          name: coupon.name,
          period,
          agreedMinor,
          baseMinor: sum,
          shares: base.map((charge, index) => [charge.price.taxCategory, -(shares[index] ?? 0n)]),
        }),
      );
    }
  }
  return found;
}

/** Minimums on the last part of their span only; maximums on every part, so that none bills beyond it. */
function spendLimits(
  contract: Contract,
  charges: readonly NetCharge[],
  coupons: readonly Adjustment[],
  { from, to, until }: Range & { until: Instant },
): Adjustment[] {
  const { subscription } = contract;
  const plans = subscription.schedule.map((phase) => planOf(contract, phase));
  const limited = plans.filter(({ minimum, maximum }) => minimum !== undefined || maximum !== undefined);
  return [...new Set(limited.map(({ interval }) => interval))].flatMap((interval) =>
    periodsOf(subscription, interval, from, to).flatMap((span): Adjustment[] => {
      const agreed = (of: "minimum" | "maximum") =>
        agreedFor(contract, span, (phase) => {
          const plan = planOf(contract, phase);
          return plan.interval === interval ? plan[of] : undefined;
        });
      const base = charges.filter(
        ({ covered, source }) =>
          startsIn(covered, span) && (source.kind === "add_on" || source.interval === interval),
      );
      const nets = [
        ...base.map(netOf),
        ...coupons.filter((coupon) => startsIn(coupon.period, span)).map(amountOf),
      ];
      const baseMinor = sumOf(nets);
      const shared = { period: span, baseMinor };
      const end = endOf(contract, span);
      const [minimum, maximum] = [agreed("minimum"), agreed("maximum")];
      const found: Adjustment[] = [];
      if (minimum !== undefined && end <= until) {
        const missing = minimum > baseMinor ? minimum - baseMinor : 0n;
        const named = {
          kind: "minimum",
          item: "minimum",
          name: "Minimum spend",
          agreedMinor: minimum,
        } as const;
        found.push(...perCategory({ ...shared, ...named, shares: split(missing, nets) }));
      }
      if (maximum !== undefined) {
        const excess = maximum < baseMinor ? maximum - baseMinor : 0n;
        const named = {
          kind: "maximum",
          item: "maximum",
          name: "Maximum spend",
          agreedMinor: maximum,
        } as const;
        found.push(...perCategory({ ...shared, ...named, shares: split(excess, nets) }));
      }
      return found;
    }),
  );
}

/**
 * What is missing to an amount undertaken for several months. A plan that is left before the span ends has a part of the
 * amount, by days; a subscription that ends has all of it.
 */
function commitments(
  contract: Contract,
  charges: readonly NetCharge[],
  others: readonly Adjustment[],
  { from, to, until }: Range & { until: Instant },
): Adjustment[] {
  const all = contract.subscription.schedule.flatMap((phase) => planOf(contract, phase).commitments);
  const byCommitment = new Map(all.map((commitment) => [commitment.key, commitment]));
  return [...byCommitment.values()].flatMap((commitment) =>
    spansOfCommitment(contract, commitment, { from, to }).flatMap((span): Adjustment[] => {
      const amounts = (phase: SchedulePhase) =>
        planOf(contract, phase).commitments.find(({ key }) => key === commitment.key)?.amounts;
      const agreedMinor = agreedFor(contract, span, amounts, { from: span.start, to: undefined });
      const end = endOf(contract, span);
      if (agreedMinor === undefined || end > until) return [];
      const nets = [
        ...charges.filter((charge) => isDueIn(charge, span)).map(netOf),
        ...others.filter((other) => endsIn(contract, other.period, span)).map(amountOf),
      ];
      const baseMinor = sumOf(nets);
      const missing = agreedMinor > baseMinor ? agreedMinor - baseMinor : 0n;
      return perCategory({
        kind: "commitment",
        item: `commitment:${commitment.key}`,
        name: commitment.name,
        period: span,
        agreedMinor,
        baseMinor,
        shares: split(missing, nets),
      });
    }),
  );
}

interface Range {
  readonly from: Instant;
  readonly to: Instant;
}

/** From where the commitment first comes into the subscription, span after span of so many months. */
function spansOfCommitment(
  contract: Contract,
  { key, months }: { readonly key: string; readonly months: number },
  { from, to }: Range,
): Period[] {
  const { subscription } = contract;
  const first = subscription.schedule.find((phase) =>
    planOf(contract, phase).commitments.some((one) => one.key === key),
  );
  if (first === undefined) return [];
  const last = subscription.endsAt ?? to;
  const spans: Period[] = [];
  for (let count = 0; ; count += 1) {
    const start = plusMonths(subscription, first.from, count * months);
    const end = plusMonths(subscription, first.from, (count + 1) * months);
    if (start >= to || start >= last) return spans;
    if (touches({ start, end }, from, to)) spans.push({ start, end });
  }
}

/** A limit for a span: of each phase's, its share of the span's days. Undefined when no phase in it has one. */
function agreedFor(
  contract: Contract,
  span: Period,
  amounts: (phase: SchedulePhase) => AmountPerCurrency | undefined,
  counted: OpenSpan | undefined = chargedSpan(contract.subscription),
): bigint | undefined {
  const { subscription } = contract;
  if (counted === undefined) return undefined;
  const calendar = calendarOf(subscription);
  const first = dateAt(calendar, span.start);
  const days = dateAt(calendar, span.end) - first;
  const parts = subscription.schedule.flatMap((phase) => {
    const amount = amounts(phase)?.[subscription.currency];
    const part = overlap(phase, { from: span.start, to: span.end });
    const cut = part === undefined ? undefined : overlap(part, counted);
    if (amount === undefined || cut === undefined) return [];
    const range = {
      from: dateAt(calendar, cut.from) - first,
      to: dateAt(calendar, cut.to ?? span.end) - first,
    };
    return [shareOfDays(amount, [range], days)];
  });
  return parts.length === 0 ? undefined : toMoney(Decimal.sum(parts), subscription.currency).minor;
}

function minorIn(contract: Contract, amounts: AmountPerCurrency): bigint | undefined {
  const { currency } = contract.subscription;
  const amount = amounts[currency];
  return amount === undefined ? undefined : toMoney(amount, currency).minor;
}

function billingPeriods({ subscription }: Contract, { from, to }: Range): Period[] {
  const periods: Period[] = [];
  for (let at = Math.max(from, subscription.startedAt) as Instant; at < to; ) {
    const period = billingPeriodAt(subscription, at);
    if (period === undefined) break;
    periods.push(period);
    at = period.end;
  }
  return periods;
}

type CategoryAmount = readonly [category: string, minor: bigint];

/** Splits an amount over categories by what they come to; the standard one has it where they come to nothing. */
function split(amount: bigint, nets: readonly CategoryAmount[]): CategoryAmount[] {
  const sums = new Map<string, bigint>();
  for (const [category, minor] of nets) sums.set(category, (sums.get(category) ?? 0n) + minor);
  const weights = [...sums].map(([category, minor]): CategoryAmount => [category, positive(minor)]);
  if (weights.every(([, minor]) => minor === 0n)) return [[weights[0]?.[0] ?? standard_tax_category, amount]];
  const shares = allocate(
    amount,
    weights.map(([, minor]) => minor),
  );
  return weights.map(([category], index) => [category, shares[index] ?? 0n]);
}

function perCategory({
  shares,
  item,
  ...adjustment
}: Omit<Adjustment, "category" | "targetMinor"> & { shares: readonly CategoryAmount[] }): Adjustment[] {
  const sums = new Map<string, bigint>();
  for (const [category, minor] of shares) sums.set(category, (sums.get(category) ?? 0n) + minor);
  return [...sums].map(([category, targetMinor]) => ({
    ...adjustment,
    item: `${item}:${category}`,
    category,
    targetMinor,
  }));
}

function amountOf({ category, targetMinor }: Adjustment): CategoryAmount {
  return [category, targetMinor];
}

function sumOf(nets: readonly CategoryAmount[]): bigint {
  return nets.reduce((sum, [, minor]) => sum + minor, 0n);
}

function positive(minor: bigint): bigint {
  return minor > 0n ? minor : 0n;
}

function netOf({ price, netMinor }: NetCharge): CategoryAmount {
  return [price.taxCategory, netMinor];
}

/** Where a span ends, or the subscription before it. */
function endOf({ subscription: { endsAt } }: Contract, { end }: Period): Instant {
  return endsAt !== undefined && endsAt < end ? endsAt : end;
}

/** Whether a charge falls due in a span: a boundary of two is the beginning for fees, and the end for what was used. */
function isDueIn({ price, dueAt }: NetCharge, { start, end }: Period): boolean {
  return price.timing === "advance" ? start <= dueAt && dueAt < end : start < dueAt && dueAt <= end;
}

function endsIn(contract: Contract, period: Period, { start, end }: Period): boolean {
  const at = endOf(contract, period);
  return start < at && at <= end;
}

/** A short first period begins, as a service period, before the subscription: what counts is what is covered. */
function startsIn({ start }: Period, span: Period): boolean {
  return span.start <= start && start < span.end;
}

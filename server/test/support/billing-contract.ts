import type {
  Contract,
  Measured,
  SectionLine,
  SectionScope,
  Subscription,
} from "../../src/billing/core/index.js";
import {
  billingPeriodAt,
  computeSection,
  keyText,
  planSection,
  subscriptionStart,
} from "../../src/billing/core/index.js";
import type { AddOnVersion, Coupon, PlanVersion, Price } from "../../src/catalog/core/index.js";
import { byKey, type BilledCharge, type BilledCharges, type Charge } from "../../src/billing/core/index.js";
import { parseCurrency } from "../../src/kernel/currency.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { newId } from "../../src/kernel/ids.js";
import { day, parseInstant, type Instant } from "../../src/kernel/instant.js";
import { parseTimeZone } from "../../src/kernel/time-zone.js";
import { usageOf, type AnyPriceModel, type Usage } from "../../src/rating/core/index.js";

export const at = (text: string): Instant => parseInstant(text.length === 10 ? `${text}T00:00:00Z` : text)!;
export const d = (text: string | number) => Decimal.of(text);
export const usd = parseCurrency("USD")!;
const born = at("2020-01-01");

export const perUnit = (amount: string): AnyPriceModel => ({
  kind: "per_unit",
  unitAmount: d(amount),
  per: d(1),
});
export const flat = (amount: string): AnyPriceModel => ({ kind: "flat", amount: d(amount) });
export const graduated = (
  ...tiers: readonly [upTo: string | undefined, unit: string, flat?: string][]
): AnyPriceModel => ({
  kind: "graduated",
  per: d(1),
  tiers: tiers.map(([upTo, unit, fee = "0"]) => ({
    upTo: upTo === undefined ? undefined : d(upTo),
    unitAmount: d(unit),
    flatAmount: d(fee),
  })),
});

/** A price with what most prices have; a fee in advance unless it says otherwise. */
export function aPrice(price: Partial<Price> & { key: string; model: AnyPriceModel }): Price {
  const charge = price.charge ?? "flat";
  return {
    id: newId("price", born),
    name: price.key,
    product: undefined,
    taxCategory: "standard",
    charge,
    timing: charge === "usage" ? "arrears" : "advance",
    interval: "month",
    prorated: true,
    meter: charge === "usage" ? { id: newId("mtr", born), slug: price.key } : undefined,
    filters: [],
    included: undefined,
    phases: undefined,
    currencies: {},
    ...price,
  };
}

export function aPlan(plan: Partial<PlanVersion> & { prices: readonly Price[] }): PlanVersion {
  return {
    id: newId("plv", born),
    plan: newId("plan", born),
    planKey: "plan",
    version: 1,
    name: "Plan",
    currency: usd,
    interval: "month",
    effectiveFrom: born,
    trialDays: 0,
    phases: [],
    minimum: undefined,
    maximum: undefined,
    commitments: [],
    graceHours: undefined,
    spendThreshold: undefined,
    createdAt: born,
    ...plan,
  };
}

export function anAddOn(addOn: Partial<AddOnVersion> & { prices: readonly Price[] }): AddOnVersion {
  return {
    id: newId("adv", born),
    addOn: newId("ado", born),
    key: "extra",
    version: 1,
    name: "Extra",
    currency: usd,
    interval: "month",
    createdAt: born,
    ...addOn,
  };
}

export function aCoupon(coupon: Partial<Coupon> & Pick<Coupon, "off" | "duration">): Coupon {
  return {
    id: newId("cpn", born),
    key: "welcome",
    name: "Welcome",
    appliesTo: undefined,
    redemptionsMax: undefined,
    expiresAt: undefined,
    archivedAt: undefined,
    createdAt: born,
    ...coupon,
  };
}

export interface ContractParts extends Partial<Omit<Subscription, "schedule" | "timeZone" | "startedAt">> {
  readonly startedAt: Instant;
  readonly zone?: string;
  /** Each until the next one begins. */
  readonly phases: readonly {
    readonly from?: Instant;
    readonly plan: PlanVersion;
    readonly phase?: string;
  }[];
  readonly addOnVersions?: readonly AddOnVersion[];
  readonly couponsKnown?: readonly Coupon[];
}

/** A subscription that is on one plan after another. */
export function aContract(parts: ContractParts): Contract {
  const { zone = "UTC", phases, addOnVersions = [], couponsKnown = [], startedAt, ...rest } = parts;
  const timeZone = parseTimeZone(zone)!;
  const start = subscriptionStart(startedAt, timeZone);
  const customer = newId("cus", born);
  return {
    subscription: {
      id: newId("sub", born),
      customer,
      payer: customer,
      currency: usd,
      anchor: { day: 1 },
      zoneChanges: [],
      trialEnd: undefined,
      endsAt: undefined,
      canceledAt: undefined,
      quantities: [],
      addOns: [],
      coupons: [],
      createdAt: born,
      ...rest,
      timeZone,
      startedAt: start,
      schedule: phases.map(({ from, plan, phase }, index) => ({
        from: index === 0 ? start : from!,
        to: phases[index + 1]?.from,
        planVersion: plan.id,
        phase,
        interval: "month",
        overrides: {},
      })),
    },
    planVersions: new Map(phases.map(({ plan }) => [plan.id, plan])),
    addOnVersions: new Map(addOnVersions.map((version) => [version.id, version])),
    coupons: new Map(couponsKnown.map((coupon) => [coupon.id, coupon])),
  };
}

/** One report of usage: for which price, when, how much. */
export interface UsageReport {
  readonly priceKey: string;
  readonly time: Instant;
  readonly value: Decimal;
}

/** Usage by plain addition. */
export function measure(charges: readonly Charge[], usage: readonly UsageReport[]) {
  return new Map(
    charges.map((charge) => [
      keyText(charge),
      charge.portions.map(({ spans, model }): Measured => {
        const inside = usage.filter(
          ({ priceKey, time }) =>
            priceKey === charge.price.key && spans.some(({ start, end }) => start <= time && time < end),
        );
        return { usage: asUsage(model, inside), events: inside.length };
      }),
    ]),
  );
}

function asUsage(model: AnyPriceModel, inside: readonly UsageReport[]): Usage {
  const kind = usageOf(model);
  if (kind === "events") return { kind, values: inside.map(({ value }) => value) };
  if (kind !== "quantity") throw new Error(`no ${kind} in these tests`);
  return { kind, quantity: Decimal.sum(inside.map(({ value }) => value)), events: inside.length };
}

/** What was billed, invoice by invoice, as the store keeps it. */
export class Billed {
  readonly invoices: {
    readonly scope: SectionScope;
    readonly lines: readonly SectionLine[];
    isVoid: boolean;
  }[] = [];

  charges(): BilledCharges {
    const sums = new Map<string, BilledCharge>();
    for (const { lines, isVoid } of this.invoices) {
      if (isVoid) continue;
      for (const line of lines) {
        const key = keyText(line);
        const known = sums.get(key);
        sums.set(key, {
          item: line.item,
          period: line.period,
          price: line.content.kind === "charge" ? line.content.charge.price.id : known?.price,
          name: line.name,
          category: line.category,
          covered: line.covered,
          gross: line.gross + (known?.gross ?? 0n),
          net: line.net + (known?.net ?? 0n),
          rate: undefined,
          meterVersion: undefined,
        });
      }
    }
    return byKey([...sums.values()]);
  }

  bill(contract: Contract, scope: SectionScope, usage: readonly UsageReport[] = []): readonly SectionLine[] {
    const plan = planSection(contract, scope, this.charges());
    const lines = computeSection(plan, measure(plan.usage, usage));
    this.invoices.push({ scope, lines, isVoid: false });
    return lines;
  }
}

export const lookback = 400 * day;

export function scopeOf(
  contract: Contract,
  kind: SectionScope["kind"],
  moment: Instant,
  claimedUntil?: Instant,
): SectionScope {
  const period =
    kind === "period" ? billingPeriodAt(contract.subscription, moment)! : { start: moment, end: moment };
  return { kind, period, claimedUntil, lookback };
}

/** "tokens 12.00", with a minus where it gives back. */
export function said(lines: readonly SectionLine[]): string[] {
  return lines.map((line) => `${line.name} ${Decimal.fromUnscaled(line.net, 2).toFixed(2)}`);
}

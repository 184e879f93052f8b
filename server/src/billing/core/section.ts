import type { Instant } from "../../kernel/instant.js";
import { isProgressive } from "../../rating/core/index.js";
import { adjustmentsOf, earliestBase, type Adjustment, type NetCharge } from "./adjustment.js";
import { touches, type BilledCharge, type BilledCharges } from "./billed-charge.js";
import { keyText, listCharges, type Charge, type ChargeKey } from "./charge.js";
import { chargedSpan, type Contract } from "./contract.js";
import type { Measured } from "./rated-portion.js";
import type { Period } from "./service-period.js";
import { targetOf, type Target } from "./target.js";

/**
 * What an invoice is for. `start`: what is due when charging begins. `period`: a billing period, with the fees of the
 * one that begins at its end. `threshold`: usage so far, since it came to so much. `closing`: what came late, after the
 * end of the subscription.
 */
export type SectionKind = "start" | "period" | "threshold" | "closing";

/** What a section of an invoice bears. */
export interface SectionScope {
  readonly kind: SectionKind;
  /** Of a period section the billing period; of the others an instant: both ends are the same. */
  readonly period: Period;
  /** Until when sections of this subscription have claimed what was due; undefined for none. */
  readonly claimedUntil: Instant | undefined;
  /** How late usage may come, in microseconds: what was billed of so long before is looked at again. */
  readonly lookback: number;
}

/** What a section must come to, and what must be measured to know it. */
export interface SectionPlan {
  readonly contract: Contract;
  readonly scope: SectionScope;
  readonly billed: BilledCharges;
  /** Charges that are due now or are looked at again, in the order of the invoice's lines. */
  readonly charges: readonly Charge[];
  /** Of these, those on usage: each portion's spans are to be measured. */
  readonly usage: readonly Charge[];
  /** The other charges that adjustments are computed from: with what was billed of them. */
  readonly others: readonly Charge[];
  /** What was billed and is not in the contract any more: it is given back. */
  readonly vanished: readonly BilledCharge[];
  readonly from: Instant;
  readonly to: Instant;
}

/** @param billed  of the subscription, at least all that touches the time from `sectionReach` on */
export function planSection(contract: Contract, scope: SectionScope, billed: BilledCharges): SectionPlan {
  const from = lookedAtFrom(contract, scope);
  const to = (scope.period.end + 1) as Instant;
  const all = listCharges(contract, sectionReach(contract, scope), to);
  const charges: Charge[] = [];
  const others: Charge[] = [];
  for (const charge of all) {
    const isBilled = billed.has(keyText(charge));
    // What a change made due later again (back on a plan that was left) waits for that.
    const isLookedAt = isBilled && charge.period.end > from && charge.dueAt <= scope.period.end;
    if (isLookedAt || isOwn(contract, charge, scope)) charges.push(charge);
    else others.push(charge);
  }
  const known = new Set(all.map(keyText));
  const vanished = [...billed.values()].filter(
    (one) => one.price !== undefined && touches(one.period, from, to) && !known.has(keyText(one)),
  );
  const usage = charges.filter(({ price }) => price.charge === "usage");
  return { contract, scope, billed, charges, usage, others, vanished, from, to };
}

/** The earliest instant whose charges and bills a section depends on. */
export function sectionReach(contract: Contract, scope: SectionScope): Instant {
  return earliestBase(contract, lookedAtFrom(contract, scope));
}

/**
 * From where on what was billed is looked at again. A section for a period follows one that was computed when the period
 * began or later; one for what came late after the end, some weeks on, follows one that was computed at the end.
 */
function lookedAtFrom({ subscription }: Contract, { kind, period, lookback }: SectionScope): Instant {
  const before =
    kind === "closing" ? Math.min(period.start, subscription.endsAt ?? period.start) : period.start;
  return (before - lookback) as Instant;
}

function isOwn(contract: Contract, charge: Charge, { kind, period, claimedUntil }: SectionScope): boolean {
  const { dueAt, price, portions } = charge;
  switch (kind) {
    case "start":
      return dueAt <= period.end;
    case "period": {
      if (dueAt > period.end) return false;
      const isFirst = period.start <= contract.subscription.startedAt;
      // What a change brought in after its time was claimed would otherwise be nobody's.
      // Nothing was claimed before: what is due in advance at its beginning is its own too.
      const isBegun = claimedUntil === undefined && dueAt === period.start && price.timing === "advance";
      return (
        isFirst || isBegun || dueAt > period.start || (claimedUntil !== undefined && dueAt <= claimedUntil)
      );
    }
    case "threshold":
      return (
        price.charge === "usage" &&
        charge.covered.start < period.end &&
        period.end <= dueAt &&
        portions.every(({ model }) => isProgressive(model))
      );
    case "closing":
      return claimedUntil !== undefined && dueAt <= claimedUntil;
    default:
      return kind satisfies never;
  }
}

/** A line before tax and credits: what a charge must come to, less what was billed of it. */
export interface SectionLine extends ChargeKey {
  readonly content: LineContent;
  readonly name: string;
  readonly category: string;
  readonly covered: Period;
  /** In minor units: what the charge must come to in all, and what was billed of it before. */
  readonly targetGross: bigint;
  readonly targetNet: bigint;
  readonly billedGross: bigint;
  readonly billedNet: bigint;
  /** The differences; the discount is what takes the gross to the net. */
  readonly gross: bigint;
  readonly discount: bigint;
  readonly net: bigint;
  /** Whether it corrects what an earlier invoice billed. */
  readonly isCorrection: boolean;
  readonly billed: BilledCharge | undefined;
}

export type LineContent =
  | { readonly kind: "charge"; readonly charge: Charge; readonly target: Target }
  | { readonly kind: "adjustment"; readonly adjustment: Adjustment }
  | { readonly kind: "vanished" };

/**
 * The lines of a section. A line that changes nothing is left out, but for the first of its charge, so that what came to
 * nothing is seen.
 *
 * @param measured  for the charges of `plan.usage`, by key: what was measured for each portion
 */
export function computeSection(
  plan: SectionPlan,
  measured: ReadonlyMap<string, readonly Measured[]>,
): SectionLine[] {
  const { contract, scope, billed } = plan;
  const { currency } = contract.subscription;
  const targets = plan.charges.map((charge) => ({
    charge,
    target: targetOf(charge, measured.get(keyText(charge)) ?? [], currency),
  }));
  const lines = [
    ...targets.map(({ charge, target }) => chargeLine(charge, target, billed.get(keyText(charge)))),
    ...plan.vanished.map(vanishedLine),
    ...adjustmentLines(plan, targets),
  ];
  return lines.filter(
    (line) =>
      line.net !== 0n ||
      line.gross !== 0n ||
      (line.content.kind === "charge" && line.billed === undefined && scope.kind !== "threshold"),
  );
}

function adjustmentLines(
  { contract, scope, billed, others, from, to }: SectionPlan,
  targets: readonly { charge: Charge; target: Target }[],
): SectionLine[] {
  const nets: NetCharge[] = [
    ...targets.map(({ charge, target }) => netOf(charge, target.netMinor)),
    ...others.map((charge) => netOf(charge, billed.get(keyText(charge))?.net ?? 0n)),
  ];
  const until = scope.kind === "start" ? chargedSpan(contract.subscription)?.from : scope.period.end;
  const adjustments = new Map<string, Adjustment>();
  for (const one of adjustmentsOf(contract, nets, { from, to, until: until ?? scope.period.end })) {
    const known = adjustments.get(keyText(one));
    const targetMinor = one.targetMinor + (known?.targetMinor ?? 0n);
    adjustments.set(keyText(one), { ...one, targetMinor });
  }
  const gone = [...billed.values()].filter(
    (one) => one.price === undefined && touches(one.period, from, to) && !adjustments.has(keyText(one)),
  );
  return [
    ...[...adjustments.values()].map((one) => adjustmentLine(one, billed.get(keyText(one)))),
    ...gone.map(vanishedLine),
  ];
}

function netOf({ price, source, covered, dueAt }: Charge, netMinor: bigint): NetCharge {
  return { price, source, covered, dueAt, netMinor };
}

function chargeLine(charge: Charge, target: Target, billed: BilledCharge | undefined): SectionLine {
  const { item, period, price, covered, source } = charge;
  const name =
    source.kind === "add_on" && price.name !== source.name ? `${source.name}: ${price.name}` : price.name;
  const content = { kind: "charge", charge, target } as const;
  const described = { item, period, covered, name, category: price.taxCategory, content };
  return lineOf(described, target.grossMinor, target.netMinor, billed);
}

function adjustmentLine(adjustment: Adjustment, billed: BilledCharge | undefined): SectionLine {
  const { item, period, name, category, targetMinor } = adjustment;
  const content = { kind: "adjustment", adjustment } as const;
  return lineOf({ item, period, covered: period, name, category, content }, targetMinor, targetMinor, billed);
}

function vanishedLine(billed: BilledCharge): SectionLine {
  const { item, period, covered, name, category } = billed;
  return lineOf({ item, period, covered, name, category, content: { kind: "vanished" } }, 0n, 0n, billed);
}

type DescribedLine = Pick<SectionLine, "item" | "period" | "covered" | "name" | "category" | "content">;

/** Each property is named: put together by spreading, lines took a tenth of the time of a whole backtest. */
function lineOf(
  { item, period, covered, name, category, content }: DescribedLine,
  targetGross: bigint,
  targetNet: bigint,
  billed: BilledCharge | undefined,
): SectionLine {
  const [billedGross, billedNet] = [billed?.gross ?? 0n, billed?.net ?? 0n];
  const [gross, net] = [targetGross - billedGross, targetNet - billedNet];
  const isCorrection = billed !== undefined;
  return {
    item,
    period,
    covered,
    name,
    category,
    content,
    targetGross,
    targetNet,
    billedGross,
    billedNet,
    gross,
    discount: net - gross,
    net,
    isCorrection,
    billed,
  };
}

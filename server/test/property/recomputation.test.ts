// Random catalogs, customers and events through a whole Weir; then every line is computed anew from its evidence.
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keyText, type Charge, type Contract, type Measured } from "../../src/billing/core/index.js";
import type { Invoice, InvoiceLine } from "../../src/billing/index.js";
import { Decimal } from "../../src/kernel/decimal.js";
import type { SubscriptionId } from "../../src/kernel/ids.js";
import { day, formatInstant, parseInstant } from "../../src/kernel/instant.js";
import type { Usage } from "../../src/rating/core/index.js";
import { scenario, type Scenario } from "../support/arbitrary-scenario.js";
import { finalState, settledSums } from "../support/final-state.js";
import { Fraction } from "../support/fraction.js";
import { explainedLine, type LineEvidence } from "../support/line-evidence.js";
import { measuredPlainly, type PlainAggregation } from "../support/plain-metering.js";
import { totalOf, type ModelNotation, type PlainUsage } from "../support/plain-rating.js";
import { plainAdjustment, plainCharge } from "../support/plain-charge.js";
import { playScenario, type PlayedScenario } from "../support/played-scenario.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";
import { writePriceModel } from "../../src/catalog/core/index.js";

const soak = process.env["WEIR_SOAK"] === "1";
const runs = soak ? 200 : 6;
/** A failure is made smaller for so long at most, and then printed with its seed. */
const time_limit_ms = (soak ? 120 : 10) * 60_000;

let weir: TestWeir;

beforeAll(async () => {
  weir = await startTestWeir("recomputation");
});
afterAll(() => weir?.close());

test(
  "what customers are billed is what their events come to, computed anew from each line's evidence",
  async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const played = await playScenario(weir, given);
        const billed = await readBilled(played);
        await expectOrder(played, billed);
        for (const invoice of billed.invoices)
          await expectLinesFromEvidence(played, { given, billed, invoice });
        await expectFinalUsageRatedOnce(given, played, billed);
      }),
      { numRuns: runs, interruptAfterTimeLimit: time_limit_ms },
    );
  },
  2 * time_limit_ms,
);

interface Billed {
  /** Finalized and voided, by number. */
  readonly invoices: readonly Invoice[];
  /** What of earlier invoices stood when one was finalized. */
  readonly before: (invoice: Invoice) => readonly Invoice[];
  /** What stands in the end. */
  readonly standing: readonly Invoice[];
}

async function readBilled({ organization, voided }: PlayedScenario): Promise<Billed> {
  const all = await weir.weir.services.billing.invoices.list(organization, { limit: 1000 });
  expect(all.filter(({ status }) => status === "draft")).toEqual([]);
  const sequenceOf = ({ finalized }: Invoice) => finalized?.sequence ?? 0;
  const invoices = all.toSorted((one, other) => sequenceOf(one) - sequenceOf(other));
  return {
    invoices,
    before: (invoice) =>
      invoices.filter(
        (one) =>
          sequenceOf(one) < sequenceOf(invoice) &&
          (voided.get(one.finalized?.number ?? "") ?? Infinity) >= sequenceOf(invoice),
      ),
    standing: invoices.filter(({ status }) => status === "finalized"),
  };
}

/** One section for each subscription and period, numbers without a gap, books that balance, no run that failed. */
async function expectOrder({ operations }: PlayedScenario, { invoices, standing }: Billed): Promise<void> {
  const sections = standing.flatMap((invoice) =>
    invoice.sections
      .filter(({ kind }) => kind !== "threshold")
      .map(({ subscription, kind, period }) => `${subscription} ${kind} ${period.start}`),
  );
  expect(sections.toSorted()).toEqual([...new Set(sections)].sort());
  expect(invoices.map(({ finalized }) => finalized?.sequence)).toEqual(invoices.map((_, index) => index + 1));
  const { trialBalance, runs: failed } = await operations.ask<{
    trialBalance: { balanced: boolean };
    runs: { nodes: unknown[] };
  }>(`{ trialBalance { balanced } runs(first: 10, state: failed) { nodes { kind error } } }`);
  expect([trialBalance.balanced, failed.nodes]).toEqual([true, []]);
}

async function expectLinesFromEvidence(
  played: PlayedScenario,
  { given, billed, invoice }: { given: Scenario; billed: Billed; invoice: Invoice },
): Promise<void> {
  const { page } = given;
  const before = billed.before(invoice);
  const intervals = await readIntervals(given, played);
  for (const line of invoice.lines) {
    const why = await explainedLine(played, { invoice: invoice.id, line: line.id, page });
    const subscription = subscriptionOf(invoice, line);
    const earlier = before.flatMap((one) =>
      linesOf(one, subscription).filter((other) => keyText(other) === keyText(line)),
    );
    const billedBefore = earlier.reduce((sum, { net }) => sum + net, 0n);
    const recorded = BigInt(why.recorded.money.minor);
    expect([line.name, why.reproduced, why.billedBefore.minor, why.money.minor, line.net]).toEqual([
      line.name,
      true,
      String(billedBefore),
      String(recorded - billedBefore),
      recorded - billedBefore,
    ]);
    if (line.kind === "charge") expectCharge(why, line);
    else if (line.kind === "adjustment") {
      const standing = [...before, invoice].flatMap((one) => linesOf(one, subscription));
      expectAdjustment(why, { line, standing, intervals });
    } else expect([line.name, recorded]).toEqual([line.name, 0n]);
  }
}

function expectCharge(why: LineEvidence, line: InvoiceLine): void {
  const { quantity, events, portions, minor } = plainCharge(why, spanText(line.period));
  const { recorded } = why;
  expect([line.name, BigInt(recorded.money.minor), recorded.eventCount]).toEqual([line.name, minor, events]);
  if (quantity !== undefined)
    expect([line.name, Fraction.of(recorded.quantity ?? "").toString()]).toEqual([
      line.name,
      quantity.toString(),
    ]);
  for (const [index, portion] of portions.entries()) {
    const said = recorded.portions[index]!;
    if (portion.quantity !== undefined)
      expect([said.quantity, said.includedTaken].map((text) => Fraction.of(text).toString())).toEqual(
        [portion.quantity, portion.taken].map(String),
      );
    // Quotients that never end are given to some 30 decimals; of days to 20.
    expect(Fraction.of(said.gross).at(16, "round").toString()).toBe(portion.gross.at(16, "round").toString());
    expect(Fraction.of(said.net).at(16, "round").toString()).toBe(portion.net.at(16, "round").toString());
  }
}

/** @param standing  what stands billed of the subscription, this invoice included */
function expectAdjustment(
  why: LineEvidence,
  {
    line,
    standing,
    intervals,
  }: { line: InvoiceLine; standing: readonly InvoiceLine[]; intervals: Intervals },
): void {
  const { kind, agreed, base } = why.adjustment!;
  const [start, end] = [line.period.start, line.period.end];
  const isQuarter = (end - start) / day > 40;
  const sum = standing
    .filter(({ price, item, covered }) => {
      if (covered.start < start || covered.start >= end) return false;
      // Coupons come off what the charges come to; a plan's limits are on what its own prices and coupons leave.
      if (price === undefined) return kind !== "coupon" && item.startsWith("coupon:");
      return kind === "coupon" || (intervals.get(price) === "quarter") === isQuarter;
    })
    .reduce((total, { net }) => total + net, 0n);
  const minor = plainAdjustment(kind, BigInt(agreed), BigInt(base));
  expect([line.name, base, why.recorded.money.minor]).toEqual([line.name, String(sum), String(minor)]);
}

/** The interval of the plan that a price is of. */
type Intervals = ReadonlyMap<string, string>;

async function readIntervals(given: Scenario, { organization }: PlayedScenario): Promise<Intervals> {
  const { catalog } = weir.weir.services;
  const versions = await Promise.all(
    given.plans.map((_, index) =>
      catalog.getVersionInForce(organization, `p${index}`, parseInstant(given.begin)!),
    ),
  );
  return new Map(versions.flatMap(({ interval, prices }) => prices.map(({ id }) => [id, interval])));
}

function spanText({ start, end }: InvoiceLine["period"]) {
  return { start: formatInstant(start), end: formatInstant(end) };
}

function subscriptionOf(invoice: Invoice, line: InvoiceLine): SubscriptionId {
  return invoice.sections[line.section]!.subscription;
}

function linesOf(invoice: Invoice, subscription: SubscriptionId): InvoiceLine[] {
  return invoice.lines.filter((line) => subscriptionOf(invoice, line) === subscription);
}

async function expectFinalUsageRatedOnce(
  given: Scenario,
  { organization, subscriptions, events }: PlayedScenario,
  { standing }: Billed,
): Promise<void> {
  const { billing, catalog } = weir.weir.services;
  const coupons = await weir.weir.services.catalog.coupons.list(organization, { limit: 100 });
  for (const { id, subject } of subscriptions) {
    const subscription = await billing.subscriptions.get(organization, id);
    const versions = await catalog.findVersions(organization, [
      ...new Set(subscription.schedule.map(({ planVersion }) => planVersion)),
    ]);
    const contract: Contract = {
      subscription,
      planVersions: new Map(versions.map((version) => [version.id, version])),
      addOnVersions: new Map(),
      coupons: new Map(coupons.map((coupon) => [coupon.id, coupon])),
    };
    const own = events
      .filter((event) => event.subject === subject)
      .map((event) => ({ ...event, time: formatInstant(event.time) }));
    const measure = (charge: Charge): Measured[] =>
      charge.portions.map(({ spans, model }) => {
        const aggregation = charge.price.meter!.slug.toUpperCase() as PlainAggregation;
        const meter = { aggregation, timeZone: subscription.timeZone };
        const notation = writePriceModel(model);
        const measured = measuredPlainly(meter, notation, spans.map(spanText), own);
        return { usage: asServersUsage(measured.usage, notation), events: measured.events };
      });
    const sums = new Map<string, bigint>();
    for (const invoice of standing)
      for (const line of invoice.lines)
        if (subscriptionOf(invoice, line) === id)
          sums.set(keyText(line), (sums.get(keyText(line)) ?? 0n) + line.net);
    const [from, until] = [parseInstant(given.begin)!, subscription.endsAt!];
    expect(settledSums(sums)).toEqual(settledSums(finalState(contract, { from, until }, measure)));
  }
}

function asServersUsage(usage: PlainUsage, model: ModelNotation): Usage {
  switch (usage.form) {
    case "quantity":
      return { kind: "quantity", quantity: decimalOf(totalOf(usage)), events: usage.events };
    case "events":
      return { kind: "events", values: usage.values.map(decimalOf) };
    case "cells": {
      const { dimensions } = model["matrix"] as { dimensions: string[] };
      return {
        kind: "cells",
        cells: usage.cells.map(({ values, quantity }) => ({
          dimensions: Object.fromEntries(dimensions.map((name, index) => [name, values[index]!])),
          quantity: decimalOf(quantity),
        })),
      };
    }
    case "windows":
      return { kind: "windows", quantities: usage.quantities.map(decimalOf) };
    default:
      return usage satisfies never;
  }
}

/** Quantities have at most 18 decimals. */
function decimalOf(fraction: Fraction): Decimal {
  const unscaled = (fraction.numerator * 10n ** 18n) / fraction.denominator;
  return Decimal.fromUnscaled(unscaled, 18);
}

import { isDeepStrictEqual } from "node:util";
import type { MeterId, MeterVersionId, OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { windowBoundaries, type TimeZone } from "../kernel/time-zone.js";
import { measureOf, type PriceWindow } from "../rating/core/index.js";
import type { UsageReading } from "../usage/index.js";
import {
  cutToPeriod,
  type Charge,
  type Measured,
  type Period,
  type Portion,
  type SubjectSpan,
} from "./core/index.js";
import type { BilledMeter, UsagePart, UsagePort, UsageSource, UsageWatermark } from "./usage-port.js";

/** A usage charge, and whose usage it is on. */
export interface ChargedUsage {
  readonly charge: Charge;
  /** The customer's, at least those that touch the charge. */
  readonly spans: readonly SubjectSpan[];
  /** In which a price's windows begin. */
  readonly timeZone: TimeZone;
  /** What it was measured by when it was first billed; the meter's current version when left out. */
  readonly meterVersion?: MeterVersionId | undefined;
}

/** Meters by id, in the version that is read. */
export type BilledMeters = ReadonlyMap<MeterId, BilledMeter>;

/** The current versions of the meters that charges are on. @throws Refusal 409 when one is missing */
export async function metersOf(
  usage: UsagePort,
  organization: OrganizationId,
  charges: readonly Charge[],
): Promise<BilledMeters> {
  const found = new Map<MeterId, BilledMeter>();
  for (const { price } of charges) {
    if (price.meter === undefined || found.has(price.meter.id)) continue;
    const meter = await usage.findMeter(organization, price.meter.id);
    if (meter === undefined) {
      const detail = `Price "${price.key}" is on meter "${price.meter.slug}", which cannot be found.`;
      throw new Refusal(
        makeProblem("meter-missing", 409, "A price's meter is missing", detail, { price: price.key }),
      );
    }
    found.set(price.meter.id, meter);
  }
  return found;
}

/**
 * What was measured for each portion of usage charges, by few queries however many charges there are: those on one meter
 * with the same filters are read together, and what two charges ask for alike is read once.
 *
 * @returns for each charge, in order, what was measured for its portions, in order
 */
export async function measureCharges(
  usage: UsagePort,
  on: {
    readonly organization: OrganizationId;
    readonly watermark: UsageWatermark;
    readonly meters: BilledMeters;
  },
  charged: readonly ChargedUsage[],
): Promise<Measured[][]> {
  const groups = new Map<string, PartGroup>();
  const measured: Measured[][] = charged.map(() => []);
  for (const [index, one] of charged.entries()) {
    const { charge, spans, timeZone } = one;
    const meterVersion = meterVersionOf(on.meters, one);
    const { filters } = charge.price;
    const key = JSON.stringify([meterVersion, filters]);
    const group: PartGroup = groups.get(key) ?? {
      source: {
        organization: on.organization,
        meterVersion,
        watermark: on.watermark,
        ...(filters.length === 0 ? {} : { filters }),
      },
      parts: [],
      partsOfSpans: new Map(),
      places: [],
    };
    groups.set(key, group);
    for (const [position, portion] of charge.portions.entries()) {
      group.places.push([index, position, placeOf(group, spans, partOf(portion, spans, timeZone))]);
    }
  }
  for (const { source, parts, places } of groups.values()) {
    const read = await usage.readMany(source, parts);
    for (const [index, position, number] of places) {
      const one = read[number];
      const portions = measured[index];
      if (one === undefined || portions === undefined)
        throw new Error("a reading has no answer for one of its parts");
      const { charge, timeZone } = charged[index] ?? {};
      const portion = charge?.portions[position];
      if (portion === undefined || timeZone === undefined) throw new Error("an answer is for no portion");
      portions[position] = measuredIn(portion, timeZone, one);
    }
  }
  return measured;
}

/** Charges on one meter with the same filters. */
interface PartGroup {
  readonly source: UsageSource;
  readonly parts: UsagePart[];
  /** Numbers of the parts that were cut from a customer's spans. */
  readonly partsOfSpans: Map<readonly SubjectSpan[], number[]>;
  /** Of each portion its charge, its place in it, and its part. */
  readonly places: [number, number, number][];
}

/** The number of a part in its group; that of the same part when it is there already, as in a backtest's two sides. */
function placeOf({ parts, partsOfSpans }: PartGroup, spans: readonly SubjectSpan[], part: UsagePart): number {
  const known = partsOfSpans.get(spans) ?? [];
  const same = known.find((number) => isSamePart(parts[number], part));
  if (same !== undefined) return same;
  partsOfSpans.set(spans, [...known, parts.length]);
  return parts.push(part) - 1;
}

function isSamePart(one: UsagePart | undefined, other: UsagePart): boolean {
  const { start, end } = other.period;
  return one?.period.start === start && one.period.end === end && isDeepStrictEqual(one, other);
}

/** By which version of its meter a charge is measured. @throws RangeError when it is on no meter, or on one not loaded */
export function meterVersionOf(
  meters: BilledMeters,
  { charge, meterVersion }: Pick<ChargedUsage, "charge" | "meterVersion">,
): MeterVersionId {
  const version = meterVersion ?? (charge.price.meter && meters.get(charge.price.meter.id)?.id);
  if (version === undefined)
    throw new RangeError(`charge ${charge.item} is on no meter, or on one not loaded`);
  return version;
}

export function partOf(
  portion: Pick<Portion, "spans" | "model">,
  spans: readonly SubjectSpan[],
  timeZone: TimeZone,
): UsagePart {
  const [first] = portion.spans;
  const last = portion.spans.at(-1);
  if (first === undefined || last === undefined) throw new RangeError("a portion covers no time");
  const period = { start: first.start, end: last.end };
  return {
    subjects: portion.spans.flatMap((span) => cutToPeriod(spans, span)),
    period,
    reading: readingOf(portion, timeZone),
  };
}

function readingOf({ model, spans }: Pick<Portion, "spans" | "model">, timeZone: TimeZone): UsageReading {
  const measure = measureOf(model);
  if (measure.kind === "cells") return measure;
  if (measure.kind === "windows")
    return { kind: "windows", boundaries: boundariesOf(measure.window, spans, timeZone) };
  if (measure.kind === "events") return { kind: "events" };
  return { kind: "quantity" };
}

/** What was read for a portion without the windows of other times: between spans that do not touch lies one. */
export function measuredIn(
  { model, spans }: Pick<Portion, "spans" | "model">,
  timeZone: TimeZone,
  read: Measured,
): Measured {
  const measure = measureOf(model);
  if (measure.kind !== "windows" || read.usage.kind !== "windows" || spans.length === 1) return read;
  const boundaries = boundariesOf(measure.window, spans, timeZone);
  const quantities = read.usage.quantities.filter((_, index) => {
    const [from, to] = [boundaries[index], boundaries[index + 1]];
    return from !== undefined && to !== undefined && spans.some(({ start, end }) => start < to && from < end);
  });
  return { ...read, usage: { kind: "windows", quantities } };
}

/** A window that holds an instant of two spans is measured once. */
function boundariesOf(window: PriceWindow, spans: readonly Period[], timeZone: TimeZone): Instant[] {
  const size = { hour: "HOUR", day: "DAY", month: "MONTH" }[window] as "HOUR" | "DAY" | "MONTH";
  const boundaries = spans.flatMap(({ start, end }) => windowBoundaries(start, end, size, timeZone));
  return [...new Set(boundaries)].sort((one, other) => one - other);
}

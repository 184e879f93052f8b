import { aggregations, type Aggregation } from "../../src/usage/core/index.js";
import { Fraction } from "./fraction.js";
import { formOf, type ModelNotation, type PlainUsage } from "./plain-rating.js";

/** An event as an explanation shows it. */
export interface PlainEvent {
  readonly time: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, string>>;
}

export type PlainAggregation = Exclude<Aggregation, "WEIGHTED_SUM">;
export const plainAggregations = aggregations.filter(
  (one): one is PlainAggregation => one !== "WEIGHTED_SUM",
);

/** Instants as text, half-open. */
export interface PlainSpan {
  readonly start: string;
  readonly end: string;
}

/** Events have their quantity in `n`, and whom UNIQUE_COUNT counts in `who`. */
export interface PlainMeter {
  readonly aggregation: PlainAggregation;
  readonly timeZone: string;
}

/**
 * What the events of some spans come to, in the form that a price model takes, computed by looking at each.
 *
 * @param events  in the order of time
 */
export function measuredPlainly(
  { aggregation, timeZone }: PlainMeter,
  model: ModelNotation,
  spans: readonly PlainSpan[],
  events: readonly PlainEvent[],
): { readonly usage: PlainUsage; readonly events: number } {
  const inside = events.filter(({ time }) => spans.some((span) => isIn(span, time)));
  return { usage: usageOf(), events: inside.length };

  function usageOf(): PlainUsage {
    const form = formOf(model);
    switch (form) {
      case "quantity":
        return { form, quantity: aggregated(aggregation, inside), events: inside.length };
      case "events":
        return { form, values: inside.map((event) => valueOf(aggregation, event)) };
      case "cells": {
        const { dimensions } = model["matrix"] as { dimensions: string[] };
        const groups = grouped(inside, ({ data }) =>
          JSON.stringify(dimensions.map((name) => data[name] ?? "")),
        );
        const cells = [...groups].map(([key, some]) => ({
          values: JSON.parse(key) as string[],
          quantity: aggregated(aggregation, some),
        }));
        return { form, cells: cells.sort((a, b) => compareLists(a.values, b.values)) };
      }
      case "windows": {
        const { window } = model["windowed"] as { window: "hour" | "day" | "month" };
        const windows = windowsOf(window, timeZone, spans);
        const groups = grouped(inside, ({ time }) => windows.of(time));
        const quantities = windows.all.map((name) => aggregated(aggregation, groups.get(name) ?? []));
        return { form, quantities };
      }
      default:
        return form satisfies never;
    }
  }
}

function aggregated(aggregation: PlainAggregation, events: readonly PlainEvent[]): Fraction {
  const values = events.map((event) => valueOf(aggregation, event));
  if (values.length === 0) return Fraction.zero;
  switch (aggregation) {
    case "SUM":
    case "COUNT":
      return Fraction.sum(values);
    case "UNIQUE_COUNT":
      return Fraction.of(new Set(events.map(({ data }) => data["who"])).size);
    case "MIN":
      return values.reduce((one, other) => Fraction.min(one, other));
    case "MAX":
      return values.reduce((one, other) => Fraction.max(one, other));
    case "AVG":
      // An average has 18 decimals.
      return Fraction.sum(values).over(Fraction.of(values.length)).at(18, "round");
    case "LATEST":
      return values.at(-1)!;
    default:
      return aggregation satisfies never;
  }
}

function valueOf(aggregation: PlainAggregation, { data }: PlainEvent): Fraction {
  return aggregation === "COUNT" || aggregation === "UNIQUE_COUNT"
    ? Fraction.one
    : Fraction.of(data["n"] ?? "");
}

function isIn({ start, end }: PlainSpan, time: string): boolean {
  return micros(start) <= micros(time) && micros(time) < micros(end);
}

interface Windows {
  readonly of: (time: string) => string;
  /** Each window that shares an instant with a span, once. */
  readonly all: readonly string[];
}

/** Zones are so chosen that their clocks change by whole hours; spans begin at local midnight. */
function windowsOf(window: "hour" | "day" | "month", timeZone: string, spans: readonly PlainSpan[]): Windows {
  const zero = micros(spans[0]?.start ?? "");
  const of = (time: string) =>
    window === "hour"
      ? String((micros(time) - zero) / micros_of_hour)
      : localDate(time, timeZone).slice(0, window === "day" ? 10 : 7);
  const all = new Set<string>();
  for (const { start, end } of spans)
    for (let at = micros(start); at < micros(end); at += micros_of_hour)
      all.add(of(new Date(Number(at / 1000n)).toISOString()));
  return { of, all: [...all] };
}

const micros_of_hour = 3_600_000_000n;

/** How many local dates begin in [start, end), both of which begin one. */
export function localDaysBetween(start: string, end: string, timeZone: string): number {
  const date = (at: string) => Date.parse(`${localDate(at, timeZone)}T00:00:00Z`) / 86_400_000;
  return date(end) - date(start);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** 2026-01-31 */
function localDate(at: string, timeZone: string): string {
  const known = formats.get(timeZone);
  // Canada writes its dates so.
  const format =
    known ??
    new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  formats.set(timeZone, format);
  return format.format(new Date(at));
}

/** Microseconds since 1970, of text with up to six decimals. */
export function micros(instant: string): bigint {
  const [, seconds = "", decimals = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(instant) ?? [];
  return BigInt(Date.parse(`${seconds}Z`)) * 1000n + BigInt(decimals.padEnd(6, "0").slice(0, 6) || "0");
}

function grouped<T>(all: readonly T[], by: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = by(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}

function compareLists(one: readonly string[], other: readonly string[]): number {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at < 0 ? 0 : one[at]! < other[at]! ? -1 : 1;
}

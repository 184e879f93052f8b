import { ColumnarLimitExceeded, type TenantDoor } from "../engines/columnar/index.js";
import { Decimal } from "../kernel/decimal.js";
import { chunksOf, groupBy, groupsOf, spansOf, type Group, type Selection } from "./bulk-group.js";
import { refuseTooMuch } from "./rated-usage-refusal.js";
import { hasCorrections } from "./store/query-usage.js";
import type { StoredMeterVersion } from "./store/meters.js";
import { listValues, type ValueCursor } from "./store/list-values.js";
import { readValuesInBulk, sumInBulk, type BulkSum } from "./store/read-in-bulk.js";
import type { BulkPart, RatedSource, ReadUsage, UsageReading } from "./usage-reading.js";

/** How much is read at once, and of one selection at all. */
export interface ReadingLimits {
  /** Rows of one answer; the store's door allows a million. */
  readonly rows_max: number;
  /** Events of one selection that are read one by one: 5 million are some 80 MB, and seconds of rating. */
  readonly events_max: number;
  /** A page of a selection whose events do not fit in one answer. */
  readonly page_events: number;
  readonly cells_max: number;
}

const default_limits: ReadingLimits = {
  rows_max: 500_000,
  events_max: 5_000_000,
  page_events: 250_000,
  cells_max: 100_000,
};

const average_scale = 18;

/** Reads many selections of one meter version by few queries: one for each group and chunk. */
export class BulkReader {
  readonly #door: TenantDoor;
  readonly #meter: StoredMeterVersion;
  readonly #source: RatedSource;
  readonly #uncorrected: boolean;
  readonly #limits: ReadingLimits;

  private constructor(
    door: TenantDoor,
    meter: StoredMeterVersion,
    source: RatedSource,
    uncorrected: boolean,
    limits: ReadingLimits,
  ) {
    this.#door = door;
    this.#meter = meter;
    this.#source = source;
    this.#uncorrected = uncorrected;
    this.#limits = limits;
  }

  static async open(
    door: TenantDoor,
    meter: StoredMeterVersion,
    source: RatedSource,
    limits = default_limits,
  ): Promise<BulkReader> {
    return new BulkReader(door, meter, source, !(await hasCorrections(door)), limits);
  }

  /** In the order of the parts. @throws Refusal 422 when a selection has too much usage to be read in its form */
  async read(parts: readonly BulkPart[]): Promise<ReadUsage[]> {
    const answers = parts.map(({ reading }) => nothing(reading));
    const selections = parts.map((part, index) => ({
      index,
      reading: part.reading,
      spans: spansOf(part, index),
    }));
    for (const group of groupsOf(selections.filter(({ spans }) => spans.length > 0))) {
      for (const chunk of chunksOf(group, this.#limits.rows_max)) {
        const read = group.reading.kind === "events" ? this.#events(chunk) : this.#sums(chunk);
        for (const [index, answer] of await read) answers[index] = answer;
      }
    }
    return answers;
  }

  async #sums({ reading, selections }: Group): Promise<Map<number, ReadUsage>> {
    const sums = await this.#query(reading, selections);
    const byIndex = groupBy(sums, (sum) => sum.selection);
    return new Map(
      selections.flatMap(({ index, reading: own }): [number, ReadUsage][] => {
        const found = byIndex.get(index);
        return found === undefined ? [] : [[index, this.#answerOf(own, found)]];
      }),
    );
  }

  /** Halves the chunk when its answer is too long: nobody knows how many cells there are before asking. */
  async #query(reading: UsageReading, selections: readonly Selection[]): Promise<BulkSum[]> {
    let sums: BulkSum[] | undefined;
    try {
      sums = await sumInBulk(this.#door, {
        ...this.#request(selections),
        aggregation: this.#meter.aggregation,
        dimensions: reading.kind === "cells" ? reading.dimensions.map((name) => this.#positionOf(name)) : [],
        boundaries: reading.kind === "windows" ? reading.boundaries : undefined,
        limit: this.#limits.rows_max,
      });
    } catch (error) {
      if (!(error instanceof ColumnarLimitExceeded) || selections.length === 1) throw error;
    }
    if (sums !== undefined && sums.length < this.#limits.rows_max) return sums;
    if (selections.length === 1) throw refuseTooMuch(this.#meter.slug, "cells", this.#limits.cells_max);
    const half = Math.ceil(selections.length / 2);
    const first = await this.#query(reading, selections.slice(0, half));
    return [...first, ...(await this.#query(reading, selections.slice(half)))];
  }

  #answerOf(reading: UsageReading, sums: readonly BulkSum[]): ReadUsage {
    const events = sums.reduce((count, sum) => count + Number(sum.count), 0);
    switch (reading.kind) {
      case "quantity":
        return { usage: { kind: "quantity", quantity: this.#quantityOf(sums[0]), events }, events };
      case "cells": {
        if (sums.length > this.#limits.cells_max)
          throw refuseTooMuch(this.#meter.slug, "cells", this.#limits.cells_max);
        const cells = sums.map((sum) => ({
          dimensions: Object.fromEntries(
            reading.dimensions.map((name, at) => [name, sum.dimensions[at] ?? ""]),
          ),
          quantity: this.#quantityOf(sum),
        }));
        return { usage: { kind: "cells", cells }, events };
      }
      case "windows": {
        const byStart = new Map(sums.map((sum) => [sum.windowStart, this.#quantityOf(sum)]));
        const starts = reading.boundaries.slice(0, -1);
        return {
          usage: { kind: "windows", quantities: starts.map((start) => byStart.get(start) ?? Decimal.zero) },
          events,
        };
      }
      case "events":
        throw new Error("events are not summed");
      default:
        return reading satisfies never;
    }
  }

  #quantityOf(sum: BulkSum | undefined): Decimal {
    if (sum === undefined) return Decimal.zero;
    const value = Decimal.of(sum.value);
    return this.#meter.aggregation === "AVG"
      ? value.dividedBy(Decimal.of(sum.count), average_scale, "half-away")
      : value;
  }

  /** Counts first, so that each answer fits; who has more than fits is read by pages. */
  async #events({ selections }: Group): Promise<Map<number, ReadUsage>> {
    const counts = new Map<number, number>();
    const counting = {
      ...this.#request(selections),
      dimensions: [],
      boundaries: undefined,
      limit: this.#limits.rows_max,
    };
    for (const sum of await sumInBulk(this.#door, { ...counting, aggregation: "COUNT" }))
      counts.set(sum.selection, Number(sum.count));
    const answers = new Map<number, ReadUsage>();
    let batch: Selection[] = [];
    let batchEvents = 0;
    const flush = async () => {
      for (const [index, answer] of await this.#valuesOf(batch)) answers.set(index, answer);
      batch = [];
      batchEvents = 0;
    };
    for (const selection of selections) {
      const count = counts.get(selection.index) ?? 0;
      if (count === 0) continue;
      if (count > this.#limits.events_max)
        throw refuseTooMuch(this.#meter.slug, "events", this.#limits.events_max);
      if (count > this.#limits.page_events) {
        answers.set(selection.index, await this.#pagesOf(selection));
        continue;
      }
      if (batchEvents + count > this.#limits.rows_max) await flush();
      batch.push(selection);
      batchEvents += count;
    }
    if (batch.length > 0) await flush();
    return answers;
  }

  async #valuesOf(selections: readonly Selection[]): Promise<Map<number, ReadUsage>> {
    const values = new DecimalTexts();
    const found = new Map<number, Decimal[]>();
    for (const { selection, value } of await readValuesInBulk(this.#door, this.#request(selections))) {
      const known = found.get(selection);
      if (known === undefined) found.set(selection, [values.of(value)]);
      else known.push(values.of(value));
    }
    return new Map([...found].map(([index, list]) => [index, ofEvents(list)]));
  }

  async #pagesOf(selection: Selection): Promise<ReadUsage> {
    const texts = new DecimalTexts();
    const list: Decimal[] = [];
    let after: ValueCursor | undefined;
    do {
      const page = { ...this.#request([selection]), after, limit: this.#limits.page_events };
      const { values, next } = await listValues(this.#door, page);
      for (const value of values) list.push(texts.of(value));
      after = next;
    } while (after !== undefined);
    return ofEvents(list);
  }

  #request(selections: readonly Selection[]) {
    return {
      meterVersion: this.#source.meterVersion,
      at: this.#source.watermark,
      filters: (this.#source.filters ?? []).map(({ property, values }) => ({
        position: this.#positionOf(property),
        values,
      })),
      uncorrected: this.#uncorrected,
      spans: selections.flatMap(({ spans }) => spans),
    };
  }

  #positionOf(name: string): number {
    return positionOf(this.#meter, name);
  }
}

/** @throws Error when the meter has no such dimension: the catalog checks prices against their meters */
export function positionOf(meter: StoredMeterVersion, name: string): number {
  const position = meter.groupBy.findIndex((dimension) => dimension.name === name);
  if (position < 0)
    throw new Error(`meter "${meter.slug}" version ${meter.version} has no dimension "${name}"`);
  return position;
}

/** One number for each different text: a million events have far fewer values. */
class DecimalTexts {
  readonly #known = new Map<string, Decimal>();

  of(text: string): Decimal {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const value = Decimal.of(text);
    if (this.#known.size < texts_max) this.#known.set(text, value);
    return value;
  }
}

const texts_max = 100_000;

function ofEvents(values: readonly Decimal[]): ReadUsage {
  return { usage: { kind: "events", values }, events: values.length };
}

/** What a selection without usage comes to. */
export function nothing(reading: UsageReading): ReadUsage {
  switch (reading.kind) {
    case "quantity":
      return { usage: { kind: "quantity", quantity: Decimal.zero, events: 0 }, events: 0 };
    case "events":
      return { usage: { kind: "events", values: [] }, events: 0 };
    case "cells":
      return { usage: { kind: "cells", cells: [] }, events: 0 };
    case "windows":
      return {
        usage: { kind: "windows", quantities: reading.boundaries.slice(1).map(() => Decimal.zero) },
        events: 0,
      };
    default:
      return reading satisfies never;
  }
}

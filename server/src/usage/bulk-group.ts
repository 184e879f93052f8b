import type { Instant } from "../kernel/instant.js";
import type { SelectedSpan } from "./store/read-in-bulk.js";
import type { RatedPeriod, UsageReading } from "./usage-reading.js";

/** Spans of one query: their subjects and instants are its parameters. */
const spans_max = 2000;
/** From so many selections on, those that share a whole period get a query of their own. */
const whole_period_min = 50;

/** A selection on its way: its place in the answer, and its spans within its period. */
export interface Selection {
  readonly index: number;
  readonly reading: UsageReading;
  readonly spans: readonly SelectedSpan[];
}

/** What one query answers: selections that share dimensions and windows. */
export interface Group {
  readonly reading: UsageReading;
  readonly selections: Selection[];
}

/** The subjects' spans within the period. */
export function spansOf({ subjects, period }: RatedPeriod, selection: number): SelectedSpan[] {
  return subjects.flatMap(({ subject, from, to }) => {
    const start = Math.max(from, period.start) as Instant;
    const end = Math.min(to ?? period.end, period.end) as Instant;
    return start < end ? [{ selection, subject, from: start, to: end }] : [];
  });
}

/** Those that share a reading; of them, those whose spans are all one whole period apart from those that are cut. */
export function groupsOf(selections: readonly Selection[]): Group[] {
  const groups: Group[] = [];
  // Readings are often one object for all; a month of hours is 750 instants to write out.
  const texts = new Map<UsageReading, string>();
  const textOf = (reading: UsageReading) => {
    const text = texts.get(reading) ?? JSON.stringify(reading);
    texts.set(reading, text);
    return text;
  };
  for (const alike of groupBy(selections, ({ reading }) => textOf(reading)).values()) {
    const reading = alike[0]?.reading;
    if (reading === undefined) continue;
    const cut: Selection[] = [];
    for (const [key, same] of groupBy(alike, ({ spans }) => spanKey(spans))) {
      if (key !== undefined && same.length >= whole_period_min) groups.push({ reading, selections: same });
      else cut.push(...same);
    }
    if (cut.length > 0) groups.push({ reading, selections: cut });
  }
  return groups;
}

function spanKey(spans: readonly SelectedSpan[]): string | undefined {
  const [first] = spans;
  const isOne = spans.every((span) => span.from === first?.from && span.to === first.to);
  return isOne && first !== undefined ? `${first.from}/${first.to}` : undefined;
}

/** As many selections as one query takes, one after another. */
export function* chunksOf({ reading, selections }: Group, rows_max: number): Generator<Group> {
  const windows = reading.kind === "windows" ? reading.boundaries.length : 1;
  const selections_max = Math.max(1, Math.floor(rows_max / windows) - 1);
  let chunk: Selection[] = [];
  let spans = 0;
  // Rows are stored by subject: a chunk of neighbours reads one stretch of them (40 ms where scattered ones took 84).
  for (const selection of selections.sort(bySubject)) {
    const isFull = spans + selection.spans.length > spans_max || chunk.length >= selections_max;
    if (chunk.length > 0 && isFull) {
      yield { reading, selections: chunk };
      chunk = [];
      spans = 0;
    }
    chunk.push(selection);
    spans += selection.spans.length;
  }
  if (chunk.length > 0) yield { reading, selections: chunk };
}

function bySubject(one: Selection, other: Selection): number {
  const [a, b] = [one.spans[0]?.subject ?? "", other.spans[0]?.subject ?? ""];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Node 20 has no Map.groupBy. */
export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

import { setTimeout as delay } from "node:timers/promises";
import { FileFault, mapRows, openRows, type FilePosition, type SourceRow } from "@weir/sdk/files";
import type { OrganizationId } from "../../kernel/ids.js";
import { Refusal } from "../../kernel/problem.js";
import { findTextFault } from "../core/index.js";
import type { EventRow, RowsReceipt, UsageIngest } from "../ingest.js";
import type { ImportCounts, ImportedShape, ImportRejection } from "../store/imports.js";

/** What became of the rows from one position of a file to another. */
export interface TakenPiece extends ImportCounts {
  readonly to: FilePosition;
  /** Whether the file ends there. */
  readonly ended: boolean;
  /** The first lines that were not taken. */
  readonly rejections: readonly ImportRejection[];
  /** Why nothing behind `to` can be read. */
  readonly failure: string | null;
}

interface Event extends EventRow {
  readonly line: number;
}

// A piece is what is done again after a crash, and what a cancellation waits for: about a second of work.
const piece_bytes = 2 * 1024 * 1024;
const piece_events = 50_000;
// Of one append to the stream: few, so that live requests come in between (some 15 ms). What the events of one row come to
// is not known before, so their text is counted.
const chunk_events = 1_000;
const chunk_bytes = 2 * 1024 * 1024;
const reason_length_max = 500;

/**
 * Takes the next piece of a file in, by the way of every event: a piece that is taken again counts as duplicates.
 * @param from  undefined for the beginning
 * @param listed_max  how many lines that were not taken are named
 * @throws whatever keeps ingest from taking events now; the piece may then be taken again
 */
export async function takePiece(
  ingest: UsageIngest,
  organization: OrganizationId,
  file: string,
  { format, delimiter, mapping }: ImportedShape,
  from: FilePosition | undefined,
  listed_max: number,
): Promise<TakenPiece> {
  const { shape, rows } = await openRows(file, format, delimiter);
  const mapped = mapRows(mapping, shape);
  const start = from ?? shape.start;
  const taken = new Taken(listed_max);
  let to = start;
  let pending: Event[] = [];
  let pendingBytes = 0;
  let events = 0;
  let failure: string | null = null;
  const flush = async () => {
    if (pending.length > 0) taken.add(pending, await takeEvents(ingest, organization, pending));
    pending = [];
    pendingBytes = 0;
  };
  const source = rows(start);
  try {
    for await (const row of source) {
      for (const event of eventsOf(row, mapped, taken)) {
        pending.push(event);
        pendingBytes += row.bytes - to.bytes;
        events += 1;
        if (pending.length >= chunk_events || pendingBytes >= chunk_bytes) await flush();
      }
      to = { bytes: row.bytes, row: row.row + 1, line: row.line };
      if (to.bytes - start.bytes >= piece_bytes || events >= piece_events) {
        await flush();
        return { ...taken.result(), to, ended: false, failure };
      }
    }
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    failure = error.message;
  }
  await flush();
  return { ...taken.result(), to, ended: true, failure };
}

function* eventsOf(
  row: SourceRow,
  mapped: (row: SourceRow) => readonly unknown[],
  taken: Taken,
): Generator<Event> {
  const { line, text } = row;
  try {
    for (const value of mapped(row))
      yield { line, value, fault: text === undefined ? undefined : findTextFault(text, value) };
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    taken.reject(line, error.reason);
  }
}

/** Halves what is too much for one append, and waits where the organization's limit on events says so. */
async function takeEvents(
  ingest: UsageIngest,
  organization: OrganizationId,
  events: readonly Event[],
): Promise<RowsReceipt> {
  for (;;) {
    try {
      return await ingest.acceptRows(organization, events);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.slug === "rate-limited") {
        await delay(Number(error.problem["retryAfterSeconds"]) * 1000);
      } else if (error.slug === "measurements-too-large" && events.length > 1) {
        const half = Math.ceil(events.length / 2);
        const first = await takeEvents(ingest, organization, events.slice(0, half));
        return joined(first, await takeEvents(ingest, organization, events.slice(half)), half);
      } else if (error.slug === "measurements-too-large") {
        const fault = {
          index: 0,
          code: "field-too-large",
          field: "data",
          message: error.problem.detail,
        } as const;
        return { accepted: 0, duplicates: 0, conflicts: [], unmetered: [], faults: [fault] };
      } else throw error;
    }
  }
}

function joined(first: RowsReceipt, second: RowsReceipt, offset: number): RowsReceipt {
  const moved = <T extends { readonly index: number }>(list: readonly T[]) =>
    list.map((each) => ({ ...each, index: each.index + offset }));
  return {
    accepted: first.accepted + second.accepted,
    duplicates: first.duplicates + second.duplicates,
    conflicts: [...first.conflicts, ...moved(second.conflicts)],
    unmetered: [...first.unmetered, ...moved(second.unmetered)],
    faults: [...first.faults, ...moved(second.faults)],
  };
}

/** Counts, and the first reasons. */
class Taken {
  readonly #listed_max: number;
  readonly #reasons = new Map<number, string>();
  #accepted = 0;
  #duplicates = 0;
  #conflicts = 0;
  #unmetered = 0;
  #rejected = 0;

  constructor(listed_max: number) {
    this.#listed_max = listed_max;
  }

  add(events: readonly Event[], receipt: RowsReceipt): void {
    this.#accepted += receipt.accepted;
    this.#duplicates += receipt.duplicates;
    this.#conflicts += receipt.conflicts.length;
    this.#unmetered += receipt.unmetered.length;
    this.#rejected += new Set(receipt.faults.map(({ index }) => index)).size;
    for (const { index, message } of receipt.faults) this.#note(events[index]?.line, message);
    for (const { index, source, id } of receipt.conflicts)
      this.#note(
        events[index]?.line,
        `an event of source "${source}" and id "${id}" is there with other content`,
      );
  }

  reject(line: number, reason: string): void {
    this.#rejected += 1;
    this.#note(line, reason);
  }

  #note(line: number | undefined, reason: string): void {
    if (line === undefined || this.#reasons.has(line) || this.#reasons.size >= this.#listed_max) return;
    this.#reasons.set(line, reason.replaceAll("\0", "�").slice(0, reason_length_max));
  }

  result(): ImportCounts & { readonly rejections: readonly ImportRejection[] } {
    return {
      accepted: this.#accepted,
      duplicates: this.#duplicates,
      conflicts: this.#conflicts,
      unmetered: this.#unmetered,
      rejected: this.#rejected,
      rejections: [...this.#reasons].map(([line, reason]) => ({ line, reason })),
    };
  }
}

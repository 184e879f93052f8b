import { packEntry, words_per_entry } from "./entry-format.js";

/** What is known of one identity. */
export interface RememberedKey {
  /** 8 latin1 characters. */
  readonly fingerprint: string;
  /** Whole seconds since 1970. */
  readonly expirySeconds: number;
}

/** The keys of one segment that are not yet in LMDB. Recovery fills it again, so it is a cache of durable data. */
export class MemoryTable {
  readonly keys = new Map<string, RememberedKey>();
  /** True once the writer has a copy: whatever is removed now must be erased there too. */
  handedOver = false;

  constructor(readonly segment: number) {}
}

/** 4,096 entries pack in 0.6 ms; requests are answered between two slices. */
const entries_per_slice = 4_096;

/**
 * Packs the table's entries for the writer, in buffers of at most `entriesMax`, yielding to other work in between.
 * Keys removed meanwhile are left out as long as their slice has not been packed; the caller erases the others.
 */
export async function packTable(table: MemoryTable, entriesMax: number): Promise<Uint32Array<ArrayBuffer>[]> {
  const entries = table.keys.entries();
  const packed: Uint32Array<ArrayBuffer>[] = [];
  let words = new Uint32Array(Math.min(table.keys.size, entriesMax) * words_per_entry);
  let at = 0;
  table.handedOver = true;
  for (let sliced = 0; ; sliced += 1) {
    const { done, value } = entries.next();
    if (done === true) break;
    if (at === words.length) {
      if (at > 0) packed.push(words);
      words = new Uint32Array(Math.min(table.keys.size, entriesMax) * words_per_entry);
      at = 0;
    }
    packEntry(words, at, value[0], value[1].fingerprint, value[1].expirySeconds);
    at += words_per_entry;
    if (sliced >= entries_per_slice) {
      sliced = 0;
      await new Promise(setImmediate);
    }
  }
  if (at > 0) packed.push(words.slice(0, at));
  return packed;
}

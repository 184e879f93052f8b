import type { Caller } from "./caller.js";

export interface KeyCacheOptions {
  /** asks the store; undefined for a key that is unknown or revoked */
  load(hash: string): Promise<Caller | undefined>;
  /** milliseconds that never go back */
  readonly nowMs: () => number;
  readonly keysMax?: number;
  readonly unknownMax?: number;
  readonly loadsMax?: number;
  /** thrown instead of one load more than `loadsMax` at once */
  readonly overloaded: () => Error;
}

interface Entry {
  readonly caller: Caller | undefined;
  readonly loadedAtMs: number;
}

// How long a key that was revoked by another process may still work here.
const known_ms = 10_000;
// From this age on, using a key renews it in the background, so that a key in steady use never waits, and an outage of
// PostgreSQL of a few seconds is not noticed.
const renew_ms = 5_000;
const unknown_ms = 2_000;

/** Who signs in with which key, for a few seconds, in bounded memory. Keys stand here as hashes only. */
export class KeyCache {
  readonly #on: Required<KeyCacheOptions>;
  readonly #known = new Map<string, Entry>();
  readonly #unknown = new Map<string, Entry>();
  readonly #loading = new Map<string, Promise<Caller | undefined>>();
  #generation = 0;

  constructor(options: KeyCacheOptions) {
    this.#on = { keysMax: 50_000, unknownMax: 10_000, loadsMax: 256, ...options };
  }

  /** Synchronous when the answer is known. @throws (or rejects) `overloaded` */
  find(hash: string): Caller | undefined | Promise<Caller | undefined> {
    const nowMs = this.#on.nowMs();
    const known = this.#known.get(hash);
    if (known !== undefined) {
      const ageMs = nowMs - known.loadedAtMs;
      if (ageMs < known_ms) {
        if (ageMs >= renew_ms && this.#loading.size < this.#on.loadsMax)
          this.#load(hash).catch(() => undefined);
        return known.caller;
      }
      this.#known.delete(hash);
    }
    const unknown = this.#unknown.get(hash);
    if (unknown !== undefined && nowMs - unknown.loadedAtMs < unknown_ms) return undefined;
    const loading = this.#loading.get(hash);
    if (loading !== undefined) return loading;
    if (this.#loading.size >= this.#on.loadsMax) throw this.#on.overloaded();
    return this.#load(hash);
  }

  /** After a change of keys: what was loaded of this key, or is just being loaded, is not believed. */
  forget(key: Caller["key"]): void {
    this.#generation += 1;
    this.#loading.clear();
    for (const [hash, { caller }] of this.#known) if (caller?.key === key) this.#known.delete(hash);
  }

  #load(hash: string): Promise<Caller | undefined> {
    const existing = this.#loading.get(hash);
    if (existing !== undefined) return existing;
    const generation = this.#generation;
    const loadedAtMs = this.#on.nowMs();
    const loading = this.#on.load(hash).then((caller) => {
      if (generation === this.#generation) this.#keep(hash, { caller, loadedAtMs });
      return caller;
    });
    this.#loading.set(hash, loading);
    const done = () => {
      if (this.#loading.get(hash) === loading) this.#loading.delete(hash);
    };
    loading.then(done, done);
    return loading;
  }

  #keep(hash: string, entry: Entry): void {
    const [into, from, max] =
      entry.caller === undefined
        ? [this.#unknown, this.#known, this.#on.unknownMax]
        : [this.#known, this.#unknown, this.#on.keysMax];
    from.delete(hash);
    into.delete(hash); // so that it becomes the youngest: maps keep the order of insertion
    into.set(hash, entry);
    for (const oldest of into.keys()) {
      if (into.size <= max) break;
      into.delete(oldest);
    }
  }
}

import type { RunSummary } from "./manifest.js";

/** What the worker is started with. */
export interface WriterData {
  readonly dir: string;
}

/** Questions are answered by one Answer with the same id. */
export type Question =
  /** Entries (7 words each, any order, at most 2^20) that shall be durable. */
  | { readonly kind: "append"; readonly id: number; readonly entries: Uint32Array<ArrayBuffer> }
  /** Keys (4 words each) that shall be gone. */
  | { readonly kind: "erase"; readonly id: number; readonly keys: Uint32Array<ArrayBuffer> }
  | { readonly kind: "sweep"; readonly id: number; readonly expiredSeconds: number }
  | { readonly kind: "complete"; readonly id: number }
  | { readonly kind: "close"; readonly id: number };

/** The main thread no longer reads these runs. */
export interface Released {
  readonly kind: "released";
  readonly runs: readonly number[];
}

export type ToWriter = Question | Released;

export interface RunView {
  readonly summary: RunSummary;
  readonly filter: Uint32Array<ArrayBuffer>;
}

/** The runs have changed, durably; sent before the answer to the question that caused it. */
export interface Changed {
  readonly kind: "changed";
  readonly added: readonly RunView[];
  readonly removed: readonly number[];
  readonly forgotten: boolean;
}

export interface Answer {
  readonly kind: "answer";
  readonly id: number;
  readonly count: number;
}

export interface Failed {
  readonly kind: "failed";
  /** Absent when work in the background failed (a merge), which is tried again later. */
  readonly id?: number;
  readonly message: string;
  readonly damaged: boolean;
}

export type FromWriter = Changed | Answer | Failed;

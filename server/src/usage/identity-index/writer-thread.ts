import { Worker } from "node:worker_threads";
import { IdentityIndexDamaged } from "./manifest.js";
import type { Answer, Changed, Failed, FromWriter, Question, WriterData } from "./writer-messages.js";

type WithoutId<Q> = Q extends unknown ? Omit<Q, "id"> : never;

/** Thrown when LMDB could not write (disk full, map full, I/O error); what was asked for can be asked for again. */
export class IdentityIndexUnavailable extends Error {
  override readonly name = "IdentityIndexUnavailable";
  readonly retry = true;
}

export interface WriterListener {
  changed(change: Changed): void;
  /** Work in the background failed, or the thread died (`damaged` false, and all questions fail). */
  failed(error: Error): void;
}

/** The main thread's end of the worker that writes. */
export class WriterThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(count: number): void; reject(error: Error): void }>();
  #nextId = 1;
  #ended: Error | undefined;

  constructor(data: WriterData, listener: WriterListener) {
    // Run from TypeScript (tests), the worker's files are stripped of their types as they are loaded.
    const fromSource = import.meta.url.endsWith(".ts");
    const entry = new URL(fromSource ? "./index-writer.ts" : "./index-writer.js", import.meta.url);
    const loader = new URL("./load-typescript.mjs", import.meta.url);
    this.#worker = new Worker(entry, {
      workerData: data,
      execArgv: fromSource ? ["--import", loader.href] : [],
      name: "identity-index",
    });
    this.#worker.on("message", (message: FromWriter) => {
      switch (message.kind) {
        case "changed":
          return listener.changed(message);
        case "answer":
          return this.#settle(message);
        case "failed":
          if (message.id === undefined) return listener.failed(errorOf(message));
          return this.#settle(message);
      }
    });
    this.#worker.on("error", (error) => {
      this.#end(new IdentityIndexUnavailable(`the identity index's thread failed: ${String(error)}`));
      listener.failed(error instanceof Error ? error : new Error(String(error)));
    });
    this.#worker.on("exit", () => this.#end(new IdentityIndexUnavailable("the identity index is closed")));
  }

  /** Rejects with IdentityIndexUnavailable or IdentityIndexDamaged. */
  ask(question: WithoutId<Question>): Promise<number> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const transfer = question.kind === "append" ? [question.entries.buffer] : [];
      this.#worker.postMessage({ ...question, id }, transfer);
    });
  }

  release(runs: readonly number[]): void {
    this.#worker.postMessage({ kind: "released", runs });
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    await this.ask({ kind: "close" });
    await this.#worker.terminate();
  }

  #settle(message: Answer | Failed): void {
    if (message.id === undefined) return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === "answer") waiting?.resolve(message.count);
    else waiting?.reject(errorOf(message));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended);
    this.#waiting.clear();
  }
}

function errorOf(failed: Failed): Error {
  return failed.damaged
    ? new IdentityIndexDamaged(failed.message)
    : new IdentityIndexUnavailable(failed.message);
}

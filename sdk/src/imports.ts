import type { Receipt, UsageEvent } from "./events.js";
import type { Transport } from "./transport.js";

/** A named import of history, and how far it got. */
export interface Import {
  readonly id: string;
  readonly name: string;
  readonly fingerprint: string;
  readonly status: "running" | "completed";
  /** Source rows taken so far. */
  readonly rowsDone: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly unmetered: number;
}

/** Imports: events of any age, exactly once, resumable by name. */
export class Imports {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async list(): Promise<Import[]> {
    return (await this.#transport.json<{ imports: Import[] }>("/v1/imports")).imports;
  }

  /** Starts an import, or finds the one of this name. `fingerprint` says what it imports: another is refused. */
  start(name: string, fingerprint: string): Promise<Import> {
    return this.#transport.json("/v1/imports", {
      method: "POST",
      json: { name, fingerprint },
      repeatable: true,
    });
  }

  /** Sends the events of `rows` source rows from `firstRow` on, at most 10,000 events and 16 MiB. */
  sendChunk(
    id: string,
    chunk: { firstRow: number; rows: number; events: readonly UsageEvent[] },
  ): Promise<Receipt & { rowsDone: number }> {
    const query = new URLSearchParams({ firstRow: String(chunk.firstRow), rows: String(chunk.rows) });
    return this.#transport.json(`/v1/imports/${encodeURIComponent(id)}/events`, {
      method: "POST",
      query,
      json: chunk.events,
      repeatable: true,
    });
  }

  complete(id: string): Promise<Import> {
    return this.#transport.json(`/v1/imports/${encodeURIComponent(id)}/complete`, {
      method: "POST",
      repeatable: true,
    });
  }
}

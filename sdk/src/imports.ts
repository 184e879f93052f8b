import type { Receipt, UsageEvent } from "./events.js";
import type { Transport } from "./transport.js";

/** A named import of history, and how far it got. */
export interface Import {
  readonly id: string;
  readonly name: string;
  readonly fingerprint: string;
  readonly status: "running" | "completed" | "failed" | "canceled";
  /** Source rows taken so far. */
  readonly rowsDone: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly unmetered: number;
  /** Events, and lines, of an uploaded file that could not be taken. */
  readonly rejected: number;
  /** Of an uploaded file, which Weir takes in by itself, in a workflow run; null when the client sends the rows. */
  readonly file: { readonly bytes: number; readonly bytesDone: number; readonly run: string } | null;
  /** Why it ended before the end of its file. */
  readonly failure: string | null;
  readonly createdAt: string;
  readonly completedAt: string | null;
}

/** An import with the first 200 lines of its file that were not taken. */
export interface ImportDetails extends Import {
  readonly rejections: readonly { readonly line: number; readonly reason: string }[];
}

/** A file to be imported, and how its rows become events: see the guide, "Importing history". */
export interface ImportUpload {
  readonly name: string;
  /** Part of the default ids; the name when left out. */
  readonly file?: string;
  readonly contentType: "text/csv" | "text/tab-separated-values" | "application/x-ndjson";
  readonly contentEncoding?: "gzip" | "deflate" | "zstd";
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  readonly time?: string | undefined;
  readonly id?: string | undefined;
  readonly source?: string | undefined;
  /** name=text each */
  readonly data?: readonly string[];
  readonly forEachSubject?: readonly string[];
}

/** Imports: events of any age, exactly once, resumable by name. */
export class Imports {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first, up to 200; those after one with `after`. */
  async list(page: { after?: string } = {}): Promise<Import[]> {
    const query = new URLSearchParams(page);
    return (await this.#transport.json<{ imports: Import[] }>("/v1/imports", { query })).imports;
  }

  get(idOrName: string): Promise<ImportDetails> {
    return this.#transport.json(`/v1/imports/${encodeURIComponent(idOrName)}`);
  }

  /**
   * Uploads a file, which Weir then takes in by itself; `get` tells how far it is. The same file and mapping again under the
   * name finds the import.
   */
  upload(
    { name, file, contentType, contentEncoding, data = [], forEachSubject = [], ...texts }: ImportUpload,
    body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
  ): Promise<Import> {
    const query = new URLSearchParams({ name });
    for (const [key, value] of Object.entries({ file, ...texts }))
      if (value !== undefined) query.set(key, value);
    for (const each of data) query.append("data", each);
    for (const each of forEachSubject) query.append("forEachSubject", each);
    return this.#transport.json("/v1/imports", {
      method: "POST",
      query,
      body,
      headers: {
        "content-type": contentType,
        ...(contentEncoding === undefined ? {} : { "content-encoding": contentEncoding }),
      },
    });
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

import type { Transport } from "./transport.js";

/** A file of a provider, a scheme or a bank, and how far it is. */
export interface SettlementFile {
  readonly id: string;
  /** The account's id. */
  readonly account: string;
  readonly name: string;
  readonly sha256: string;
  readonly state: "landed" | "parsing" | "staged" | "matched" | "posted" | "held" | "refused" | "discarding";
  readonly bytes: number;
  readonly bytesDone: number;
  readonly format: string | null;
  /** Read so far; of them: in the books from another file before, known what they are, in suspense, in the books. */
  readonly records: number;
  readonly repeated: number;
  readonly matched: number;
  readonly unmatched: number;
  readonly posted: number;
  /** Why the whole file is not used. */
  readonly refusal: {
    readonly line: number | null;
    readonly record: number | null;
    readonly field: string | null;
    readonly detail: string;
    readonly advice: string;
  } | null;
  readonly run: string | null;
  /** Why nothing more happens by itself. */
  readonly failure: string | null;
  readonly landedAt: string;
  readonly endedAt: string | null;
}

export interface SettlementUpload {
  /** Id or key. */
  readonly account: string;
  readonly name: string;
  /** Found by the content when left out. */
  readonly format?: string | undefined;
}

/** Settlement files: landed once, read by the server. */
export class Settlement {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Sends a file, which is then read by itself; `get` tells how far it is. The same bytes again find the one that is there. */
  upload(
    { account, name, format }: SettlementUpload,
    body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
  ): Promise<SettlementFile & { readonly alreadyLanded: boolean }> {
    const query = new URLSearchParams({ account, name, ...(format === undefined ? {} : { format }) });
    return this.#transport.json("/v1/settlement/files", {
      method: "POST",
      query,
      body,
      headers: { "content-type": "application/octet-stream" },
    });
  }

  get(id: string): Promise<SettlementFile> {
    return this.#transport.json(`/v1/settlement/files/${encodeURIComponent(id)}`);
  }
}

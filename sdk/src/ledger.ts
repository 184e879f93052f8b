import type { Transport } from "./transport.js";

export type JournalFormat = "csv" | "parquet";

export interface JournalOptions {
  /** CSV when left out. */
  readonly format?: JournalFormat;
  /** Postings that count at this instant or later, as RFC 3339. */
  readonly from?: string;
  /** Postings that count before. */
  readonly to?: string;
}

/** A file that comes as it is made. */
export interface JournalFile {
  readonly name: string;
  readonly content: ReadableStream<Uint8Array>;
}

/** The books as files; everything else of them is GraphQL's. */
export class Ledger {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Every transfer with its posting, by time. @throws WeirError invalid-journal-request */
  async journal({ format = "csv", from, to }: JournalOptions = {}): Promise<JournalFile> {
    const query = new URLSearchParams({
      format,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    });
    const response = await this.#transport.send("/v1/ledger/journal", { query });
    if (response.body === null) throw new Error("the journal came without a body");
    const named = /filename="([\w.-]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1];
    return { name: named ?? `journal.${format}`, content: response.body };
  }
}

import type { Transport } from "./transport.js";

export type DocumentFormat = "pdf" | "html" | "json";

export interface DocumentFile {
  /** By its number, or a draft's id: "INV-000042.pdf". */
  readonly name: string;
  readonly content: Uint8Array;
}

/** Invoices and credit notes as documents; all else of them is GraphQL's. */
export class Invoices {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** An invoice by id or number, a draft too. */
  download(invoice: string, format: DocumentFormat = "pdf"): Promise<DocumentFile> {
    return this.#file("invoices", invoice, format);
  }

  downloadCreditNote(creditNote: string, format: DocumentFormat = "pdf"): Promise<DocumentFile> {
    return this.#file("credit-notes", creditNote, format);
  }

  async #file(kind: string, idOrNumber: string, format: DocumentFormat): Promise<DocumentFile> {
    const fallback = `${encodeURIComponent(idOrNumber)}.${format}`;
    const response = await this.#transport.send(`/v1/${kind}/${fallback}`);
    const named = /filename="([\w.-]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1];
    return { name: named ?? fallback, content: new Uint8Array(await response.arrayBuffer()) };
  }
}

import { nodesOf, pageInfo } from "./connection.js";
import { creditNoteSelection, type CreditedLine, type CreditNote } from "./credit-note.js";
import type { GraphQL, Repeatable } from "./graphql.js";
import {
  headSelection,
  invoiceSelection,
  previewSelection,
  type Invoice,
  type InvoiceHead,
  type InvoicePreview,
  type InvoiceStatus,
} from "./invoice.js";
import {
  explanationQuery,
  type ExplainedLine,
  type LineExplanation,
  type MeasuredEvent,
} from "./line-explanation.js";
import {
  attemptSelection,
  invoicePaymentSelection,
  paymentDetailsSelection,
  receivableSelection,
  type InvoicePayment,
  type PaymentAttempt,
  type PaymentDetails,
  type Receivable,
  type TransferInstructions,
} from "./payment.js";
import type { Transport } from "./transport.js";

/** xml is the EN 16931 e-invoice, in UBL. */
export type DocumentFormat = "pdf" | "html" | "json" | "xml";

export interface DocumentFile {
  /** By its number, or a draft's id: "INV-000042.pdf". */
  readonly name: string;
  readonly content: Uint8Array;
}

const events_page = 500;

/**
 * Invoices and credit notes: what they would be, are, and why. An invoice or credit note is named by id or number.
 * What Weir refuses is thrown as a WeirError, whose `code` is given with each method.
 */
export class Invoices {
  readonly #graphql: GraphQL;
  readonly #transport: Transport;

  constructor(graphql: GraphQL, transport: Transport) {
    this.#graphql = graphql;
    this.#transport = transport;
  }

  /**
   * Without their lines, newest first, page by page.
   * @param filter.customer id or key: those that it pays, or has a subscription on
   */
  list(
    filter: { customer?: string | undefined; status?: InvoiceStatus | undefined } = {},
  ): AsyncGenerator<InvoiceHead, void, void> {
    return nodesOf(
      this.#graphql,
      `query ($customer: String, $status: String, $after: String) { connection: invoices(customer: $customer, status: $status, first: 100, after: $after) { nodes ${headSelection} ${pageInfo} } }`,
      { customer: filter.customer ?? null, status: filter.status ?? null },
    );
  }

  async find(idOrNumber: string): Promise<Invoice | null> {
    const { invoice } = await this.#graphql.run<{ invoice: Invoice | null }>(
      `query ($id: ID!) { invoice(id: $id) ${invoiceSelection} }`,
      { id: idOrNumber },
    );
    return invoice;
  }

  /**
   * What the period that holds an instant, now when left out, costs by the usage known now.
   * @throws WeirError subscription-not-found; not-subscribed-then; usage-still-arriving while a meter's history is measured
   */
  async preview(subscription: string, at?: string): Promise<InvoicePreview> {
    const { invoicePreview } = await this.#graphql.run<{ invoicePreview: InvoicePreview }>(
      `query ($subscription: ID!, $at: Instant) { invoicePreview(subscription: $subscription, at: $at) ${previewSelection} }`,
      { subscription, at: at ?? null },
    );
    return invoicePreview;
  }

  /**
   * Stores the draft of a period, chosen as by `preview`. A period has one invoice: it is given back, as it is, when
   * there is one.
   * @throws WeirError as `preview`
   */
  create(
    subscription: string,
    at?: string,
    options: Repeatable = {},
  ): Promise<{ readonly created: boolean; readonly invoice: Invoice }> {
    const args = { subscription: ["ID!", subscription], at: ["Instant", at] } as const;
    return this.#graphql.mutate("createInvoice", args, `{ created invoice ${invoiceSelection} }`, options);
  }

  /**
   * Computes a draft anew from the usage known now; its lines keep their ids.
   * @throws WeirError invoice-not-found; invoice-not-a-draft
   */
  refresh(idOrNumber: string, options: Repeatable = {}): Promise<Invoice> {
    return this.#graphql.mutate("refreshInvoice", { id: ["ID!", idOrNumber] }, invoiceSelection, options);
  }

  /**
   * Computes a draft a last time and makes it final: numbered, posted, drawn from credits and balance, all or nothing.
   * One that is final already is given back as it is.
   * @throws WeirError invoice-not-found; period-not-over; earlier-draft while one of the same subscription stands
   */
  finalize(idOrNumber: string, options: Repeatable = {}): Promise<Invoice> {
    return this.#graphql.mutate("finalizeInvoice", { id: ["ID!", idOrNumber] }, invoiceSelection, options);
  }

  /**
   * Takes a finalized invoice back as if it had never been: what it billed is due again, on another invoice. Voiding it
   * again gives the credit note that there is.
   * @throws WeirError invoice-not-found; invoice-not-finalized; invoice-credited when parts were given back
   */
  void(idOrNumber: string, reason: string, options: Repeatable = {}): Promise<CreditNote> {
    const args = { id: ["ID!", idOrNumber], reason: ["String!", reason] } as const;
    return this.#graphql.mutate("voidInvoice", args, creditNoteSelection, options);
  }

  /**
   * Gives back parts of a finalized invoice with their tax: off what is still owed of it, the rest as balance. It is not
   * charged again.
   * @param credit.lines all that is left of every line when left out
   * @throws WeirError invoice-not-found; invoice-not-finalized; invoice-credited when nothing is left; invalid-credit-note,
   *   whose `details` name each fault
   */
  issueCreditNote(
    idOrNumber: string,
    credit: { readonly reason: string; readonly lines?: readonly CreditedLine[] | undefined },
    options: Repeatable = {},
  ): Promise<CreditNote> {
    const args = {
      invoice: ["ID!", idOrNumber],
      reason: ["String!", credit.reason],
      lines: ["[CreditedLineInput!]", credit.lines],
    } as const;
    return this.#graphql.mutate("issueCreditNote", args, creditNoteSelection, options);
  }

  /** How an invoice, by id or number, can be paid by a transfer: one for each account that takes its currency. */
  async paymentInstructions(idOrNumber: string): Promise<readonly TransferInstructions[]> {
    const { invoice } = await this.#graphql.run<{
      invoice: { paymentInstructions: readonly TransferInstructions[] } | null;
    }>(
      "query ($id: ID!) { invoice(id: $id) { paymentInstructions { account { key } holder iban bic reference amount { amount currency } qrPayload } } }",
      { id: idOrNumber },
    );
    return invoice?.paymentInstructions ?? [];
  }

  /** Oldest first, page by page; of one invoice when given. */
  creditNotes(filter: { invoice?: string | undefined } = {}): AsyncGenerator<CreditNote, void, void> {
    return nodesOf(
      this.#graphql,
      `query ($invoice: ID, $after: String) { connection: creditNotes(invoice: $invoice, first: 50, after: $after) { nodes ${creditNoteSelection} ${pageInfo} } }`,
      { invoice: filter.invoice ?? null },
    );
  }

  async findCreditNote(idOrNumber: string): Promise<CreditNote | null> {
    const { creditNote } = await this.#graphql.run<{ creditNote: CreditNote | null }>(
      `query ($idOrNumber: ID!) { creditNote(idOrNumber: $idOrNumber) ${creditNoteSelection} }`,
      { idOrNumber },
    );
    return creditNote;
  }

  /**
   * Why a line costs what it costs, with the first of the events behind it.
   * @param page.first 1 to 1000 events; 50 when left out
   * @throws WeirError invoice-not-found; line-not-found; price-not-found; for a preview also as `preview`
   */
  async explain(line: ExplainedLine, page: { first?: number | undefined } = {}): Promise<LineExplanation> {
    const { query, variables } = explanationQuery(line, "all");
    const first = page.first ?? 50;
    const { explanation } = await this.#graphql.run<{ explanation: LineExplanation }>(query, {
      ...variables,
      first,
      after: null,
    });
    return explanation;
  }

  /**
   * The events behind a line, oldest first, page by page, all of one watermark.
   * @param page.after an explanation's `events.endCursor`: what comes after its events, of its watermark
   * @throws WeirError as `explain`; invalid-cursor
   */
  async *evidence(
    line: ExplainedLine,
    page: { after?: string | undefined } = {},
  ): AsyncGenerator<MeasuredEvent, void, void> {
    const { query, variables } = explanationQuery(line, "events");
    let after: string | null = page.after ?? null;
    do {
      const answer: { explanation: Pick<LineExplanation, "events"> } = await this.#graphql.run(query, {
        ...variables,
        first: events_page,
        after,
      });
      yield* answer.explanation.events.nodes;
      after = answer.explanation.events.endCursor;
    } while (after !== null);
  }

  /**
   * Charges what is open of an invoice, or a part of it. The attempt is stored, and the money taken a moment later.
   * @param charge.method the customer's default when left out
   * @param charge.amount in major units: "100.00"; all that is open when left out
   * @throws WeirError invoice-not-found; invoice-not-finalized; nothing-owed; payment-in-progress; no-payment-method;
   *   invalid-amount; currency-not-charged
   */
  pay(
    idOrNumber: string,
    charge: { readonly method?: string | undefined; readonly amount?: string | undefined } = {},
    options: Repeatable = {},
  ): Promise<PaymentAttempt> {
    const args = {
      invoice: ["ID!", idOrNumber],
      method: ["ID", charge.method],
      amount: ["Decimal", charge.amount],
    } as const;
    return this.#graphql.mutate("payInvoice", args, attemptSelection, options);
  }

  /**
   * Gives up what is open of an invoice: it becomes bad debt.
   * @throws WeirError invoice-not-found; nothing-owed; payment-in-progress
   */
  writeOff(idOrNumber: string, reason: string, options: Repeatable = {}): Promise<Receivable> {
    const args = { invoice: ["ID!", idOrNumber], reason: ["String!", reason] } as const;
    return this.#graphql.mutate("writeOffInvoice", args, receivableSelection, options);
  }

  /** How an invoice is paid: what is owed, each attempt, payment, refund and dispute, and what all of it posted. */
  async howPaid(idOrNumber: string): Promise<InvoicePayment | null> {
    const { invoice } = await this.#graphql.run<{ invoice: Omit<InvoicePayment, "payments"> | null }>(
      `query ($id: ID!) { invoice(id: $id) ${invoicePaymentSelection} }`,
      { id: idOrNumber },
    );
    if (invoice === null) return null;
    const payments: PaymentDetails[] = [];
    const pages = nodesOf<PaymentDetails>(
      this.#graphql,
      `query ($invoice: ID, $after: String) { connection: payments(invoice: $invoice, first: 20, after: $after) { nodes ${paymentDetailsSelection} ${pageInfo} } }`,
      { invoice: idOrNumber },
    );
    for await (const payment of pages) payments.push(payment);
    return { ...invoice, payments };
  }

  /**
   * An invoice as a document, a draft too.
   * @throws WeirError invoice-not-found; for xml e-invoice-not-valid, whose `errors` name each rule that it would break
   */
  download(invoice: string, format: DocumentFormat = "pdf"): Promise<DocumentFile> {
    return this.#file("invoices", invoice, format);
  }

  /** @throws WeirError credit-note-not-found; for xml e-invoice-not-valid */
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

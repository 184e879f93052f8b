import type { Catalog } from "../../catalog/index.js";
import { sellerOf, wordingOf, type DocumentPayment, type InvoiceDocument } from "../../documents/index.js";
import type { Postgres, Sql } from "../../engines/postgres/index.js";
import { findBillingProfile, findOrganization } from "../../identity/index.js";
import type { InvoiceId, OrganizationId, PriceId } from "../../kernel/ids.js";
import type { Customers } from "../customers.js";
import type { CreditNote } from "./credit-note.js";
import type { CreditNotes } from "./credit-notes.js";
import type { DocumentSources } from "./document-sources.js";
import { documentedCreditNote, documentedInvoice, locale_default } from "./documented-invoice.js";
import type { Buyer, Invoice } from "./invoice.js";
import type { Invoices } from "./invoices.js";

/** How an invoice is to be paid, or was; undefined where nothing is known. In a transaction of the organization. */
export type PaymentOfInvoice = (sql: Sql, invoice: InvoiceId) => Promise<DocumentPayment | undefined>;

export interface InvoiceDocumentsDependencies {
  readonly postgres: Postgres;
  readonly catalog: Catalog;
  readonly customers: Customers;
  readonly invoices: Invoices;
  readonly creditNotes: CreditNotes;
  /** Payments say it; without them, the account of the billing profile is all that is known. */
  readonly paymentOf?: PaymentOfInvoice;
}

const credit_notes_max = 1000;

/** Stored invoices and credit notes as what is printed. */
export class InvoiceDocuments {
  readonly #on: InvoiceDocumentsDependencies;

  constructor(dependencies: InvoiceDocumentsDependencies) {
    this.#on = dependencies;
  }

  /** By id or number. A finalized invoice names its parties as they were then, a draft as they are. @throws Refusal 404 */
  async ofInvoice(organization: OrganizationId, idOrNumber: string): Promise<InvoiceDocument> {
    const invoice = await this.#on.invoices.get(organization, idOrNumber);
    return documentedInvoice(await this.#sourcesOf(organization, invoice));
  }

  /** By id or number. @throws Refusal 404 */
  async ofCreditNote(organization: OrganizationId, idOrNumber: string): Promise<InvoiceDocument> {
    const note = await this.#on.creditNotes.get(organization, idOrNumber);
    const invoice = await this.#on.invoices.get(organization, note.invoice);
    return documentedCreditNote(note, await this.#sourcesOf(organization, invoice));
  }

  async #sourcesOf(organization: OrganizationId, invoice: Invoice): Promise<DocumentSources> {
    const { currency, timeZone, finalized } = invoice;
    const buyer: Buyer = finalized?.buyer ?? (await this.#on.customers.get(organization, invoice.customer));
    return {
      invoice,
      seller: await this.#sellerOf(organization, invoice),
      buyer,
      wording: wordingOf({ locale: buyer.locale ?? locale_default, currency, timeZone }),
      plans: await this.#plansOf(organization, invoice),
      customers: await this.#customersOf(organization, invoice),
      prices: await this.#pricesOf(organization, invoice),
      payment: await this.#paymentOf(organization, invoice),
      voiding: invoice.status === "voided" ? await this.#voidingOf(organization, invoice) : undefined,
    };
  }

  async #sellerOf(organization: OrganizationId, { finalized }: Invoice): Promise<DocumentSources["seller"]> {
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const profile =
        finalized === undefined ? await findBillingProfile(sql, organization) : finalized.seller;
      return sellerOf(profile, (await findOrganization(sql, organization))?.name ?? "");
    });
  }

  async #paymentOf(organization: OrganizationId, { id }: Invoice): Promise<DocumentPayment | undefined> {
    const { postgres, paymentOf } = this.#on;
    if (paymentOf === undefined) return undefined;
    return postgres.inOrganization(organization, (sql) => paymentOf(sql, id));
  }

  async #plansOf(organization: OrganizationId, { sections }: Invoice): Promise<DocumentSources["plans"]> {
    const ids = [...new Set(sections.map(({ planVersion }) => planVersion))];
    const versions = await this.#on.catalog.findVersions(organization, ids);
    return new Map(versions.map(({ id, name }) => [id, name]));
  }

  async #customersOf(
    organization: OrganizationId,
    { sections, customer: payer }: Invoice,
  ): Promise<DocumentSources["customers"]> {
    const names: [Invoice["customer"], string][] = [];
    for (const id of new Set(sections.map(({ customer }) => customer)))
      if (id !== payer) names.push([id, (await this.#on.customers.get(organization, id)).name]);
    return new Map(names);
  }

  async #pricesOf(organization: OrganizationId, { lines }: Invoice): Promise<DocumentSources["prices"]> {
    const prices = new Map<PriceId, NonNullable<Awaited<ReturnType<Catalog["findPrice"]>>>>();
    for (const id of new Set(lines.flatMap(({ price }) => price ?? []))) {
      const found = await this.#on.catalog.findPrice(organization, id);
      if (found !== undefined) prices.set(id, found);
    }
    return prices;
  }

  async #voidingOf(organization: OrganizationId, { id }: Invoice): Promise<CreditNote | undefined> {
    const notes = await this.#on.creditNotes.list(organization, { invoice: id, limit: credit_notes_max });
    return notes.find(({ voids }) => voids);
  }
}

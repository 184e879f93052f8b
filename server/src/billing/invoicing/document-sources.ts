import type { Price } from "../../catalog/core/index.js";
import type { DocumentPayment, DocumentSeller, Wording } from "../../documents/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { CustomerId, PlanVersionId, PriceId } from "../../kernel/ids.js";
import type { CreditNote } from "./credit-note.js";
import type { Buyer, Invoice } from "./invoice.js";

/** All that a document of an invoice is made of. */
export interface DocumentSources {
  readonly invoice: Invoice;
  readonly seller: DocumentSeller;
  readonly buyer: Buyer;
  readonly wording: Wording;
  /** Names of the sections' plans. */
  readonly plans: ReadonlyMap<PlanVersionId, string>;
  /** Names of the sections' customers, but for who pays. */
  readonly customers: ReadonlyMap<CustomerId, string>;
  /** The lines' prices, each with the currency that its own model is in. */
  readonly prices: ReadonlyMap<PriceId, { readonly price: Price; readonly currency: Currency }>;
  /** How the invoice is to be paid, or was, where payments know. */
  readonly payment: DocumentPayment | undefined;
  /** The credit note that took a voided invoice back. */
  readonly voiding: CreditNote | undefined;
}

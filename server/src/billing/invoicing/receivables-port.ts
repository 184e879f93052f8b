import type { Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { CustomerId, InvoiceId, OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";

/** What is owed of an invoice that was finalized. */
export interface OwedInvoice {
  readonly invoice: InvoiceId;
  /** Who pays. */
  readonly customer: CustomerId;
  readonly currency: Currency;
  /** In minor units. */
  readonly due: bigint;
  readonly dueAt: Instant;
}

/** Who keeps what is owed, as invoices see it: each call is part of the transaction that it is told of. */
export interface ReceivablesPort {
  invoicesFinalized(sql: Sql, organization: OrganizationId, invoices: readonly OwedInvoice[]): Promise<void>;
  /**
   * Takes a credit note off what is owed.
   * @returns what of the amount was owed
   * @throws Refusal 409 while a payment may still take more than would be owed then
   */
  creditNoted(sql: Sql, organization: OrganizationId, invoice: InvoiceId, amount: bigint): Promise<bigint>;
  /** @throws Refusal 409 while a payment may still take money, or when parts were written off */
  invoiceVoided(sql: Sql, organization: OrganizationId, invoice: InvoiceId): Promise<void>;
}

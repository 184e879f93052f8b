import type { Currency } from "../kernel/currency.js";
import type { CustomerId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { TaxExemption } from "../tax/core/index.js";
import type { TimeZone } from "../kernel/time-zone.js";

/** Where invoices are addressed to, and by whose rules they are taxed. */
export interface BillingAddress {
  readonly line1?: string | undefined;
  readonly line2?: string | undefined;
  readonly city?: string | undefined;
  readonly postalCode?: string | undefined;
  readonly region?: string | undefined;
  /** ISO 3166-1: "NZ" */
  readonly country?: string | undefined;
}

export const address_fields = ["line1", "line2", "city", "postalCode", "region", "country"] as const;

/** `exempt` pays no tax; under `reverse_charge` the customer owes it itself. */
export const tax_exemptions: readonly TaxExemption[] = ["none", "exempt", "reverse_charge"];
export type { TaxExemption } from "../tax/core/index.js";

/** Who an organization bills. */
export interface Customer {
  readonly id: CustomerId;
  /** The organization's own name for the customer; unique. */
  readonly key: string;
  readonly name: string;
  /** The only currency it is billed in; any when left out. */
  readonly currency: Currency | undefined;
  /** Where its days and months begin. A change applies from each subscription's next period. */
  readonly timeZone: TimeZone;
  readonly email: string | undefined;
  readonly address: BillingAddress | undefined;
  readonly taxId: string | undefined;
  readonly taxExempt: TaxExemption;
  readonly paymentTermsDays: number;
  /** A language tag such as "de-AT"; what its invoices are written in. */
  readonly locale: string | undefined;
  /** Where its e-invoices go: "0204:991-01234-56". */
  readonly electronicAddress: string | undefined;
  /** In a register of companies: "HRB 12345", or with its scheme "0106:12345678". */
  readonly registrationNumber: string | undefined;
  /** What it wants named on its invoices: a Leitweg-ID, a cost centre, an order. */
  readonly buyerReference: string | undefined;
  /** Another customer, who pays its invoices and has no payer itself. */
  readonly payer: CustomerId | undefined;
  /** When its personal data was replaced, for good. */
  readonly erasedAt: Instant | undefined;
  readonly createdAt: Instant;
}

/** What a caller gives to create a customer. */
export interface NewCustomer {
  readonly key: string;
  readonly name: string;
  readonly currency?: string;
  /** An IANA name such as "Pacific/Auckland". */
  readonly timeZone: string;
  readonly email?: string;
  readonly address?: BillingAddress;
  readonly taxId?: string;
  /** None when left out. */
  readonly taxExempt?: string;
  /** 0 to 365; 30 when left out. */
  readonly paymentTermsDays?: number;
  readonly locale?: string;
  readonly electronicAddress?: string;
  /** 1 to 64 characters. */
  readonly registrationNumber?: string;
  /** 1 to 128 characters. */
  readonly buyerReference?: string;
  /** Id or key of the customer who pays. */
  readonly payer?: string;
}

/** What a caller changes; what is left out stays, null takes away. */
export interface CustomerUpdate {
  /** Id or key. */
  readonly customer: string;
  readonly name?: string;
  readonly currency?: string | null;
  readonly timeZone?: string;
  readonly email?: string | null;
  readonly address?: BillingAddress | null;
  readonly taxId?: string | null;
  readonly taxExempt?: string;
  readonly paymentTermsDays?: number;
  readonly locale?: string | null;
  readonly electronicAddress?: string | null;
  readonly registrationNumber?: string | null;
  readonly buyerReference?: string | null;
  readonly payer?: string | null;
}

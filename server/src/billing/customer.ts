import type { Currency } from "../kernel/currency.js";
import type { CustomerId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { TimeZone } from "../kernel/time-zone.js";

/** Who an organization bills. */
export interface Customer {
  readonly id: CustomerId;
  /** The organization's own name for the customer; unique. */
  readonly key: string;
  readonly name: string;
  /** The only currency it is billed in; any when left out. */
  readonly currency: Currency | undefined;
  /** Where its days and months begin. */
  readonly timeZone: TimeZone;
  readonly email: string | undefined;
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
}

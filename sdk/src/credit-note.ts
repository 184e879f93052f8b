import { moneySelection as money, type Money } from "./money.js";

/** What is given back of a finalized invoice. Amounts are above zero. */
export interface CreditNote {
  readonly id: string;
  readonly number: string;
  readonly invoiceId: string;
  /** Gives back everything: what was billed is due again, on another invoice. */
  readonly voids: boolean;
  readonly reason: string;
  readonly net: Money;
  readonly tax: Money;
  /** What of it became balance, since the invoice had no more to be paid. */
  readonly toBalance: Money;
  readonly lines: readonly { readonly lineId: string; readonly net: Money; readonly tax: Money }[];
  readonly createdAt: string;
}

/** A line to be given back. */
export interface CreditedLine {
  /** Its id. */
  readonly line: string;
  /** In minor units, without tax: "1234"; all that is left of it when left out. */
  readonly minor?: string | undefined;
}

export const creditNoteSelection = `{ id number invoiceId voids reason net ${money} tax ${money} toBalance ${money} lines { lineId net ${money} tax ${money} } createdAt }`;

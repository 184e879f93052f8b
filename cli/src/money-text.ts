import { grouped } from "./print.js";

/** An amount as the API gives it, in major units. */
export interface ShownMoney {
  readonly amount: string;
  readonly currency: string;
}

/** "20.00 USD" */
export function moneyText({ amount, currency }: ShownMoney): string {
  return `${grouped(amount)} ${currency}`;
}

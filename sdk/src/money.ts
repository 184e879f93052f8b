/** An amount of a currency. All of it is text: no digit is lost. */
export interface Money {
  /** In major units, with the currency's decimals: "12.34". */
  readonly amount: string;
  /** ISO 4217. */
  readonly currency: string;
  /** In minor units, whole: "1234". */
  readonly minor: string;
}

export const moneySelection = "{ amount currency minor }";

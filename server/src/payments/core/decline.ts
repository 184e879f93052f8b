/**
 * Why money was not taken. `hard`: the same method will not do, whatever one waits; `soft`: later it may; `setup`: the
 * charge itself was wrong (currency, amount, account), so that neither waiting nor another card helps.
 */
export interface Decline {
  /** The provider's code, as it names it: insufficient_funds. */
  readonly code: string;
  readonly hardness: "hard" | "soft" | "setup";
  readonly message: string;
}

/** Kinds of wakes and runs of this domain. */

/** Looks at the balances of customers to whom something happened. */
export const balance_look_kind = "balance-look";
/** Looks at all watched balances of an organization in which usage arrived. */
export const usage_look_kind = "balance-usage-look";

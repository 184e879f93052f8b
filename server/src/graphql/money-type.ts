import { exponentOf } from "../kernel/currency.js";
import { toDecimal, type Money } from "../kernel/money.js";
import { builder } from "./builder.js";

export const MoneyType = builder.objectRef<Money>("Money").implement({
  description: "An amount in whole minor units of its currency.",
  fields: (t) => ({
    currency: t.exposeString("currency"),
    minor: t.field({ type: "BigInt", description: "1234 is 12.34 USD.", resolve: (money) => money.minor }),
    amount: t.field({
      type: "Decimal",
      description: "In major units, with the currency's decimals.",
      resolve: (money) => toDecimal(money).toFixed(exponentOf(money.currency)),
    }),
  }),
});

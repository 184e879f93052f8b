import type { Account } from "../account.js";
import { refused } from "../api/api-error.js";
import { exchangeAt, noExchange, type Exchange } from "./exchange.js";

/**
 * How what is charged in a currency reaches the account's balance, at today's rate.
 * @throws ApiError 400 when the account has neither a balance in the currency nor a rate
 */
export function exchangeFor(account: Account, currency: string): Exchange {
  const { settlementCurrencies } = account.settings;
  const [first] = settlementCurrencies ?? [];
  if (first === undefined || settlementCurrencies?.includes(currency) === true) return noExchange(currency);
  const pair = `${currency}/${first}`;
  const rate = account.exchangeRates.get(pair);
  if (rate === undefined)
    throw refused(`This account takes no payments in ${currency}: it has no exchange rate for "${pair}".`, {
      param: "currency",
    });
  return exchangeAt(currency, first, rate);
}

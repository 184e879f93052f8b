import { exponentOf, parseCurrency, type Currency } from "../../kernel/currency.js";
import { Decimal } from "../../kernel/decimal.js";
import { toMoney } from "../../kernel/money.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";

/** In minor units: far above any payment. */
const amount_minor_max = 10n ** 18n;

/** An amount in major units as whole minor ones: never rounded. @throws Refusal 400 */
export function readAmount(text: string, currency: Currency): bigint {
  const amount = Decimal.parse(text);
  if (amount === undefined)
    throw invalid("amount", `"${text.slice(0, 100)}" is not a decimal number such as "100.00"`);
  const exponent = exponentOf(currency);
  const { minor } = toMoney(amount, currency);
  if (!Decimal.fromUnscaled(minor, exponent).equals(amount)) {
    const decimals = exponent === 0 ? "no decimals" : `${exponent} decimals`;
    throw invalid("amount", `${currency} has ${decimals}, "${text.slice(0, 100)}" has more`);
  }
  if (minor <= 0n) throw invalid("amount", "must be above zero");
  if (minor > amount_minor_max) throw invalid("amount", `at most ${amount_minor_max} minor units`);
  return minor;
}

/** @throws Refusal 400 for a code that is none; for none where the customer has none either */
export function readCurrency(code: string | undefined, customers: Currency | undefined): Currency {
  if (code === undefined && customers === undefined)
    throw invalid("currency", "the customer has none, so name one");
  const currency = code === undefined ? customers : parseCurrency(code);
  if (currency === undefined)
    throw invalid("currency", `"${(code ?? "").slice(0, 16)}" is not an ISO 4217 code such as "USD"`);
  return currency;
}

function invalid(field: string, message: string): Refusal {
  const errors = [{ field, message }];
  return new Refusal(
    makeProblem("invalid-amount", 400, "The amount is not valid", `${field}: ${message}`, { errors }),
  );
}

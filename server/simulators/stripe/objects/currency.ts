import { badParameter } from "../api/api-error.js";

// https://docs.stripe.com/currencies: what amounts are whole units of, and what they must be a multiple of.
const whole_units = new Set("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" "));
const thousandths = new Set("bhd jod kwd omr tnd".split(" "));
const no_fractions_charged = new Set(["isk", "ugx"]);
const known = new Set(Intl.supportedValuesOf("currency").map((code) => code.toLowerCase()));

/** The least that can be charged, in the currency's minor unit; half a unit of the others. */
const amounts_min: Readonly<Record<string, number>> = {
  aed: 200,
  bgn: 100,
  czk: 1_500,
  dkk: 250,
  gbp: 30,
  hkd: 400,
  huf: 17_500,
  jpy: 50,
  mxn: 1_000,
  myr: 200,
  nok: 300,
  pln: 200,
  ron: 200,
  sek: 300,
  thb: 1_000,
};
const amount_min_default = 50;
const amount_max = 99_999_999;

/** Digits after the point in Stripe's minor unit. The Icelandic króna and the Ugandan shilling have two, that must be 0. */
export function exponentOf(currency: string): number {
  return whole_units.has(currency) ? 0 : thousandths.has(currency) ? 3 : 2;
}

/** @throws ApiError 400 */
export function checkCurrency(text: string, param = "currency"): string {
  const currency = text.toLowerCase();
  if (!known.has(currency))
    throw badParameter(param, `Invalid currency: ${currency}. Stripe does not support it.`);
  return currency;
}

/** @throws ApiError 400 for what cannot be charged */
export function checkChargedAmount(amount: number, currency: string, hasMinimum: boolean): number {
  if (amount < 1)
    throw badParameter(
      "amount",
      "This value must be greater than or equal to 1.",
      "parameter_invalid_integer",
    );
  if (amount > amount_max)
    throw badParameter(
      "amount",
      `Amount must be no more than ${amount_max} in ${currency}.`,
      "amount_too_large",
    );
  const least = Object.hasOwn(amounts_min, currency) ? amounts_min[currency] : undefined;
  if (hasMinimum && amount < (least ?? amount_min_default))
    throw badParameter(
      "amount",
      `Amount must be at least ${least ?? amount_min_default} in the minor unit of ${currency}.`,
      "amount_too_small",
    );
  if (thousandths.has(currency) && amount % 10 !== 0)
    throw badParameter(
      "amount",
      `Invalid amount: ${currency} has three decimals, the last of which must be 0.`,
    );
  if (no_fractions_charged.has(currency) && amount % 100 !== 0)
    throw badParameter("amount", `Invalid amount: fractions of ${currency} cannot be charged.`);
  return amount;
}

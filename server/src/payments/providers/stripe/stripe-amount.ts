import { exponentOf, parseCurrency, type Currency } from "../../../kernel/currency.js";
import type { Money } from "../../../kernel/money.js";

/*
 * Stripe's minor units are not always ISO 4217's (docs.stripe.com/currencies): some currencies have none, those with three
 * decimals want a zero at the end, and ISK and UGX are counted in hundredths that must be zero.
 */
const whole = new Set("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(" "));
const thousandths = new Set("BHD JOD KWD OMR TND".split(" "));
const wholeInHundredths = new Set("ISK UGX".split(" "));
const amount_max = 99_999_999;

function exponentAtStripe(currency: Currency): number {
  if (whole.has(currency)) return 0;
  return thousandths.has(currency) ? 3 : 2;
}

/** Why Stripe would not take an amount; undefined when it would. */
export function stripeAmountFault(amount: Money): string | undefined {
  const { currency, minor } = amount;
  const scaled = scale(minor, exponentAtStripe(currency) - exponentOf(currency));
  if (scaled === undefined) return `Stripe counts ${currency} in larger units than this amount has.`;
  if (thousandths.has(currency) && scaled % 10n !== 0n)
    return `Stripe takes amounts in ${currency} with a last digit of zero only.`;
  if (wholeInHundredths.has(currency) && scaled % 100n !== 0n)
    return `Stripe takes whole amounts in ${currency} only.`;
  if (scaled > BigInt(amount_max)) return "Stripe takes at most eight digits at once.";
  return undefined;
}

/** @throws RangeError for an amount with a fault */
export function toStripeAmount(amount: Money): number {
  const fault = stripeAmountFault(amount);
  const scaled = scale(amount.minor, exponentAtStripe(amount.currency) - exponentOf(amount.currency));
  if (fault !== undefined || scaled === undefined) throw new RangeError(fault ?? "not an amount of Stripe's");
  return Number(scaled);
}

/** @throws RangeError for a currency that is none, or an amount between two minor units */
export function fromStripeAmount(amount: number, code: string): Money {
  const currency = parseCurrency(code);
  if (currency === undefined) throw new RangeError(`Stripe names a currency "${code}", which is none`);
  const minor = scale(BigInt(amount), exponentOf(currency) - exponentAtStripe(currency));
  if (minor === undefined) throw new RangeError(`${amount} of Stripe's ${code} is no whole minor unit`);
  return { currency, minor };
}

function scale(minor: bigint, digits: number): bigint | undefined {
  if (digits >= 0) return minor * 10n ** BigInt(digits);
  const divisor = 10n ** BigInt(-digits);
  return minor % divisor === 0n ? minor / divisor : undefined;
}

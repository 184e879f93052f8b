import { exponentOf, type Currency } from "../kernel/currency.js";
import { Decimal } from "../kernel/decimal.js";
import { msOf, type Instant } from "../kernel/instant.js";
import { toDecimal } from "../kernel/money.js";
import type { TimeZone } from "../kernel/time-zone.js";
import type { DocumentPeriod } from "./invoice-document.js";

/** Numbers and dates as a locale writes them; numbers from their exact text, so that no digit is lost. */
export interface Formats {
  /** BCP 47, as asked, or "en" when that is no locale. */
  readonly locale: string;
  /** With the currency: "€1,234.50". */
  money(minor: bigint): string;
  /** As many digits as the currency has: "1,234.50". */
  amount(minor: bigint): string;
  /** An exact amount in major units, with the currency's digits at least and all it has at most. */
  exactAmount(amount: Decimal): string;
  number(value: Decimal | number): string;
  percent(percent: Decimal): string;
  /** In the document's zone, or in another. */
  date(instant: Instant, zone?: TimeZone): string;
  /** From its first day to its last; the end belongs to the next. */
  period(period: DocumentPeriod): string;
}

/** What Intl prints at most; quantities and prices have 18 at most. */
const digits_max = 20;

export function formatsOf(
  { locale: asked, currency, timeZone }: { locale: string; currency: Currency; timeZone: TimeZone },
  currencyDisplay: "symbol" | "code" = "symbol",
): Formats {
  const locale = knownLocale(asked);
  const tag = new Intl.Locale(locale, { numberingSystem: "latn", calendar: "gregory" });
  const digits = exponentOf(currency);
  const fixed = { minimumFractionDigits: digits, maximumFractionDigits: digits } as const;
  const money = new Intl.NumberFormat(tag, { ...fixed, style: "currency", currency, currencyDisplay });
  const amount = new Intl.NumberFormat(tag, fixed);
  const exact = new Intl.NumberFormat(tag, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits_max,
  });
  const plain = new Intl.NumberFormat(tag, { maximumFractionDigits: digits_max });
  const percent = new Intl.NumberFormat(tag, { style: "percent", maximumFractionDigits: digits_max });
  const datesIn = (zone: TimeZone) =>
    new Intl.DateTimeFormat(tag, { day: "numeric", month: "short", year: "numeric", timeZone: zone });
  const dates = datesIn(timeZone);
  const textOf = (minor: bigint) => toDecimal({ currency, minor }).toString() as Intl.StringNumericLiteral;
  return {
    locale,
    money: (minor) => withMinus(money.format(textOf(minor))),
    amount: (minor) => withMinus(amount.format(textOf(minor))),
    exactAmount: (value) => withMinus(exact.format(value.toString() as Intl.StringNumericLiteral)),
    number: (value) => withMinus(plain.format(value.toString() as Intl.StringNumericLiteral)),
    percent: (value) => percent.format(hundredth(value).toString() as Intl.StringNumericLiteral),
    date: (instant, zone = timeZone) => (zone === timeZone ? dates : datesIn(zone)).format(msOf(instant)),
    period: ({ start, end }) => dates.formatRange(msOf(start), msOf(Math.max(start, end - 1) as Instant)),
  };
}

/** A minus as wide as the digits, where Intl has the hyphen of the keyboard. */
function withMinus(text: string): string {
  return text.replace("-", "\u2212");
}

const hundred = Decimal.of(100);

function hundredth(percent: Decimal): Decimal {
  return percent.dividedBy(hundred, percent.scale + 2, "half-away");
}

/** The locale in its canonical form, or English when the text is none. */
function knownLocale(text: string): string {
  try {
    return Intl.NumberFormat.supportedLocalesOf(text)[0] ?? "en";
  } catch {
    return "en";
  }
}

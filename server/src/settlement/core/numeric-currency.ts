import { exponentOf, parseCurrency, type Currency } from "../../kernel/currency.js";
import { err, ok, type Result } from "../../kernel/result.js";
import { quoted, type TextFault } from "./amount-text.js";

// ISO 4217 as of 2026: the three digits that card schemes write, of the currencies in use.
const codes = (
  "AED784 AFN971 ALL008 AMD051 AOA973 ARS032 AUD036 AWG533 AZN944 BAM977 BBD052 BDT050 BHD048 BIF108 BMD060 " +
  "BND096 BOB068 BRL986 BSD044 BTN064 BWP072 BYN933 BZD084 CAD124 CDF976 CHF756 CLF990 CLP152 CNY156 COP170 " +
  "CRC188 CUP192 CVE132 CZK203 DJF262 DKK208 DOP214 DZD012 EGP818 ERN232 ETB230 EUR978 FJD242 FKP238 GBP826 " +
  "GEL981 GHS936 GIP292 GMD270 GNF324 GTQ320 GYD328 HKD344 HNL340 HTG332 HUF348 IDR360 ILS376 INR356 IQD368 " +
  "IRR364 ISK352 JMD388 JOD400 JPY392 KES404 KGS417 KHR116 KMF174 KPW408 KRW410 KWD414 KYD136 KZT398 LAK418 " +
  "LBP422 LKR144 LRD430 LSL426 LYD434 MAD504 MDL498 MGA969 MKD807 MMK104 MNT496 MOP446 MRU929 MUR480 MVR462 " +
  "MWK454 MXN484 MYR458 MZN943 NAD516 NGN566 NIO558 NOK578 NPR524 NZD554 OMR512 PAB590 PEN604 PGK598 PHP608 " +
  "PKR586 PLN985 PYG600 QAR634 RON946 RSD941 RUB643 RWF646 SAR682 SBD090 SCR690 SDG938 SEK752 SGD702 SHP654 " +
  "SLE925 SOS706 SRD968 SSP728 STN930 SVC222 SYP760 SZL748 THB764 TJS972 TMT934 TND788 TOP776 TRY949 TTD780 " +
  "TWD901 TZS834 UAH980 UGX800 USD840 UYI940 UYU858 UYW927 UZS860 VED926 VES928 VND704 VUV548 WST882 XAF950 " +
  "XCD951 XCG532 XOF952 XPF953 YER886 ZAR710 ZMW967 ZWG924 "
)
  .trim()
  .split(" ");

const currencies = new Map<string, Currency>();
for (const code of codes) {
  const currency = parseCurrency(code.slice(0, 3));
  if (currency !== undefined) currencies.set(code.slice(3), currency);
}

/** "978" → EUR. */
export function readNumericCurrency(digits: string): Result<Currency, TextFault> {
  const currency = currencies.get(digits);
  if (currency !== undefined) return ok(currency);
  return err({
    detail: `${quoted(digits)} is the number of no currency in use`,
    advice: "Ask the sender which currency of ISO 4217 is meant",
  });
}

/** "EUR" → "978"; for what writes such files. */
export function numericCodeOf(currency: Currency): string | undefined {
  return codes.find((code) => code.startsWith(currency))?.slice(3);
}

/**
 * Minor units that a sender counts with an exponent of its own, in the currency's: a scheme's files say their exponents, which for some
 * currencies are not those of ISO 4217.
 */
export function rescale(minor: bigint, exponent: number, currency: Currency): Result<bigint, TextFault> {
  const own = exponentOf(currency);
  if (exponent === own) return ok(minor);
  if (exponent < own) return ok(minor * 10n ** BigInt(own - exponent));
  const factor = 10n ** BigInt(exponent - own);
  if (minor % factor === 0n) return ok(minor / factor);
  return err({
    detail: `${minor} with ${exponent} digits after the point is no whole amount in ${currency}, which has ${own}`,
    advice: "Ask the sender for amounts that the currency has",
  });
}

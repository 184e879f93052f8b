import type { Currency } from "../kernel/currency.js";
import type { Decimal } from "../kernel/decimal.js";
import type { Instant } from "../kernel/instant.js";
import type { TimeZone } from "../kernel/time-zone.js";
import { formatsOf } from "./formats.js";
import type { DocumentPeriod } from "./invoice-document.js";
import { fill, languageOf } from "./labels.js";

/** What billing says on a document in its own words: names of amounts, details and notes. */
interface Phrases {
  readonly promotionalCredits: string;
  readonly paidCredits: string;
  readonly balanceUsed: string;
  readonly toBalance: string;
  readonly discount: string;
  readonly included: string;
  readonly days: string;
  readonly billedBefore: string;
  readonly agreed: string;
  readonly charged: string;
  readonly usageCorrection: string;
  readonly correction: string;
  readonly netDays: string;
  readonly dueAtOnce: string;
  readonly voided: string;
  readonly takesBack: string;
  readonly keptAsBalance: string;
}

const english: Phrases = {
  promotionalCredits: "Promotional credits",
  paidCredits: "Prepaid credits",
  balanceUsed: "Balance",
  toBalance: "Kept as balance",
  discount: "Discount",
  included: "Included",
  days: "{days} of {of} days",
  billedBefore: "Billed before",
  agreed: "Agreed",
  charged: "Charged without it",
  usageCorrection: "Correction of an earlier invoice: usage that came late or was changed",
  correction: "Correction of an earlier invoice",
  netDays: "Net {days} days",
  dueAtOnce: "Due on receipt",
  voided: "Voided on {date} by credit note {number}",
  takesBack: "Takes the whole invoice back",
  keptAsBalance: "{amount} of it are kept as balance for later invoices",
};

const german: Phrases = {
  promotionalCredits: "Gutschriften aus Aktionen",
  paidCredits: "Vorausbezahltes Guthaben",
  balanceUsed: "Kontoguthaben",
  toBalance: "Als Kontoguthaben vorgetragen",
  discount: "Rabatt",
  included: "Inklusive",
  days: "{days} von {of} Tagen",
  billedBefore: "Bereits berechnet",
  agreed: "Vereinbart",
  charged: "Ohne dies berechnet",
  usageCorrection: "Korrektur einer früheren Rechnung: verspätete oder geänderte Nutzung",
  correction: "Korrektur einer früheren Rechnung",
  netDays: "Zahlbar innerhalb von {days} Tagen",
  dueAtOnce: "Sofort zahlbar",
  voided: "Storniert am {date} durch Gutschrift {number}",
  takesBack: "Storniert die ganze Rechnung",
  keptAsBalance: "Davon {amount} als Guthaben für spätere Rechnungen",
};

const french: Phrases = {
  promotionalCredits: "Crédits promotionnels",
  paidCredits: "Crédits prépayés",
  balanceUsed: "Solde du compte",
  toBalance: "Reporté sur le solde du compte",
  discount: "Remise",
  included: "Inclus",
  days: "{days} jours sur {of}",
  billedBefore: "Déjà facturé",
  agreed: "Convenu",
  charged: "Facturé par ailleurs",
  usageCorrection: "Correction d’une facture antérieure : usage arrivé en retard ou modifié",
  correction: "Correction d’une facture antérieure",
  netDays: "Payable sous {days} jours",
  dueAtOnce: "Payable à réception",
  voided: "Annulée le {date} par l’avoir {number}",
  takesBack: "Annule la facture entière",
  keptAsBalance: "Dont {amount} reportés sur le solde pour de prochaines factures",
};

const dictionary: Readonly<Record<string, Phrases>> = { en: english, de: german, fr: french };

type Named = "days" | "netDays" | "voided" | "keptAsBalance" | "discount";

/** The phrases in one language, filled by what they name. */
export interface Wording extends Omit<Phrases, Named> {
  /** "Discount 10% + 5%"; the word alone without percentages. */
  discount(percents: readonly Decimal[]): string;
  days(days: number, of: number): string;
  netDays(days: number): string;
  voided(number: string, at: Instant): string;
  keptAsBalance(minor: bigint): string;
  period(period: DocumentPeriod): string;
}

export function wordingOf(of: { locale: string; currency: Currency; timeZone: TimeZone }): Wording {
  const formats = formatsOf(of);
  const phrases = dictionary[languageOf(formats.locale)] ?? english;
  return {
    ...phrases,
    discount: (percents) =>
      [phrases.discount, percents.map((percent) => formats.percent(percent)).join(" + ")].join(" ").trim(),
    days: (days, whole) => fill(phrases.days, { days: formats.number(days), of: formats.number(whole) }),
    netDays: (days) => fill(phrases.netDays, { days: formats.number(days) }),
    voided: (note, at) => fill(phrases.voided, { number: note, date: formats.date(at) }),
    keptAsBalance: (minor) => fill(phrases.keptAsBalance, { amount: formats.money(minor) }),
    period: (period) => formats.period(period),
  };
}

import { formatsOf, type Formats, type InvoiceDocument } from "../documents/index.js";
import { parseCurrency, type Currency } from "../kernel/currency.js";
import type { Instant } from "../kernel/instant.js";
import type { Money } from "../kernel/money.js";
import type { TimeZone } from "../kernel/time-zone.js";
import type { MailContent } from "./core/index.js";
import { mailWordsOf, type MailWords } from "./mail-words.js";

/** What a mail says, before it is text or HTML. */
export interface Letter {
  readonly language: string;
  readonly subject: string;
  readonly greeting: string;
  readonly paragraphs: readonly string[];
  readonly action: { readonly label: string; readonly link: string } | undefined;
  readonly linkHint: string;
  readonly closing: string;
  readonly seller: string;
}

export interface LetterContext {
  readonly seller: string;
  /** The customer's name, where it is known. */
  readonly buyer: string | undefined;
  readonly locale: string;
  readonly timeZone: TimeZone;
  /** Of a mail of the kind invoice. */
  readonly document: InvoiceDocument | undefined;
  readonly hasEInvoice: boolean;
}

const subject_length_max = 200;
const any_currency = parseCurrency("EUR") as Currency;

/** A mail in the customer's language, or in English where Weir does not speak it; amounts and days as its locale has them. */
export function letterOf(content: MailContent, context: LetterContext): Letter {
  const { locale, timeZone, seller, buyer } = context;
  const { language, words } = mailWordsOf(locale);
  // Words in English with days in French would be neither.
  const formats = (currency: Currency) =>
    formatsOf({ locale: locale.startsWith(language) ? locale : language, currency, timeZone });
  const { subject, paragraphs, action } = partsOf(content, context, words, formats);
  return {
    language,
    subject: Array.from(subject).slice(0, subject_length_max).join(""),
    greeting: words.greeting(buyer),
    paragraphs,
    action,
    linkHint: words.linkHint,
    closing: words.closing,
    seller,
  };
}

type Parts = Pick<Letter, "subject" | "paragraphs" | "action">;

function partsOf(
  content: MailContent,
  context: LetterContext,
  words: MailWords,
  formatsIn: (currency: Currency) => Formats,
): Parts {
  const { seller } = context;
  const moneyOf = ({ currency, minor }: Money) => formatsIn(currency).money(minor);
  const dayOf = (at: Instant | undefined) =>
    at === undefined ? undefined : formatsIn(any_currency).date(at);
  const parts = (
    subject: string,
    paragraphs: readonly (string | undefined)[],
    action?: Letter["action"],
  ): Parts => ({
    subject,
    paragraphs: paragraphs.filter((each) => each !== undefined),
    action,
  });
  switch (content.kind) {
    case "invoice":
      return invoiceParts(context, words, formatsIn);
    case "receipt": {
      const { invoiceNumber, amount, paidAt, method, link } = content;
      return parts(
        words.receiptSubject(invoiceNumber, seller),
        [
          words.receipt(moneyOf(amount), invoiceNumber, dayOf(paidAt) ?? ""),
          method === undefined ? undefined : words.paidBy(method),
        ],
        actionOf(words.seePayment, link),
      );
    }
    case "payment_failed": {
      const { invoiceNumber, amount, method, decline, nextAttemptAt, link } = content;
      const next = dayOf(nextAttemptAt);
      const reason = content.reason ?? (decline && reasonOf(words, decline));
      return parts(
        words.failedSubject(invoiceNumber),
        [
          words.failed(moneyOf(amount), invoiceNumber, method),
          reason === undefined ? undefined : words.failedReason(reason),
          next === undefined ? undefined : words.nextAttempt(next),
        ],
        actionOf(words.pay, link),
      );
    }
    case "card_update": {
      const { method, expires, link } = content;
      return parts(
        words.cardSubject(seller),
        [expires === undefined ? words.cardRefused(method) : words.cardExpires(method, expires)],
        actionOf(words.updateCard, link),
      );
    }
    case "dunning_final": {
      const { invoiceNumber, amount, action, at, link } = content;
      return parts(
        words.finalSubject(invoiceNumber),
        [words.final(moneyOf(amount), invoiceNumber), words.finalAction[action](dayOf(at))],
        actionOf(words.pay, link),
      );
    }
    case "test":
      return parts(words.testSubject, [words.test(seller)]);
  }
}

function reasonOf({ declines, declined }: MailWords, code: string): string {
  return (Object.hasOwn(declines, code) ? declines[code] : undefined) ?? declined;
}

function actionOf(label: string, link: string | undefined): Letter["action"] {
  return link === undefined ? undefined : { label, link };
}

function invoiceParts(
  { document, seller, hasEInvoice }: LetterContext,
  words: MailWords,
  formatsIn: (currency: Currency) => Formats,
): Parts {
  if (document === undefined) throw new RangeError("a mail of an invoice has its document");
  const { number, reference, totalMinor, amountDueMinor, dueAt, currency } = document;
  const formats = formatsIn(currency);
  const name = number ?? reference;
  const day = dueAt === undefined ? undefined : formats.date(dueAt, document.seller.timeZone);
  return {
    subject: words.invoiceSubject(name, seller),
    paragraphs: [
      words.invoiceAttached(name, formats.money(totalMinor)),
      amountDueMinor > 0n ? words.invoiceDue(formats.money(amountDueMinor), day) : words.nothingDue,
      ...(hasEInvoice ? [words.eInvoice] : []),
    ],
    action: undefined,
  };
}

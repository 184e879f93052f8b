import type { FinalAction } from "./core/index.js";

/** The words of the mails in one language. Names, amounts and dates come written as the customer's locale has them. */
export interface MailWords {
  readonly greeting: (name: string | undefined) => string;
  readonly closing: string;
  readonly linkHint: string;
  readonly invoiceSubject: (number: string, seller: string) => string;
  readonly invoiceAttached: (number: string, total: string) => string;
  readonly invoiceDue: (amount: string, day: string | undefined) => string;
  readonly nothingDue: string;
  readonly eInvoice: string;
  readonly receiptSubject: (number: string | undefined, seller: string) => string;
  readonly receipt: (amount: string, number: string | undefined, day: string) => string;
  readonly paidBy: (method: string) => string;
  readonly seePayment: string;
  readonly failedSubject: (number: string) => string;
  readonly failed: (amount: string, number: string, method: string | undefined) => string;
  readonly failedReason: (reason: string) => string;
  /** By a decline's code; what is not named, such as that a card is reported stolen, is for the bank to tell. */
  readonly declines: Readonly<Record<string, string>>;
  readonly declined: string;
  readonly nextAttempt: (day: string) => string;
  readonly pay: string;
  readonly cardSubject: (seller: string) => string;
  readonly cardExpires: (method: string | undefined, expires: string) => string;
  readonly cardRefused: (method: string | undefined) => string;
  readonly updateCard: string;
  readonly finalSubject: (number: string) => string;
  readonly final: (amount: string, number: string) => string;
  readonly finalAction: Readonly<Record<FinalAction, (day: string | undefined) => string | undefined>>;
  readonly testSubject: string;
  readonly test: (seller: string) => string;
}

const english: MailWords = {
  greeting: (name) => (name === undefined ? "Hello," : `Hello ${name},`),
  closing: "Kind regards",
  linkHint: "If the button does not work, open this address:",
  invoiceSubject: (number, seller) => `Invoice ${number} from ${seller}`,
  invoiceAttached: (number, total) => `Attached you find invoice ${number} over ${total}.`,
  invoiceDue: (amount, day) => (day === undefined ? `${amount} is due.` : `${amount} is due by ${day}.`),
  nothingDue: "There is nothing left to pay.",
  eInvoice: "The XML file is the same invoice as an e-invoice (EN 16931), for your accounting.",
  receiptSubject: (number, seller) =>
    number === undefined ? `Your payment to ${seller}` : `Your payment of invoice ${number}`,
  receipt: (amount, number, day) =>
    `We received your payment of ${amount}${number === undefined ? "" : ` for invoice ${number}`} on ${day}. Thank you.`,
  paidBy: (method) => `Paid by ${method}.`,
  seePayment: "See the payment",
  failedSubject: (number) => `The payment of invoice ${number} failed`,
  failed: (amount, number, method) =>
    `We could not collect ${amount} for invoice ${number}${method === undefined ? "" : ` from ${method}`}.`,
  failedReason: (reason) => `Reason: ${reason}`,
  declines: {
    insufficient_funds: "there is not enough money on the account.",
    card_velocity_exceeded: "the card has reached its limit.",
    withdrawal_count_limit_exceeded: "the card has reached its limit.",
    expired_card: "the card has expired.",
    incorrect_cvc: "the card's security code is not right.",
    invalid_cvc: "the card's security code is not right.",
    processing_error: "the bank could not be reached.",
    issuer_not_available: "the bank could not be reached.",
    try_again_later: "the bank could not be reached.",
    reenter_transaction: "the bank could not be reached.",
    not_sent: "the bank could not be reached.",
  },
  declined: "the bank declined it. It can tell you why.",
  nextAttempt: (day) => `We will try again on ${day}. You can pay earlier, or give another payment method.`,
  pay: "Pay or change the payment method",
  cardSubject: (seller) => `Please update your payment method with ${seller}`,
  cardExpires: (method, expires) =>
    `Your payment method${method === undefined ? "" : ` ${method}`} expires ${expires}. Please give a new one, so that later payments succeed.`,
  cardRefused: (method) =>
    `Your payment method${method === undefined ? "" : ` ${method}`} was refused. Please give another one.`,
  updateCard: "Update the payment method",
  finalSubject: (number) => `Last reminder: invoice ${number} is not paid`,
  final: (amount, number) => `${amount} of invoice ${number} is still not paid, after several attempts.`,
  finalAction: {
    pause: (day) => `Without a payment, your subscription is paused${day === undefined ? "" : ` on ${day}`}.`,
    cancel: (day) => `Without a payment, your subscription ends${day === undefined ? "" : ` on ${day}`}.`,
    none: () => undefined,
  },
  testSubject: "A test of the mail that Weir sends",
  test: (seller) => `This mail shows that Weir can send mail for ${seller}. There is nothing to do.`,
};

const german: MailWords = {
  greeting: (name) => (name === undefined ? "Guten Tag," : `Guten Tag ${name},`),
  closing: "Mit freundlichen Grüßen",
  linkHint: "Falls die Schaltfläche nicht funktioniert, öffnen Sie diese Adresse:",
  invoiceSubject: (number, seller) => `Rechnung ${number} von ${seller}`,
  invoiceAttached: (number, total) => `anbei erhalten Sie die Rechnung ${number} über ${total}.`,
  invoiceDue: (amount, day) =>
    day === undefined ? `Zu zahlen sind ${amount}.` : `Zu zahlen sind ${amount} bis ${day}.`,
  nothingDue: "Es ist nichts mehr zu zahlen.",
  eInvoice: "Die XML-Datei ist dieselbe Rechnung als E-Rechnung (EN 16931), für Ihre Buchhaltung.",
  receiptSubject: (number, seller) =>
    number === undefined ? `Ihre Zahlung an ${seller}` : `Ihre Zahlung der Rechnung ${number}`,
  receipt: (amount, number, day) =>
    `wir haben Ihre Zahlung von ${amount}${number === undefined ? "" : ` zur Rechnung ${number}`} am ${day} erhalten. Vielen Dank.`,
  paidBy: (method) => `Gezahlt mit ${method}.`,
  seePayment: "Zahlung ansehen",
  failedSubject: (number) => `Die Zahlung der Rechnung ${number} ist fehlgeschlagen`,
  failed: (amount, number, method) =>
    `${amount} für die Rechnung ${number} konnten${method === undefined ? "" : ` von ${method}`} nicht eingezogen werden.`,
  failedReason: (reason) => `Grund: ${reason}`,
  declines: {
    insufficient_funds: "Das Konto ist nicht ausreichend gedeckt.",
    card_velocity_exceeded: "Das Limit der Karte ist erreicht.",
    withdrawal_count_limit_exceeded: "Das Limit der Karte ist erreicht.",
    expired_card: "Die Karte ist abgelaufen.",
    incorrect_cvc: "Die Prüfziffer der Karte stimmt nicht.",
    invalid_cvc: "Die Prüfziffer der Karte stimmt nicht.",
    processing_error: "Die Bank war nicht erreichbar.",
    issuer_not_available: "Die Bank war nicht erreichbar.",
    try_again_later: "Die Bank war nicht erreichbar.",
    reenter_transaction: "Die Bank war nicht erreichbar.",
    not_sent: "Die Bank war nicht erreichbar.",
  },
  declined: "Die Bank hat sie abgelehnt. Sie kann Ihnen sagen, warum.",
  nextAttempt: (day) =>
    `Wir versuchen es am ${day} erneut. Sie können auch vorher zahlen oder eine andere Zahlungsart angeben.`,
  pay: "Zahlen oder Zahlungsart ändern",
  cardSubject: (seller) => `Bitte aktualisieren Sie Ihre Zahlungsart bei ${seller}`,
  cardExpires: (method, expires) =>
    `Ihre Zahlungsart${method === undefined ? "" : ` ${method}`} läuft ${expires} ab. Bitte geben Sie eine neue an, damit weitere Zahlungen gelingen.`,
  cardRefused: (method) =>
    `Ihre Zahlungsart${method === undefined ? "" : ` ${method}`} wurde abgelehnt. Bitte geben Sie eine andere an.`,
  updateCard: "Zahlungsart aktualisieren",
  finalSubject: (number) => `Letzte Mahnung: Rechnung ${number} ist nicht bezahlt`,
  final: (amount, number) =>
    `${amount} der Rechnung ${number} sind nach mehreren Versuchen noch nicht bezahlt.`,
  finalAction: {
    pause: (day) => `Ohne Zahlung wird Ihr Abonnement${day === undefined ? "" : ` am ${day}`} ausgesetzt.`,
    cancel: (day) => `Ohne Zahlung endet Ihr Abonnement${day === undefined ? "" : ` am ${day}`}.`,
    none: () => undefined,
  },
  testSubject: "Ein Test der E-Mails, die Weir verschickt",
  test: (seller) =>
    `diese Nachricht zeigt, dass Weir für ${seller} E-Mails verschicken kann. Es ist nichts zu tun.`,
};

const dictionary: Readonly<Record<string, MailWords>> = { en: english, de: german };

/** The words for a locale: in its language when there is a dictionary, else in English. */
export function mailWordsOf(locale: string): { readonly language: string; readonly words: MailWords } {
  const language = locale.split("-")[0] ?? "";
  const words = Object.hasOwn(dictionary, language) ? dictionary[language] : undefined;
  return words === undefined ? { language: "en", words: english } : { language, words };
}

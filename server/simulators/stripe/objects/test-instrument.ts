import type { DeclineName } from "./decline.js";

/** When the issuer wants its customer to prove who it is. */
export type Authentication =
  | "never"
  | "always"
  /** Unless the card was set up for use while its owner is away. */
  | "unless_set_up"
  /** Only while its owner is there. */
  | "on_session";

/** A test card or a test bank account: what it is, and what comes of using it. */
export interface TestInstrument {
  readonly type: "card" | "us_bank_account";
  readonly number: string;
  /** A bank account's is its bank. */
  readonly brand: string;
  readonly funding: "credit" | "debit" | "prepaid";
  readonly country: string;
  /** Charging it is declined, and that is known as soon as `answers` says. */
  readonly decline?: DeclineName;
  readonly authentication: Authentication;
  /** Once charged, its owner disputes. */
  readonly dispute?: { readonly reason: string; readonly isInquiry: boolean };
  /** What becomes of its refunds: first pending and then made, or made and later failed. */
  readonly refunds: "succeed" | "succeed_later" | "fail_later";
  /** What it pays is available at once. */
  readonly bypassesPending: boolean;
  /** When it is known whether it pays; a bank account that never tells is settled by hand. */
  readonly answers: "at_once" | "later" | "never";
}

type Traits = Partial<Omit<TestInstrument, "number">>;

/** Number, names of its payment method, traits; as listed at https://docs.stripe.com/testing. */
const listed: readonly (readonly [number: string, names: readonly string[], traits?: Traits])[] = [
  ["4242424242424242", ["pm_card_visa", "pm_card_us", "pm_card_chargeCustomerSucceed"]],
  ["4000056655665556", ["pm_card_visa_debit"], { funding: "debit" }],
  ["5555555555554444", ["pm_card_mastercard"], { brand: "mastercard" }],
  ["2223003122003222", [], { brand: "mastercard" }],
  ["5200828282828210", ["pm_card_mastercard_debit"], { brand: "mastercard", funding: "debit" }],
  ["5105105105105100", ["pm_card_mastercard_prepaid"], { brand: "mastercard", funding: "prepaid" }],
  ["378282246310005", ["pm_card_amex"], { brand: "amex" }],
  ["371449635398431", [], { brand: "amex" }],
  ["6011111111111117", ["pm_card_discover"], { brand: "discover" }],
  ["3056930009020004", ["pm_card_diners"], { brand: "diners" }],
  ["3566002020360505", ["pm_card_jcb"], { brand: "jcb", country: "JP" }],
  ["6200000000000005", ["pm_card_unionpay"], { brand: "unionpay", country: "CN" }],
  ["4000000760000002", ["pm_card_br"], { country: "BR" }],
  ["4000001240000000", ["pm_card_ca"], { country: "CA" }],
  ["4000002760000016", ["pm_card_de"], { country: "DE" }],
  ["4000002500000003", ["pm_card_fr"], { country: "FR" }],
  ["4000008260000000", ["pm_card_gb"], { country: "GB" }],
  ["4000003920000003", ["pm_card_jp"], { country: "JP" }],
  ["4000007560000009", ["pm_card_ch"], { country: "CH" }],
  ["4000000360000006", ["pm_card_au"], { country: "AU" }],

  [
    "4000000000000002",
    ["pm_card_visa_chargeDeclined", "pm_card_chargeDeclined"],
    { decline: "generic_decline" },
  ],
  [
    "4000000000009995",
    ["pm_card_visa_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclinedInsufficientFunds"],
    { decline: "insufficient_funds" },
  ],
  ["4000000000009987", ["pm_card_visa_chargeDeclinedLostCard"], { decline: "lost_card" }],
  ["4000000000009979", ["pm_card_visa_chargeDeclinedStolenCard"], { decline: "stolen_card" }],
  ["4000000000000069", ["pm_card_chargeDeclinedExpiredCard"], { decline: "expired_card" }],
  ["4000000000000127", ["pm_card_chargeDeclinedIncorrectCvc"], { decline: "incorrect_cvc" }],
  ["4000000000000119", ["pm_card_chargeDeclinedProcessingError"], { decline: "processing_error" }],
  [
    "4000000000006975",
    ["pm_card_visa_chargeDeclinedVelocityLimitExceeded"],
    { decline: "card_velocity_exceeded" },
  ],
  ["4000000000000341", ["pm_card_chargeCustomerFail"], { decline: "generic_decline" }],
  ["4100000000000019", ["pm_card_radarBlock", "pm_card_chargeDeclinedFraudulent"], { decline: "fraudulent" }],

  ["4000000000000259", ["pm_card_createDispute"], { dispute: { reason: "fraudulent", isInquiry: false } }],
  [
    "4000000000002685",
    ["pm_card_createDisputeProductNotReceived"],
    { dispute: { reason: "product_not_received", isInquiry: false } },
  ],
  [
    "4000000000001976",
    ["pm_card_createDisputeInquiry"],
    { dispute: { reason: "fraudulent", isInquiry: true } },
  ],
  ["4000000000007726", ["pm_card_pendingRefund"], { refunds: "succeed_later" }],
  ["4000000000005126", ["pm_card_refundFail"], { refunds: "fail_later" }],
  ["4000000000000077", ["pm_card_bypassPending"], { bypassesPending: true }],
  ["4000003720000278", ["pm_card_bypassPendingInternational"], { bypassesPending: true, country: "IE" }],

  ["4000002500003155", ["pm_card_authenticationRequiredOnSetup"], { authentication: "unless_set_up" }],
  ["4000002760003184", ["pm_card_authenticationRequired"], { authentication: "always" }],
  [
    "4000003800000446",
    ["pm_card_authenticationRequiredSetupForOffSession"],
    { authentication: "on_session" },
  ],
  [
    "4000008260003178",
    ["pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"],
    { authentication: "always", decline: "insufficient_funds" },
  ],
  ["4000000000003220", ["pm_card_threeDSecure2Required"], { authentication: "always" }],
  ["4000000000003063", ["pm_card_threeDSecureRequired"], { authentication: "always" }],
  [
    "4000008400001629",
    ["pm_card_threeDSecureRequiredChargeDeclined"],
    { authentication: "always", decline: "generic_decline" },
  ],
];

const bank = {
  type: "us_bank_account",
  brand: "STRIPE TEST BANK",
  funding: "debit",
  answers: "later",
} as const;

/** https://docs.stripe.com/payments/ach-direct-debit, by the name of the payment method. */
const bankAccounts: readonly (readonly [number: string, name: string, traits?: Traits])[] = [
  ["000123456789", "pm_usBankAccount_success"],
  ["000222222227", "pm_usBankAccount_insufficientFunds", { decline: "insufficient_funds" }],
  ["000111111113", "pm_usBankAccount_accountClosed", { decline: "account_closed" }],
  ["000333333335", "pm_usBankAccount_debitNotAuthorized", { decline: "debit_not_authorized" }],
  ["000000000009", "pm_usBankAccount_processing", { answers: "never" }],
];

const plain = {
  type: "card",
  brand: "visa",
  funding: "credit",
  country: "US",
  authentication: "never",
  refunds: "succeed",
  bypassesPending: false,
  answers: "at_once",
} as const;

const byNumber = new Map<string, TestInstrument>();
const byName = new Map<string, TestInstrument>();
for (const [number, names, traits] of listed) {
  const card: TestInstrument = { ...plain, ...traits, number };
  byNumber.set(number, card);
  for (const name of names) byName.set(name, card);
}

for (const [number, name, traits] of bankAccounts) byName.set(name, { ...plain, ...bank, ...traits, number });

/** What stands behind a payment method that Stripe offers for tests, such as "pm_card_visa". */
export function instrumentOfName(name: string): TestInstrument | undefined {
  return byName.get(name);
}

/** The card with a number, or what is wrong with the number. */
export function cardOfNumber(text: string): TestInstrument | "incorrect_number" | "no_test_card" {
  const number = text.replaceAll(/[ -]/g, "");
  const card = byNumber.get(number);
  if (card !== undefined) return card;
  return /^\d{12,19}$/.test(number) && passesLuhn(number) ? "no_test_card" : "incorrect_number";
}

/** The number as it may be written down: one that may be a real card's is not. */
export function writableNumber(text: string): string {
  return typeof cardOfNumber(text) === "string" ? "0" : text;
}

/** All of them, by the name of their payment method. */
export function testInstruments(): Iterable<readonly [name: string, instrument: TestInstrument]> {
  return byName;
}

function passesLuhn(number: string): boolean {
  let sum = 0;
  for (let index = 0; index < number.length; index += 1) {
    const digit = number.charCodeAt(number.length - 1 - index) - 0x30;
    sum += index % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}

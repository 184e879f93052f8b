import type { EInvoice, EInvoiceAddress } from "./e-invoice.js";
import { isLuhn } from "./peppol-identifier-rules.js";
import { isGiven, type RuleFaults } from "./rule-fault.js";

const profile = "weir organization billing-profile --name …";
const customer = "weir customers update CUSTOMER";

/** What Peppol asks of sellers of a country, by rules of that country's; of those that Weir's data can break. */
const national: Readonly<Record<string, (invoice: EInvoice, faults: RuleFaults) => void>> = {
  DE: checkGerman,
  DK: checkDanish,
  IS: checkIcelandic,
  IT: checkItalian,
  NL: checkDutch,
  NO: checkNorwegian,
  SE: checkSwedish,
};

export function checkNational(invoice: EInvoice, faults: RuleFaults): void {
  const country = invoice.seller.address?.country ?? "";
  if (Object.hasOwn(national, country)) national[country]?.(invoice, faults);
}

type Asked = readonly [rule: string, holds: boolean, what: string, todo: string];

function ask(faults: RuleFaults, asked: readonly Asked[]): void {
  for (const [rule, holds, what, todo] of asked) faults.expect(rule, holds, `${what}: ${todo}`);
}

function isDomestic({ seller, buyer }: EInvoice): boolean {
  return seller.address?.country === buyer.address?.country;
}

function addressAsked(
  rules: readonly [line1: string, city: string, postalCode: string],
  whose: string,
  address: EInvoiceAddress | undefined,
  command: string,
): Asked[] {
  return [
    [rules[0], isGiven(address?.line1), `${whose} street is missing`, `${command} --line1 …`],
    [rules[1], isGiven(address?.city), `${whose} city is missing`, `${command} --city …`],
    [rules[2], isGiven(address?.postalCode), `${whose} postal code is missing`, `${command} --postal-code …`],
  ];
}

function checkGerman(invoice: EInvoice, faults: RuleFaults): void {
  if (!isDomestic(invoice)) return;
  const { kind, seller, buyer, paymentMeans } = invoice;
  const { contact } = seller;
  const pays = paymentMeans !== undefined || kind === "credit_note";
  ask(faults, [
    ["DE-R-001", pays, "how to pay is missing, also where nothing is due", `${profile} --iban …`],
    ...addressAsked(["", "DE-R-003", "DE-R-004"], "the seller's", seller.address, profile).slice(1),
    ["DE-R-005", isGiven(contact?.name), "whom to ask is missing", `${profile} --contact-name …`],
    ["DE-R-006", isGiven(contact?.phone), "the seller's telephone is missing", `${profile} --phone …`],
    ["DE-R-007", isGiven(contact?.email), "the seller's e-mail is missing", `${profile} --email …`],
    ...addressAsked(["", "DE-R-008", "DE-R-009"], "the buyer's", buyer.address, customer).slice(1),
  ]);
}

function checkDutch(invoice: EInvoice, faults: RuleFaults): void {
  const { seller, buyer, totals, paymentMeans } = invoice;
  const isRegistered = ({ registration }: typeof buyer) =>
    registration?.scheme === "0106" || registration?.scheme === "0190";
  const all = (rule: string): [string, string, string] => [rule, rule, rule];
  const nothingDue = totals.due.isZero() || totals.due.isNegative() || invoice.kind === "credit_note";
  ask(faults, [
    ...addressAsked(all("NL-R-002"), "the seller's", seller.address, profile),
    [
      "NL-R-003",
      isRegistered(seller),
      "the seller's number at the KVK or its OIN is missing",
      `${profile} --registration-number 0106:12345678`,
    ],
    ["NL-R-007", paymentMeans !== undefined || nothingDue, "how to pay is missing", `${profile} --iban …`],
  ]);
  if (!isDomestic(invoice)) return;
  ask(faults, [
    ...addressAsked(all("NL-R-004"), "the buyer's", buyer.address, customer),
    [
      "NL-R-005",
      buyer.registration === undefined || isRegistered(buyer),
      "the buyer's registration is no number at the KVK and no OIN",
      `${customer} --registration-number 0106:12345678`,
    ],
    [
      "NL-R-008",
      paymentMeans?.code !== "54",
      "credit cards are named as cards",
      "have the payment recorded as by card",
    ],
  ]);
}

function checkDanish({ kind, seller, buyer, paymentMeans, totals }: EInvoice, faults: RuleFaults): void {
  ask(faults, [
    [
      "DK-R-002",
      seller.registration?.scheme === "0184",
      "the seller's CVR number is missing",
      `${profile} --registration-number 0184:DK12345678`,
    ],
    [
      "DK-R-017",
      buyer.address?.country !== "DK" ||
        buyer.registration === undefined ||
        buyer.registration.scheme === "0184",
      "the buyer's registration is no CVR number",
      `${customer} --registration-number 0184:DK12345678`,
    ],
    [
      "DK-R-005",
      paymentMeans?.code !== "30" && paymentMeans?.code !== "54",
      "Danish sellers are paid by SEPA transfer (EUR) or by card here",
      "send the PDF",
    ],
    [
      "DK-R-016",
      kind === "invoice" || !totals.due.isNegative(),
      "a credit note gives back less than nothing",
      "send the PDF",
    ],
  ]);
}

function checkSwedish({ seller, lines }: EInvoice, faults: RuleFaults): void {
  const { vatId, registration, taxRegistration } = seller;
  ask(faults, [
    [
      "SE-R-001",
      vatId === undefined || /^SE\d{12}$/.test(vatId),
      "a Swedish VAT identifier is SE and 12 digits",
      `${profile} --tax-id SE123456789001`,
    ],
    [
      "SE-R-003",
      registration === undefined || (/^\d{10}$/.test(registration.value) && isLuhn(registration.value)),
      "a Swedish organization number has 10 digits, the last of which checks the others",
      `${profile} --registration-number 5560360793`,
    ],
    [
      "SE-R-005",
      taxRegistration === undefined,
      "a Swedish seller names its VAT identifier",
      `${profile} --tax-id SE123456789001`,
    ],
    [
      "SE-R-006",
      lines.every(({ vat }) => vat.code !== "S" || ["6", "12", "25"].includes(String(vat.percent))),
      "Swedish rates are 6, 12 and 25 %",
      "weir tax rates list --country SE",
    ],
  ]);
}

function checkNorwegian({ seller }: EInvoice, faults: RuleFaults): void {
  const { vatId } = seller;
  ask(faults, [
    [
      "NO-R-001",
      vatId === undefined || /^NO\d{9}MVA$/.test(vatId),
      "a Norwegian VAT identifier is NO, 9 digits and MVA",
      `${profile} --tax-id NO123456785MVA`,
    ],
  ]);
}

function checkItalian({ seller }: EInvoice, faults: RuleFaults): void {
  const { taxRegistration } = seller;
  const length = taxRegistration?.length;
  ask(faults, [
    [
      "IT-R-001",
      length === undefined || (length >= 11 && length <= 16),
      "an Italian tax number has 11 to 16 characters",
      `${profile} --tax-id IT12345678901`,
    ],
    ...addressAsked(["IT-R-002", "IT-R-003", "IT-R-004"], "the seller's", seller.address, profile),
  ]);
}

function checkIcelandic(invoice: EInvoice, faults: RuleFaults): void {
  const { seller, buyer } = invoice;
  const [street, , code] = addressAsked(
    ["IS-R-003", "IS-R-003", "IS-R-003"],
    "the seller's",
    seller.address,
    profile,
  );
  const kennitala = "--registration-number 0196:1234567890";
  const isRegistered = ({ registration }: typeof buyer) => registration?.scheme === "0196";
  ask(faults, [
    ["IS-R-002", isRegistered(seller), "the seller's kennitala is missing", `${profile} ${kennitala}`],
    ...[street, code].filter((each) => each !== undefined),
  ]);
  if (!isDomestic(invoice)) return;
  const [buyerStreet, , buyerCode] = addressAsked(
    ["IS-R-005", "IS-R-005", "IS-R-005"],
    "the buyer's",
    buyer.address,
    customer,
  );
  ask(faults, [
    ["IS-R-004", isRegistered(buyer), "the buyer's kennitala is missing", `${customer} ${kennitala}`],
    ...[buyerStreet, buyerCode].filter((each) => each !== undefined),
  ]);
}

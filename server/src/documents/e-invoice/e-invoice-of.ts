import {
  isInPeppol,
  parseElectronicAddress,
  type ElectronicAddress,
} from "../../kernel/electronic-address.js";
import { Decimal } from "../../kernel/decimal.js";
import { calendarIn, dateAt, formatDate } from "../../kernel/local-date.js";
import type { Instant } from "../../kernel/instant.js";
import { toDecimal } from "../../kernel/money.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import { normalizeTaxId } from "../../tax/core/index.js";
import { formatsOf } from "../formats.js";
import type { DocumentParty, InvoiceDocument, PostalAddress } from "../invoice-document.js";
import { labelsOf } from "../labels.js";
import { short } from "../limits.js";
import type {
  EInvoice,
  EInvoiceAddress,
  EInvoiceContact,
  EInvoiceParty,
  EInvoicePeriod,
  EInvoiceSeller,
  EInvoiceTotals,
  PaymentMeans,
} from "./core/index.js";
import { linesOf } from "./e-invoice-lines.js";
import { allowancesOf, breakdownOf } from "./e-invoice-vat.js";

/** Of a transfer in euros, which SEPA's account numbers make one of its own. */
const sepa_currency = "EUR";

/** Of Greek sellers Peppol asks for the mark that their tax authority gives each invoice, which Weir does not know. */
const outOfPeppol = new Set(["GR"]);

/**
 * A document in the terms of EN 16931. It may break the standard's rules, where something is missing: `checkEInvoice` says
 * which.
 *
 * Weir's arithmetic is kept: each line without tax as the invoice taxed it, promotional credits as allowances of the
 * document, VAT as it was computed once per rate. So all sums hold to the cent, and VAT is the invoice's own.
 */
export function eInvoiceOf(document: InvoiceDocument): EInvoice {
  const isCredit = document.kind === "credit_note";
  const { timeZone: issueZone = document.timeZone } = document.seller;
  const lines = linesOf(document);
  const allowances = allowancesOf(document, lines);
  const breakdown = breakdownOf(document, lines);
  const isOutOfScope = breakdown.length > 0 && breakdown.every(({ vat }) => vat.code === "O");
  const seller = sellerOf(document, isOutOfScope);
  const buyer = buyerOf(document, isOutOfScope);
  const isPeppol =
    [seller, buyer].every(({ electronicAddress: of }) => of !== undefined && isInPeppol(of)) &&
    !outOfPeppol.has(seller.address?.country ?? "");
  const labels = labelsOf(formatsOf(document).locale);
  return {
    specification: isPeppol ? "peppol" : "en16931",
    kind: isCredit ? "credit_note" : "invoice",
    number: document.number,
    issueDate: dateIn(document.issuedAt, issueZone),
    dueDate: document.dueAt === undefined ? undefined : dateIn(document.dueAt, issueZone),
    currency: document.currency,
    buyerReference: given(document.buyerReference),
    note: given(document.notes.map(short).join("\n")),
    period: wholePeriod(lines.flatMap(({ line }) => line.period ?? [])),
    preceding:
      document.corrects === undefined
        ? undefined
        : {
            number: document.corrects,
            issueDate:
              document.correctedIssuedAt === undefined
                ? undefined
                : dateIn(document.correctedIssuedAt, issueZone),
          },
    seller,
    buyer,
    deliverTo: breakdown.some(({ vat }) => vat.code === "K") ? document.buyer.address?.country : undefined,
    paymentMeans: isCredit ? undefined : paymentOf(document),
    paymentTerms: given(document.paymentTerms) ?? (isCredit ? labels.credited : undefined),
    allowances,
    breakdown,
    totals: totalsOf(document, { lines, allowances, breakdown }),
    lines: lines.map(({ line }) => line),
  };
}

function totalsOf(
  { kind, currency, totalMinor, amountDueMinor }: InvoiceDocument,
  parts: {
    readonly lines: ReturnType<typeof linesOf>;
    readonly allowances: ReturnType<typeof allowancesOf>;
    readonly breakdown: ReturnType<typeof breakdownOf>;
  },
): EInvoiceTotals {
  const sign = kind === "credit_note" ? -1n : 1n;
  const ofDocument = (minor: bigint) => toDecimal({ currency, minor: sign * minor });
  const lines = Decimal.sum(parts.lines.map(({ line }) => line.net));
  const allowances = Decimal.sum(parts.allowances.map(({ amount }) => amount));
  return {
    lines,
    allowances,
    charges: Decimal.zero,
    withoutVat: lines.minus(allowances),
    vat: Decimal.sum(parts.breakdown.map(({ tax }) => tax)),
    withVat: ofDocument(totalMinor),
    prepaid: ofDocument(totalMinor - amountDueMinor),
    due: ofDocument(amountDueMinor),
  };
}

function sellerOf({ seller }: InvoiceDocument, isOutOfScope: boolean): EInvoiceSeller {
  const { contactName, phone, email } = seller;
  const taxId = given(seller.taxId);
  const isVatId = vatIdOf(taxId) !== undefined && !isOutOfScope;
  const contact: EInvoiceContact = {
    name: given(contactName),
    phone: given(phone),
    email: given(email),
  };
  return {
    ...partyOf(seller, isOutOfScope),
    taxRegistration: isVatId ? undefined : taxId,
    contact: Object.values(contact).every((each) => each === undefined) ? undefined : contact,
  };
}

function buyerOf({ buyer }: InvoiceDocument, isOutOfScope: boolean): EInvoiceParty {
  const email = given(buyer.email);
  return {
    ...partyOf(buyer, isOutOfScope),
    contact: email === undefined ? undefined : { name: undefined, phone: undefined, email },
  };
}

/** An invoice that is not subject to VAT must not bear VAT identifiers (BR-O-02). */
function partyOf(party: DocumentParty, isOutOfScope: boolean) {
  return {
    name: short(party.name),
    address: addressOf(party.address),
    vatId: isOutOfScope ? undefined : vatIdOf(given(party.taxId)),
    registration: registrationOf(given(party.registrationNumber)),
    electronicAddress: electronicAddressOf(party.electronicAddress),
  };
}

/** A tax id is a VAT identifier when it begins with a country's code (BR-CO-09). */
function vatIdOf(taxId: string | undefined): string | undefined {
  const normal = taxId === undefined ? undefined : normalizeTaxId(taxId);
  return normal !== undefined && /^[A-Z]{2}[A-Z0-9+*]*\d[A-Z0-9+*]*$/.test(normal) ? normal : undefined;
}

/** "0106:12345678" names its scheme. */
function registrationOf(text: string | undefined): EInvoiceParty["registration"] {
  if (text === undefined) return undefined;
  const [, scheme, value] = /^(\d{4}):\s*(.+)$/.exec(text) ?? [];
  return value === undefined ? { scheme: undefined, value: text } : { scheme, value };
}

function electronicAddressOf(text: string | undefined): ElectronicAddress | undefined {
  const parsed = text === undefined ? undefined : parseElectronicAddress(text);
  return parsed?.ok === true ? parsed.value : undefined;
}

function addressOf(address: PostalAddress | undefined): EInvoiceAddress | undefined {
  if (address === undefined) return undefined;
  const { line1, line2, city, postalCode, region, country } = address;
  const lines = {
    line1: given(line1),
    line2: given(line2),
    city: given(city),
    postalCode: given(postalCode),
    region: given(region),
    country: given(country),
  };
  return Object.values(lines).every((each) => each === undefined) ? undefined : lines;
}

/** Where no account is known, nothing is said of how to pay. Where nothing is due it is: Germany's rules ask for it. */
function paymentOf({ seller, payment, currency, number }: InvoiceDocument): PaymentMeans | undefined {
  if (payment?.kind === "card")
    return { code: payment.isCredit ? "54" : "48", last4: payment.last4, network: payment.network };
  const { iban, bic, holder } = payment?.account ?? { ...seller, holder: seller.name };
  if (iban === undefined) return undefined;
  return {
    code: currency === sepa_currency ? "58" : "30",
    account: iban,
    holder: short(holder),
    bic,
    reference: payment?.reference ?? number,
  };
}

/** From the first day of any line to the last. */
function wholePeriod(periods: readonly EInvoicePeriod[]): EInvoicePeriod | undefined {
  return periods.reduce<EInvoicePeriod | undefined>(
    (whole, { start, end }) =>
      whole === undefined
        ? { start, end }
        : { start: start < whole.start ? start : whole.start, end: end > whole.end ? end : whole.end },
    undefined,
  );
}

function dateIn(instant: Instant, zone: TimeZone): string {
  return formatDate(dateAt(calendarIn(zone), instant));
}

function given(text: string | undefined): string | undefined {
  const clean = text === undefined ? "" : text.trim();
  return clean === "" ? undefined : clean;
}

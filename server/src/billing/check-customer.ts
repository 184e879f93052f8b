import { parseCurrency } from "../kernel/currency.js";
import { formatElectronicAddress, parseElectronicAddress } from "../kernel/electronic-address.js";
import { formatInstant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { parseTimeZone } from "../kernel/time-zone.js";
import type { SubjectSpan } from "./core/index.js";
import {
  address_fields,
  tax_exemptions,
  type BillingAddress,
  type Customer,
  type NewCustomer,
} from "./customer.js";

/** As long as an event's subject may be. */
const subject_length_max = 512;
const address_field_length_max = 256;
const payment_terms_days_default = 30;

/** What can be checked of a customer alone; who pays is another's matter. */
export type CheckedCustomer = Omit<Customer, "id" | "createdAt" | "erasedAt" | "payer">;

/** @throws Refusal 400 listing every fault by field */
export function checkCustomer(input: NewCustomer): CheckedCustomer {
  const errors: { field: string; message: string }[] = [];
  const fault = (field: string, message: string) => void errors.push({ field, message });
  if (input.key.length === 0 || input.key.length > 256) fault("key", "1 to 256 characters");
  if (input.name.length === 0 || input.name.length > 256) fault("name", "1 to 256 characters");
  const currency = input.currency === undefined ? undefined : parseCurrency(input.currency);
  if (input.currency !== undefined && currency === undefined) {
    fault("currency", `"${input.currency}" is not an ISO 4217 code such as "USD"`);
  }
  const timeZone = parseTimeZone(input.timeZone);
  if (timeZone === undefined)
    fault("timeZone", `"${input.timeZone}" is not an IANA time zone such as "Pacific/Auckland"`);
  if (input.email !== undefined && (!/^[^@\s]+@[^@\s]+$/.test(input.email) || input.email.length > 320)) {
    fault("email", `"${input.email.slice(0, 320)}" is not an e-mail address`);
  }
  const address = checkAddress(input.address, fault);
  const taxId = input.taxId?.trim();
  if (taxId !== undefined && (taxId.length === 0 || taxId.length > 64)) fault("taxId", "1 to 64 characters");
  const taxExempt = tax_exemptions.find((one) => one === (input.taxExempt ?? "none"));
  if (taxExempt === undefined) fault("taxExempt", `one of ${tax_exemptions.join(", ")}`);
  const paymentTermsDays = input.paymentTermsDays ?? payment_terms_days_default;
  if (!Number.isInteger(paymentTermsDays) || paymentTermsDays < 0 || paymentTermsDays > 365)
    fault("paymentTermsDays", "a whole number of days, 0 to 365");
  const locale = input.locale === undefined ? undefined : canonicalLocale(input.locale);
  if (input.locale !== undefined && locale === undefined)
    fault("locale", `"${input.locale.slice(0, 40)}" is not a language tag such as "de-AT"`);
  const electronicAddress = checkElectronicAddress(input.electronicAddress, fault);
  const registrationNumber = input.registrationNumber?.trim();
  if (registrationNumber !== undefined && !/^[^\p{Cc}]{1,64}$/u.test(registrationNumber))
    fault("registrationNumber", "1 to 64 characters, none of them a control character");
  const buyerReference = input.buyerReference?.trim();
  if (buyerReference !== undefined && !/^[^\p{Cc}]{1,128}$/u.test(buyerReference))
    fault("buyerReference", "1 to 128 characters, none of them a control character");
  if (errors.length > 0 || timeZone === undefined || taxExempt === undefined) throw invalidCustomer(errors);
  const { key, name, email } = input;
  const known = { key, name, currency, timeZone, email, address, taxId, taxExempt, paymentTermsDays, locale };
  return { ...known, electronicAddress, registrationNumber, buyerReference };
}

function checkElectronicAddress(
  text: string | undefined,
  fault: (field: string, message: string) => void,
): string | undefined {
  if (text === undefined) return undefined;
  const parsed = parseElectronicAddress(text);
  if (parsed.ok) return formatElectronicAddress(parsed.value);
  fault("electronicAddress", parsed.fault);
  return undefined;
}

export function invalidCustomer(errors: readonly { field: string; message: string }[]): Refusal {
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  return new Refusal(makeProblem("invalid-customer", 400, "The customer is not valid", detail, { errors }));
}

/** Without fields that are empty; undefined when all are. */
function checkAddress(
  address: BillingAddress | undefined,
  fault: (field: string, message: string) => void,
): BillingAddress | undefined {
  const given: Record<string, string> = {};
  for (const field of address_fields) {
    const value = address?.[field]?.trim();
    if (value === undefined || value === "") continue;
    if (value.length > address_field_length_max)
      fault(`address.${field}`, `at most ${address_field_length_max} characters`);
    given[field] = value;
  }
  if (given["country"] !== undefined && !/^[A-Z]{2}$/.test(given["country"]))
    fault("address.country", `"${given["country"].slice(0, 40)}" is not an ISO 3166 code such as "NZ"`);
  return Object.keys(given).length === 0 ? undefined : given;
}

function canonicalLocale(text: string): string | undefined {
  try {
    return text.length <= 35 ? Intl.getCanonicalLocales(text)[0] : undefined;
  } catch {
    return undefined;
  }
}

/** @throws Refusal 400 listing every fault by field */
export function checkSpan(span: SubjectSpan): void {
  const errors: { field: string; message: string }[] = [];
  if (span.subject.length === 0 || span.subject.length > subject_length_max)
    errors.push({ field: "subject", message: `1 to ${subject_length_max} characters` });
  if (span.to !== undefined && span.to <= span.from) {
    errors.push({ field: "to", message: `must be after ${formatInstant(span.from)}, where the span begins` });
  }
  if (errors.length === 0) return;
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  throw new Refusal(makeProblem("invalid-subject", 400, "The subject is not valid", detail, { errors }));
}

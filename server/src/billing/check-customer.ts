import { parseCurrency } from "../kernel/currency.js";
import { formatInstant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { parseTimeZone } from "../kernel/time-zone.js";
import type { SubjectSpan } from "./core/index.js";
import type { Customer, NewCustomer } from "./customer.js";

/** As long as an event's subject may be. */
const subject_length_max = 512;

/** @throws Refusal 400 listing every fault by field */
export function checkCustomer(input: NewCustomer): Omit<Customer, "id" | "createdAt"> {
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
  if (errors.length > 0 || timeZone === undefined) {
    const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
    throw new Refusal(makeProblem("invalid-customer", 400, "The customer is not valid", detail, { errors }));
  }
  return { key: input.key, name: input.name, currency, timeZone, email: input.email };
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

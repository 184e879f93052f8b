import { createHash } from "node:crypto";
import type { OrganizationId } from "../kernel/ids.js";
import { formatInstant } from "../kernel/instant.js";
import type { SubjectSpan } from "./core/index.js";
import type { Customer } from "./customer.js";

// The audit log is append-only, and personal data can be erased: so it never gets there. It says which of the personal
// fields are set and which were changed, not what to; a customer is its id, a subject the hash of its text.

export const personal_fields = [
  "key",
  "name",
  "email",
  "address",
  "taxId",
  "electronicAddress",
  "registrationNumber",
  "buyerReference",
] as const;

/** A customer as the audit log keeps it: without personal data. */
export function describeCustomer(customer: Customer) {
  return {
    currency: customer.currency ?? null,
    timeZone: customer.timeZone,
    taxExempt: customer.taxExempt,
    paymentTermsDays: customer.paymentTermsDays,
    locale: customer.locale ?? null,
    payer: customer.payer ?? null,
    erasedAt: customer.erasedAt === undefined ? null : formatInstant(customer.erasedAt),
    personalFields: personal_fields.filter((field) => customer[field] !== undefined),
  };
}

/** The personal fields that differ. */
export function changedPersonalFields(before: Customer, after: Customer): string[] {
  return personal_fields.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
}

/**
 * A subject as the audit log names it: SHA-256 of "organization/subject", its first 16 bytes in hex. Whoever knows a
 * subject finds its entries; whoever reads the log does not learn it.
 */
export function subjectHash(organization: OrganizationId, subject: string): string {
  return createHash("sha256").update(`${organization}/${subject}`).digest("hex").slice(0, 32);
}

export function describeSpan(organization: OrganizationId, span: SubjectSpan) {
  return {
    subjectHash: subjectHash(organization, span.subject),
    from: formatInstant(span.from),
    to: span.to === undefined ? null : formatInstant(span.to),
  };
}

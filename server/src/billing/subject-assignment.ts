import type { Sql } from "../engines/postgres/index.js";
import type { CustomerId, OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { checkSpan } from "./check-customer.js";
import type { SubjectSpan } from "./core/index.js";
import { mustFindCustomer, refuseErased } from "./find-customer.js";
import { describeSpan } from "./describe-customer.js";
import { endSpan, findCovering, findOverlap, insertSpan, lockSubject } from "./store/customer-subjects.js";
import type { InvoicedUntil } from "./store/invoiced-until.js";
import { subjectInvoiced, subjectNotAssigned, subjectTaken } from "./subject-refusal.js";

/** A subject to assign; without bounds it is the customer's from the beginning of what is not invoiced, and for good. */
export interface NewSubject {
  readonly customer: string;
  readonly subject: string;
  readonly from?: Instant;
  readonly to?: Instant;
}

export interface EndedSubject {
  readonly customer: string;
  readonly subject: string;
  readonly at?: Instant;
}

export interface MovedSubject {
  /** Who gets it: id or key. */
  readonly customer: string;
  readonly subject: string;
  /** Now when left out. */
  readonly at?: Instant;
}

/** A customer, and its state before and after as the audit log keeps it; nothing changed when neither is there. */
export interface SubjectChange {
  readonly customer: CustomerId;
  readonly before: unknown;
  readonly after: unknown;
}

/** 1970: before any usage there can be. */
const beginning = 0 as Instant;

export async function assignSubject(
  sql: Sql,
  invoicedUntil: InvoicedUntil,
  organization: OrganizationId,
  input: NewSubject,
): Promise<SubjectChange> {
  const customer = await mustFindCustomer(sql, input.customer);
  refuseErased(customer);
  await lockSubject(sql, organization, input.subject);
  const closed = await invoicedUntil(sql, { customer: customer.id });
  const span: SubjectSpan = { subject: input.subject, from: input.from ?? closed ?? beginning, to: input.to };
  checkSpan(span);
  const overlap = await findOverlap(sql, span);
  if (overlap !== undefined) {
    const same = overlap.customer === customer.id && overlap.from <= span.from && overlap.to === span.to;
    if (same && (input.from === undefined || overlap.from === span.from))
      return { customer: customer.id, before: undefined, after: undefined };
    throw subjectTaken(overlap, await mustFindCustomer(sql, overlap.customer));
  }
  if (closed !== undefined && span.from < closed) throw subjectInvoiced(span.subject, customer, closed);
  await insertSpan(sql, organization, { ...span, customer: customer.id });
  return { customer: customer.id, before: undefined, after: describeSpan(organization, span) };
}

export async function endSubject(
  sql: Sql,
  invoicedUntil: InvoicedUntil,
  organization: OrganizationId,
  input: EndedSubject,
  now: Instant,
): Promise<SubjectChange> {
  const at = input.at ?? now;
  const customer = await mustFindCustomer(sql, input.customer);
  await lockSubject(sql, organization, input.subject);
  const covering = await findCovering(sql, input.subject, at);
  if (covering === undefined || covering.customer !== customer.id)
    throw subjectNotAssigned(input.subject, customer, at);
  const closed = await invoicedUntil(sql, { customer: customer.id });
  if (closed !== undefined && at < closed) throw subjectInvoiced(input.subject, customer, closed);
  await endSpan(sql, covering, at);
  return {
    customer: customer.id,
    before: describeSpan(organization, covering),
    after: at <= covering.from ? undefined : describeSpan(organization, { ...covering, to: at }),
  };
}

export async function reassignSubject(
  sql: Sql,
  invoicedUntil: InvoicedUntil,
  organization: OrganizationId,
  input: MovedSubject,
  now: Instant,
): Promise<SubjectChange> {
  const at = input.at ?? now;
  const customer = await mustFindCustomer(sql, input.customer);
  refuseErased(customer);
  await lockSubject(sql, organization, input.subject);
  const closed = await invoicedUntil(sql, { customer: customer.id });
  if (closed !== undefined && at < closed) throw subjectInvoiced(input.subject, customer, closed);
  const covering = await findCovering(sql, input.subject, at);
  if (covering?.customer === customer.id)
    return { customer: customer.id, before: undefined, after: undefined };
  if (covering === undefined) throw subjectNotAssigned(input.subject, customer, at);
  const owner = await mustFindCustomer(sql, covering.customer);
  const closedForOwner = await invoicedUntil(sql, { customer: owner.id });
  if (closedForOwner !== undefined && at < closedForOwner)
    throw subjectInvoiced(input.subject, owner, closedForOwner);
  await endSpan(sql, covering, at);
  // It is the other's for as long as it would have been the one's.
  const span = { subject: input.subject, from: at, to: covering.to };
  await insertSpan(sql, organization, { ...span, customer: customer.id });
  return {
    customer: customer.id,
    before: { customer: owner.id, ...describeSpan(organization, covering) },
    after: { customer: customer.id, ...describeSpan(organization, span) },
  };
}

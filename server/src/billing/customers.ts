import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { newId, type OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Period, SubjectSpan } from "./core/index.js";
import { checkCustomer, checkSpan } from "./check-customer.js";
import type { Customer, NewCustomer } from "./customer.js";
import { findCustomer, insertCustomer, listCustomers } from "./store/customers.js";
import { endSpan, findOverlap, insertSpan, listSpans, lockSubject } from "./store/customer-subjects.js";
import { describeSpan, subjectNotAssigned, subjectTaken } from "./subject-refusal.js";

/** A subject to assign; without bounds it is the customer's from the beginning of time and for good. */
export interface NewSubject {
  readonly customer: string;
  readonly subject: string;
  readonly from?: Instant;
  readonly to?: Instant;
}

/** 1970: before any usage there can be. */
const beginning = 0 as Instant;

export interface CustomersDependencies {
  readonly postgres: Postgres;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

/** Customers and the spans of time for which subjects are theirs. Every change is audited. */
export class Customers {
  readonly #on: CustomersDependencies;

  constructor(dependencies: CustomersDependencies) {
    this.#on = dependencies;
  }

  async list(organization: OrganizationId, page: { after?: string; limit: number }): Promise<Customer[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listCustomers(sql, page));
  }

  /** By id or key. */
  async find(organization: OrganizationId, idOrKey: string): Promise<Customer | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findCustomer(sql, idOrKey));
  }

  /** @throws Refusal 404 */
  async get(organization: OrganizationId, idOrKey: string): Promise<Customer> {
    return this.#on.postgres.inOrganization(organization, (sql) => mustFindCustomer(sql, idOrKey));
  }

  /** A customer's subjects by name and time; only spans that touch the period when one is given. */
  async subjectsOf(
    organization: OrganizationId,
    customer: Customer["id"],
    period?: Period,
  ): Promise<SubjectSpan[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listSpans(sql, customer, period));
  }

  /**
   * The spans of several customers, by id or key: whose usage is theirs, and when.
   * @throws Refusal 404 for an unknown one
   */
  async spansOf(organization: OrganizationId, customers: readonly string[]): Promise<SubjectSpan[]> {
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const spans: SubjectSpan[] = [];
      for (const idOrKey of new Set(customers)) {
        const customer = await mustFindCustomer(sql, idOrKey);
        spans.push(...(await listSpans(sql, customer.id)));
      }
      return spans;
    });
  }

  /** @throws Refusal 400 listing every fault by field; 409 when the key is taken */
  async create(caller: Caller, input: NewCustomer, idempotencyKey?: string): Promise<Customer> {
    const { organization } = caller;
    const drafted = checkCustomer(input);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "customer.create", input };
      const id = await runOnce(sql, request, async () => {
        const at = this.#on.clock.now();
        const customer: Customer = { ...drafted, id: newId("cus", at), createdAt: at };
        if (!(await insertCustomer(sql, organization, customer))) {
          const detail = `The key "${input.key}" is taken by another customer. Choose another, or use that customer.`;
          throw new Refusal(makeProblem("customer-exists", 409, "There is such a customer already", detail));
        }
        const after = describeCustomer(customer);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "customer.create",
          target: customer.id,
          before: undefined,
          after,
          at,
        });
        return customer.id;
      });
      return mustFindCustomer(sql, id);
    });
  }

  /**
   * Makes a subject the customer's for a span of time. Assigning exactly the span that is there changes nothing.
   * @throws Refusal 409 naming the span and its owner when the subject is assigned within that time
   */
  async assignSubject(caller: Caller, input: NewSubject, idempotencyKey?: string): Promise<Customer> {
    const { organization } = caller;
    const span: SubjectSpan = { subject: input.subject, from: input.from ?? beginning, to: input.to };
    checkSpan(span);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "subject.assign", input };
      const id = await runOnce(sql, request, async () => {
        const at = this.#on.clock.now();
        const customer = await mustFindCustomer(sql, input.customer);
        await lockSubject(sql, organization, span.subject);
        const overlap = await findOverlap(sql, span);
        if (overlap !== undefined) {
          if (overlap.customer === customer.id && overlap.from === span.from && overlap.to === span.to)
            return customer.id;
          throw subjectTaken(overlap, await mustFindCustomer(sql, overlap.customer));
        }
        await insertSpan(sql, organization, { ...span, customer: customer.id });
        const after = describeSpan(span);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "subject.assign",
          target: customer.id,
          before: undefined,
          after,
          at,
        });
        return customer.id;
      });
      return mustFindCustomer(sql, id);
    });
  }

  /**
   * Ends the customer's span of a subject that covers `at` (now when left out), so that usage from `at` on is
   * not the customer's; ended at its beginning, the span is removed.
   * @throws Refusal 404 when no span of the customer covers that instant
   */
  async endSubject(
    caller: Caller,
    input: { customer: string; subject: string; at?: Instant },
    idempotencyKey?: string,
  ): Promise<Customer> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "subject.end", input };
      const id = await runOnce(sql, request, async () => {
        const now = this.#on.clock.now();
        const at = input.at ?? this.#on.clocks.of(organization).now();
        const customer = await mustFindCustomer(sql, input.customer);
        await lockSubject(sql, organization, input.subject);
        const covering = (await listSpans(sql, customer.id)).find(
          (span) =>
            span.subject === input.subject && span.from <= at && (span.to === undefined || at < span.to),
        );
        if (covering === undefined) throw subjectNotAssigned(input.subject, customer, at);
        await endSpan(sql, covering, at);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "subject.end",
          target: customer.id,
          before: describeSpan(covering),
          after: at <= covering.from ? undefined : describeSpan({ ...covering, to: at }),
          at: now,
        });
        return customer.id;
      });
      return mustFindCustomer(sql, id);
    });
  }
}

/** @throws Refusal 404 */
export async function mustFindCustomer(sql: Sql, idOrKey: string): Promise<Customer> {
  const found = await findCustomer(sql, idOrKey);
  if (found !== undefined) return found;
  throw new Refusal(
    makeProblem(
      "customer-not-found",
      404,
      "No such customer",
      `There is no customer with the id or key "${idOrKey}".`,
    ),
  );
}

function describeCustomer({ key, name, currency, timeZone, email }: Customer) {
  return { key, name, currency: currency ?? null, timeZone, email: email ?? null };
}

import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { newId, type CustomerId, type OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { checkCustomer, checkSpan } from "./check-customer.js";
import type { Period, SubjectSpan } from "./core/index.js";
import type { Customer, CustomerUpdate, NewCustomer } from "./customer.js";
import { changedPersonalFields, describeCustomer } from "./describe-customer.js";
import { eraseCustomer, type CustomerErased, type Erasure, type Erased } from "./erase-customer.js";
import { mustFindCustomer } from "./find-customer.js";
import { findPayer } from "./payer.js";
import { findCustomer, insertCustomer, listCustomers } from "./store/customers.js";
import { listSpans } from "./store/customer-subjects.js";
import { readInvoicedUntil, type InvoicedUntil } from "./store/invoiced-until.js";
import {
  assignSubject,
  endSubject,
  reassignSubject,
  type EndedSubject,
  type MovedSubject,
  type NewSubject,
  type SubjectChange,
} from "./subject-assignment.js";
import type { SubscriptionChanged } from "./subscriptions.js";
import { changeCustomer } from "./update-customer.js";

export interface CustomersDependencies {
  readonly postgres: Postgres;
  readonly clock: Clock;
  readonly clocks: Clocks;
  /** Up to where finalized invoices have closed time; the invoices' own table when left out. */
  readonly invoicedUntil?: InvoicedUntil;
  readonly subscriptionChanged?: SubscriptionChanged;
  readonly customerErased?: CustomerErased;
}

/** Customers and the spans of time for which subjects are theirs. Every change is audited. */
export class Customers {
  readonly #on: CustomersDependencies & { readonly invoicedUntil: InvoicedUntil };

  constructor(dependencies: CustomersDependencies) {
    this.#on = { invoicedUntil: readInvoicedUntil, ...dependencies };
  }

  /** By id, oldest first; only those that a customer pays for, when given. */
  async list(
    organization: OrganizationId,
    page: { payer?: CustomerId; after?: string; limit: number },
  ): Promise<Customer[]> {
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

  /** @throws Refusal 400 listing every fault by field; 409 when the key is taken, or the payer cannot pay */
  async create(caller: Caller, input: NewCustomer, idempotencyKey?: string): Promise<Customer> {
    const drafted = checkCustomer(input);
    return this.#mutate(caller, "customer.create", input, idempotencyKey, async (sql, at) => {
      const id = newId("cus", at);
      const payer =
        input.payer === undefined
          ? undefined
          : (await findPayer(sql, input.payer, { ...drafted, id }, at)).id;
      const customer: Customer = { ...drafted, id, payer, erasedAt: undefined, createdAt: at };
      if (!(await insertCustomer(sql, caller.organization, customer))) {
        const detail = `The key "${input.key}" is taken by another customer. Choose another, or use that customer.`;
        throw new Refusal(makeProblem("customer-exists", 409, "There is such a customer already", detail));
      }
      return { customer: id, before: undefined, after: describeCustomer(customer) };
    });
  }

  /**
   * Changes what is given; null takes away. Another zone, or a payer's, applies from each subscription's next period.
   * @throws Refusal 404; 400 listing every fault by field; 409 for a currency or a payer that does not fit
   */
  async update(caller: Caller, input: CustomerUpdate, idempotencyKey?: string): Promise<Customer> {
    return this.#mutate(caller, "customer.update", input, idempotencyKey, async (sql, at) => {
      const { before, after } = await changeCustomer(sql, this.#on, caller, input, at);
      const changed = { ...describeCustomer(after), changed: changedPersonalFields(before, after) };
      return { customer: before.id, before: describeCustomer(before), after: changed };
    });
  }

  /**
   * Replaces a customer's personal data, for good: name, key, e-mail, address and tax id, and the subjects that are named.
   * Invoices go on, and are found by the customer's id.
   * @throws Refusal 404; 400 unless `confirm` is the customer's key; 409 while a named subject is still needed
   */
  async erase(caller: Caller, input: Erasure, idempotencyKey?: string): Promise<Erased> {
    let erased: Omit<Erased, "customer"> | undefined;
    // What identifies the customer must not stay behind as an idempotency key's input either: only its hash does.
    const customer = await this.#mutate(caller, "customer.erase", input, idempotencyKey, async (sql, at) => {
      const { before, after, ...rest } = await eraseCustomer(sql, this.#on, caller, input, at);
      erased = rest;
      return { customer: before.id, before: describeCustomer(before), after: describeCustomer(after) };
    });
    return { customer, subjectsErased: 0, subjectsKept: [], ...erased };
  }

  /**
   * Makes a subject the customer's for a span of time. Assigning exactly the span that is there changes nothing.
   * @throws Refusal 409 naming the span and its owner when the subject is assigned within that time, or when finalized
   *         invoices have closed it
   */
  async assignSubject(caller: Caller, input: NewSubject, idempotencyKey?: string): Promise<Customer> {
    if (input.from !== undefined) checkSpan({ subject: input.subject, from: input.from, to: input.to });
    return this.#mutate(caller, "subject.assign", input, idempotencyKey, (sql) =>
      assignSubject(sql, this.#on.invoicedUntil, caller.organization, input),
    );
  }

  /**
   * Ends the customer's span of a subject that covers `at` (now when left out), so that usage from `at` on is
   * not the customer's; ended at its beginning, the span is removed.
   * @throws Refusal 404 when no span of the customer covers that instant; 409 over invoiced time
   */
  async endSubject(caller: Caller, input: EndedSubject, idempotencyKey?: string): Promise<Customer> {
    return this.#mutate(caller, "subject.end", input, idempotencyKey, (sql, at) =>
      endSubject(sql, this.#on.invoicedUntil, caller.organization, input, at),
    );
  }

  /**
   * Makes a subject another customer's from an instant on (now when left out), whoever has it until then.
   * @throws Refusal 404; 409 over time that either's finalized invoices have closed
   */
  async reassignSubject(caller: Caller, input: MovedSubject, idempotencyKey?: string): Promise<Customer> {
    return this.#mutate(caller, "subject.reassign", input, idempotencyKey, (sql, at) =>
      reassignSubject(sql, this.#on.invoicedUntil, caller.organization, input, at),
    );
  }

  /** Runs a change once per idempotency key, with its audit entry; gives the customer as it is then. */
  async #mutate(
    caller: Caller,
    action: string,
    input: unknown,
    idempotencyKey: string | undefined,
    work: (sql: Sql, at: Instant) => Promise<SubjectChange>,
  ): Promise<Customer> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action, input };
      const id = await runOnce(sql, request, async () => {
        const now = this.#on.clocks.of(organization).now();
        const { customer, ...change } = await work(sql, now);
        const at = this.#on.clock.now();
        if (change.before !== undefined || change.after !== undefined)
          await recordAudit(sql, { organization, actor: caller, action, target: customer, at, ...change });
        return customer;
      });
      return mustFindCustomer(sql, id);
    });
  }
}

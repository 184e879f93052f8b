import { nodesOf, pageInfo } from "./connection.js";
import type { GraphQL, Repeatable } from "./graphql.js";

export interface BillingAddress {
  readonly line1?: string | null;
  readonly line2?: string | null;
  readonly city?: string | null;
  readonly postalCode?: string | null;
  readonly region?: string | null;
  /** ISO 3166: NZ. */
  readonly country?: string | null;
}

export type TaxExemption = "none" | "exempt" | "reverse_charge";

/** Who an organization bills. */
export interface Customer {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly timeZone: string;
  readonly currency: string | null;
  readonly email: string | null;
  readonly address: BillingAddress | null;
  readonly taxId: string | null;
  readonly taxExempt: TaxExemption;
  readonly paymentTermsDays: number;
  readonly locale: string | null;
  readonly electronicAddress: string | null;
  readonly registrationNumber: string | null;
  readonly buyerReference: string | null;
  readonly payer: { readonly key: string } | null;
  readonly erasedAt: string | null;
  readonly subjects: readonly SubjectSpan[];
}

/** A subject for a half-open span of time; open while `to` is null. */
export interface SubjectSpan {
  readonly subject: string;
  readonly from: string;
  readonly to: string | null;
}

/** What may be left out, and be taken away with null by an update. */
export interface CustomerFields {
  readonly currency?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly address?: BillingAddress | null | undefined;
  readonly taxId?: string | null | undefined;
  readonly taxExempt?: TaxExemption | undefined;
  readonly paymentTermsDays?: number | undefined;
  readonly locale?: string | null | undefined;
  /** Where its e-invoices go, with the scheme of the code list EAS: "0204:991-01234-56". */
  readonly electronicAddress?: string | null | undefined;
  /** In a register of companies; with a scheme of ISO 6523: "0106:12345678". */
  readonly registrationNumber?: string | null | undefined;
  /** What it wants named on its invoices: a Leitweg-ID, a cost centre, an order. */
  readonly buyerReference?: string | null | undefined;
  /** Id or key of another customer, who pays. */
  readonly payer?: string | null | undefined;
}

export interface NewCustomer extends CustomerFields {
  readonly key: string;
  readonly name: string;
  /** An IANA name such as "Pacific/Auckland". */
  readonly timeZone: string;
}

export interface CustomerUpdate extends CustomerFields {
  readonly name?: string | undefined;
  readonly timeZone?: string | undefined;
}

export interface ErasedCustomer {
  readonly customer: Customer;
  readonly subjectsErased: number;
  readonly subjectsKept: readonly string[];
}

const selection =
  "{ id key name timeZone currency email address { line1 line2 city postalCode region country } taxId taxExempt paymentTermsDays locale electronicAddress registrationNumber buyerReference payer { key } erasedAt subjects { subject from to } }";

/** Customers, by id or by your own key, and the subjects whose usage is theirs. */
export class Customers {
  readonly #graphql: GraphQL;

  constructor(graphql: GraphQL) {
    this.#graphql = graphql;
  }

  /** Oldest first, page by page. */
  list(): AsyncGenerator<Customer, void, void> {
    return nodesOf(
      this.#graphql,
      `query ($after: String) { connection: customers(first: 100, after: $after) { nodes ${selection} ${pageInfo} } }`,
      {},
    );
  }

  async find(customer: string): Promise<Customer | null> {
    const answer = await this.#graphql.run<{ customer: Customer | null }>(
      `query ($customer: String!) { customer(idOrKey: $customer) ${selection} }`,
      { customer },
    );
    return answer.customer;
  }

  create(customer: NewCustomer, options: Repeatable = {}): Promise<Customer> {
    const named = {
      key: ["String!", customer.key],
      name: ["String!", customer.name],
      timeZone: ["String!", customer.timeZone],
    } as const;
    return this.#graphql.mutate("createCustomer", { ...named, ...fieldsOf(customer) }, selection, options);
  }

  /** What is left out stays, null takes away. */
  update(customer: string, changes: CustomerUpdate, options: Repeatable = {}): Promise<Customer> {
    const named = {
      customer: ["String!", customer],
      name: ["String", changes.name],
      timeZone: ["String", changes.timeZone],
    } as const;
    return this.#graphql.mutate("updateCustomer", { ...named, ...fieldsOf(changes) }, selection, options);
  }

  /**
   * Replaces the customer's personal data, for good.
   * @param erasure.confirm   the customer's key, once more
   * @param erasure.subjects  those of its subjects that are personal themselves
   */
  erase(
    customer: string,
    erasure: { confirm: string; subjects?: readonly string[] | undefined },
    options: Repeatable = {},
  ): Promise<ErasedCustomer> {
    const { confirm, subjects } = erasure;
    return this.#graphql.mutate(
      "eraseCustomer",
      { customer: ["String!", customer], confirm: ["String!", confirm], subjects: ["[String!]", subjects] },
      `{ customer ${selection} subjectsErased subjectsKept }`,
      options,
    );
  }

  /** Makes a subject the customer's, from all that is not invoiced when `from` is left out. */
  assignSubject(
    customer: string,
    subject: string,
    span: { from?: string | undefined; to?: string | undefined } = {},
    options: Repeatable = {},
  ): Promise<Customer> {
    const args = {
      customer: ["String!", customer],
      subject: ["String!", subject],
      from: ["Instant", span.from],
      to: ["Instant", span.to],
    } as const;
    return this.#graphql.mutate("assignSubject", args, selection, options);
  }

  /** Ends an assignment, now when `at` is left out; at its beginning it is removed. */
  endSubject(customer: string, subject: string, at?: string, options: Repeatable = {}): Promise<Customer> {
    const args = {
      customer: ["String!", customer],
      subject: ["String!", subject],
      at: ["Instant", at],
    } as const;
    return this.#graphql.mutate("endSubject", args, selection, options);
  }

  /** Makes a subject another customer's, from now on when `at` is left out. */
  reassignSubject(
    customer: string,
    subject: string,
    at?: string,
    options: Repeatable = {},
  ): Promise<Customer> {
    const args = {
      customer: ["String!", customer],
      subject: ["String!", subject],
      at: ["Instant", at],
    } as const;
    return this.#graphql.mutate("reassignSubject", args, selection, options);
  }
}

function fieldsOf(fields: CustomerFields) {
  return {
    currency: ["String", fields.currency],
    email: ["String", fields.email],
    address: ["BillingAddressInput", fields.address],
    taxId: ["String", fields.taxId],
    taxExempt: ["TaxExemption", fields.taxExempt],
    paymentTermsDays: ["Int", fields.paymentTermsDays],
    locale: ["String", fields.locale],
    electronicAddress: ["String", fields.electronicAddress],
    registrationNumber: ["String", fields.registrationNumber],
    buyerReference: ["String", fields.buyerReference],
    payer: ["String", fields.payer],
  } as const;
}

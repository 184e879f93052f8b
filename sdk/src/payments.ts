import { nodesOf, pageInfo } from "./connection.js";
import type { GraphQL, Repeatable } from "./graphql.js";
import {
  attemptDetailsSelection,
  attemptSelection,
  paymentDetailsSelection,
  paymentSelection,
  type Payment,
  type PaymentAttempt,
  type PaymentAttemptDetails,
  type PaymentAttemptState,
  type PaymentDetails,
} from "./payment.js";

export interface ReceivedPayment {
  /** Id or key. */
  readonly customer: string;
  /** In major units: "100.00". */
  readonly amount: string;
  /** The customer's when left out. */
  readonly currency?: string | undefined;
  /** What names it where it came in, such as a check's number. */
  readonly reference: string;
  /** By id or number, in this order; the customer's open ones, first due first, when left out. */
  readonly invoices?: readonly string[] | undefined;
  readonly note?: string | undefined;
  readonly receivedAt?: string | undefined;
}

/** What a person found out about an attempt of unknown outcome. */
export interface FoundOutcome {
  readonly outcome: "succeeded" | "failed";
  readonly reason: string;
  /** The provider's id of the charge, where it was found. */
  readonly providerRef?: string | undefined;
}

/** Money that came in, and the tries to take it. */
export class Payments {
  readonly #graphql: GraphQL;

  constructor(graphql: GraphQL) {
    this.#graphql = graphql;
  }

  /** Oldest first, page by page; of a customer (id or key), or of those that went to an invoice (id or number). */
  list(
    filter: { customer?: string | undefined; invoice?: string | undefined } = {},
  ): AsyncGenerator<Payment, void, void> {
    return nodesOf(
      this.#graphql,
      `query ($customer: String, $invoice: ID, $after: String) { connection: payments(customer: $customer, invoice: $invoice, first: 100, after: $after) { nodes ${paymentSelection} ${pageInfo} } }`,
      { customer: filter.customer ?? null, invoice: filter.invoice ?? null },
    );
  }

  /** With its settlement, refunds, disputes and postings. */
  async find(id: string): Promise<PaymentDetails | null> {
    const { payment } = await this.#graphql.run<{ payment: PaymentDetails | null }>(
      `query ($id: ID!) { payment(id: $id) ${paymentDetailsSelection} }`,
      { id },
    );
    return payment;
  }

  /**
   * Records money that came in outside of Weir. What its invoices do not take is the customer's balance.
   * @throws WeirError invalid-amount; invalid-payment; customer-not-found; invoice-not-found; not-the-payer; payment-recorded
   *   for a reference that there is
   */
  receive(payment: ReceivedPayment, options: Repeatable = {}): Promise<Payment> {
    const args = {
      customer: ["String!", payment.customer],
      amount: ["Decimal!", payment.amount],
      currency: ["String", payment.currency],
      reference: ["String!", payment.reference],
      invoices: ["[ID!]", payment.invoices],
      note: ["String", payment.note],
      receivedAt: ["Instant", payment.receivedAt],
    } as const;
    return this.#graphql.mutate("receivePayment", args, paymentSelection, options);
  }

  /** Tries to take money, oldest first, page by page. */
  attempts(
    filter: {
      invoice?: string | undefined;
      customer?: string | undefined;
      state?: PaymentAttemptState | undefined;
      /** Only those that a person has to look at. */
      parked?: boolean | undefined;
    } = {},
  ): AsyncGenerator<PaymentAttempt, void, void> {
    const { invoice = null, customer = null, state = null, parked = null } = filter;
    return nodesOf(
      this.#graphql,
      `query ($invoice: ID, $customer: String, $state: PaymentAttemptState, $parked: Boolean, $after: String) { connection: paymentAttempts(invoice: $invoice, customer: $customer, state: $state, parked: $parked, first: 100, after: $after) { nodes ${attemptSelection} ${pageInfo} } }`,
      { invoice, customer, state, parked },
    );
  }

  /** With what became known of it, in order. */
  async findAttempt(id: string): Promise<PaymentAttemptDetails | null> {
    const { paymentAttempt } = await this.#graphql.run<{ paymentAttempt: PaymentAttemptDetails | null }>(
      `query ($id: ID!) { paymentAttempt(id: $id) ${attemptDetailsSelection} }`,
      { id },
    );
    return paymentAttempt;
  }

  /** Asks the provider now what became of an attempt. @throws WeirError payment-attempt-not-found; provider-refused */
  lookUpAttempt(id: string, options: Repeatable = {}): Promise<PaymentAttempt> {
    return this.#graphql.mutate("lookUpPaymentAttempt", { attempt: ["ID!", id] }, attemptSelection, options);
  }

  /**
   * Sees to it that an attempt takes no money any more.
   * @throws WeirError payment-attempt-not-found; payment-attempt-ended; provider-refused
   */
  cancelAttempt(id: string, options: Repeatable = {}): Promise<PaymentAttempt> {
    return this.#graphql.mutate("cancelPaymentAttempt", { attempt: ["ID!", id] }, attemptSelection, options);
  }

  /**
   * Says what became of an attempt of unknown outcome; nothing is sent to the provider.
   * @throws WeirError payment-attempt-not-found; payment-attempt-known; invalid-settlement
   */
  settleAttempt(id: string, found: FoundOutcome, options: Repeatable = {}): Promise<PaymentAttempt> {
    const args = {
      attempt: ["ID!", id],
      outcome: ["FoundPaymentOutcome!", found.outcome],
      reason: ["String!", found.reason],
      providerRef: ["String", found.providerRef],
    } as const;
    return this.#graphql.mutate("settlePaymentAttempt", args, attemptSelection, options);
  }
}

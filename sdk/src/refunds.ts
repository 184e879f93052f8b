import { nodesOf, pageInfo } from "./connection.js";
import type { GraphQL, Repeatable } from "./graphql.js";
import { refundSelection, type Refund, type RefundState } from "./payment.js";

export interface NewRefund {
  readonly payment: string;
  /**
   * Where it comes from in the books. balance: off the customer's balance, as after a credit note. goodwill: out of your own
   * pocket. invoice: back onto the invoice, which is owed again. prepaid: off the credit that a top-up bought.
   */
  readonly source: Refund["source"];
  readonly reason: string;
  /** In major units: "100.00"; all that can be given back when left out. */
  readonly amount?: string | undefined;
  /** That is to be owed again; the payment's only one when left out. */
  readonly invoice?: string | undefined;
  readonly creditNote?: string | undefined;
  /** Whose account it goes to, when the payment was a transfer; the one that it came from when left out. */
  readonly payee?: { readonly name: string; readonly iban: string } | undefined;
}

/** Money of payments that goes back. */
export class Refunds {
  readonly #graphql: GraphQL;

  constructor(graphql: GraphQL) {
    this.#graphql = graphql;
  }

  /** Oldest first, page by page. */
  list(
    filter: { payment?: string | undefined; state?: RefundState | undefined } = {},
  ): AsyncGenerator<Refund, void, void> {
    return nodesOf(
      this.#graphql,
      `query ($payment: ID, $state: RefundState, $after: String) { connection: refunds(payment: $payment, state: $state, first: 100, after: $after) { nodes ${refundSelection} ${pageInfo} } }`,
      { payment: filter.payment ?? null, state: filter.state ?? null },
    );
  }

  async find(id: string): Promise<Refund | null> {
    const { refund } = await this.#graphql.run<{ refund: Refund | null }>(
      `query ($id: ID!) { refund(id: $id) ${refundSelection} }`,
      { id },
    );
    return refund;
  }

  /**
   * Gives money back: posted at once, sent a moment later.
   * @throws WeirError payment-not-found; invalid-amount; invalid-refund; refund-above-captured for more than is left;
   *   refund-above-balance; refund-invoice-unclear when the invoice must be named; payee-unknown when the account must be
   */
  create(refund: NewRefund, options: Repeatable = {}): Promise<Refund> {
    const args = {
      payment: ["ID!", refund.payment],
      source: ["RefundSource!", refund.source],
      reason: ["String!", refund.reason],
      amount: ["Decimal", refund.amount],
      invoice: ["ID", refund.invoice],
      creditNote: ["ID", refund.creditNote],
      payee: ["RefundPayeeInput", refund.payee],
    } as const;
    return this.#graphql.mutate("createRefund", args, refundSelection, options);
  }
}

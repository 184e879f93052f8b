import { nodesOf, pageInfo } from "./connection.js";
import type { GraphQL } from "./graphql.js";
import { receivableSelection, type Receivable } from "./payment.js";

/** What is owed of finalized invoices. */
export class Receivables {
  readonly #graphql: GraphQL;

  constructor(graphql: GraphQL) {
    this.#graphql = graphql;
  }

  /** By invoice, page by page. */
  list(
    filter: {
      customer?: string | undefined;
      state?: Receivable["state"] | undefined;
      /** Only those that should have been paid by now. */
      overdue?: boolean | undefined;
    } = {},
  ): AsyncGenerator<Receivable, void, void> {
    const { customer = null, state = null, overdue = null } = filter;
    return nodesOf(
      this.#graphql,
      `query ($customer: String, $state: ReceivableState, $overdue: Boolean, $after: String) { connection: receivables(customer: $customer, state: $state, overdue: $overdue, first: 100, after: $after) { nodes ${receivableSelection} ${pageInfo} } }`,
      { customer, state, overdue },
    );
  }
}

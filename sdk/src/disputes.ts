import { nodesOf, pageInfo } from "./connection.js";
import type { GraphQL, Repeatable } from "./graphql.js";
import { disputeSelection, type Dispute, type DisputeState } from "./payment.js";

/** Chargebacks. */
export class Disputes {
  readonly #graphql: GraphQL;

  constructor(graphql: GraphQL) {
    this.#graphql = graphql;
  }

  /** Oldest first, page by page. */
  list(
    filter: { payment?: string | undefined; state?: DisputeState | undefined } = {},
  ): AsyncGenerator<Dispute, void, void> {
    return nodesOf(
      this.#graphql,
      `query ($payment: ID, $state: DisputeState, $after: String) { connection: disputes(payment: $payment, state: $state, first: 100, after: $after) { nodes ${disputeSelection} ${pageInfo} } }`,
      { payment: filter.payment ?? null, state: filter.state ?? null },
    );
  }

  async find(id: string): Promise<Dispute | null> {
    const { dispute } = await this.#graphql.run<{ dispute: Dispute | null }>(
      `query ($id: ID!) { dispute(id: $id) ${disputeSelection} }`,
      { id },
    );
    return dispute;
  }

  /**
   * Keeps evidence by the provider's field names; sends it to the bank, once and for good, when told to submit.
   * @throws WeirError dispute-not-found; dispute-closed; invalid-evidence; provider-refused
   */
  submitEvidence(
    id: string,
    evidence: Readonly<Record<string, string>>,
    { submit, ...options }: Repeatable & { readonly submit?: boolean | undefined } = {},
  ): Promise<Dispute> {
    const fields = Object.entries(evidence).map(([field, text]) => ({ field, text }));
    const args = {
      dispute: ["ID!", id],
      evidence: ["[DisputeEvidenceInput!]!", fields],
      submit: ["Boolean", submit],
    } as const;
    return this.#graphql.mutate("submitDisputeEvidence", args, disputeSelection, options);
  }

  /** Gives in: the money stays with the customer. @throws WeirError dispute-not-found; dispute-closed */
  accept(id: string, options: Repeatable = {}): Promise<Dispute> {
    return this.#graphql.mutate("acceptDispute", { dispute: ["ID!", id] }, disputeSelection, options);
  }
}

import { nodesOf, nodesOfPages, pageInfo, type Connection } from "./connection.js";
import type { GraphQL, Repeatable } from "./graphql.js";
import type { Money } from "./money.js";
import type { Transport } from "./transport.js";

export type PaymentBatchState = "open" | "closing" | "closed";

/** What goes out together through a provider that works by files. */
export interface PaymentBatch {
  readonly id: string;
  readonly account: { readonly key: string };
  /** 1, 2, 3 … of its account, without gaps. */
  readonly sequence: string;
  readonly state: PaymentBatchState;
  readonly itemCount: number;
  readonly totals: readonly { readonly items: number; readonly amount: Money }[];
  readonly openedAt: string;
  /** When an open one is closed by itself. */
  readonly closesAt: string | null;
  readonly closedAt: string | null;
  readonly closedBy: string | null;
  readonly fileName: string | null;
  /** Of the file, in hexadecimal. */
  readonly sha256: string | null;
  readonly bytes: number | null;
  readonly downloadPath: string | null;
}

export interface PaymentBatchItem {
  readonly id: string;
  readonly action: "charge" | "refund" | "represent";
  readonly state: "reserved" | "queued" | "sent" | "withdrawn";
  /** In the file, from 1. */
  readonly position: number | null;
  /** Names it in the answers. */
  readonly reference: string;
  readonly amount: Money;
  readonly attempt: { readonly id: string; readonly state: string } | null;
  readonly refund: { readonly id: string; readonly state: string } | null;
  readonly dispute: { readonly id: string; readonly state: string } | null;
}

/** A batch's file, as it comes. */
export interface PaymentBatchFile {
  readonly name: string;
  readonly content: ReadableStream<Uint8Array>;
}

const money = "{ amount currency }";
const selection = `{ id account { key } sequence state itemCount totals { items amount ${money} } openedAt closesAt closedAt closedBy fileName sha256 bytes downloadPath }`;
const itemSelection = `{ id action state position reference amount ${money} attempt { id state } refund { id state } dispute { id state } }`;

/** Batches of what goes out by files: open until they are closed, then one file each, which never changes. */
export class PaymentBatches {
  readonly #graphql: GraphQL;
  readonly #transport: Transport;

  constructor(graphql: GraphQL, transport: Transport) {
    this.#graphql = graphql;
    this.#transport = transport;
  }

  /** Oldest first, page by page; of an account (id or key). */
  list(
    filter: { account?: string | undefined; state?: PaymentBatchState | undefined } = {},
  ): AsyncGenerator<PaymentBatch, void, void> {
    return nodesOf(
      this.#graphql,
      `query ($account: String, $state: PaymentBatchState, $after: String) { connection: paymentBatches(account: $account, state: $state, first: 100, after: $after) { nodes ${selection} ${pageInfo} } }`,
      { account: filter.account ?? null, state: filter.state ?? null },
    );
  }

  async find(id: string): Promise<PaymentBatch | null> {
    const { paymentBatch } = await this.#graphql.run<{ paymentBatch: PaymentBatch | null }>(
      `query ($id: ID!) { paymentBatch(id: $id) ${selection} }`,
      { id },
    );
    return paymentBatch;
  }

  /** Oldest first, page by page; none for a batch that is not there. */
  items(id: string): AsyncGenerator<PaymentBatchItem, void, void> {
    return nodesOfPages(async (after) => {
      const { paymentBatch } = await this.#graphql.run<{
        paymentBatch: { items: Connection<PaymentBatchItem> } | null;
      }>(
        `query ($id: ID!, $after: String) { paymentBatch(id: $id) { items(first: 100, after: $after) { nodes ${itemSelection} ${pageInfo} } } }`,
        { id, after },
      );
      return paymentBatch && paymentBatch.items;
    });
  }

  /**
   * Closes the open batch of an account. Its file is made a moment later: ask for the batch until it is closed.
   * @throws WeirError provider-account-not-found; payment-batch-empty when nothing waits; provider-lacks-ability
   */
  close(account: string, options: Repeatable = {}): Promise<PaymentBatch> {
    return this.#graphql.mutate("closePaymentBatch", { account: ["String!", account] }, selection, options);
  }

  /** The file of a closed batch: the same bytes each time. @throws WeirError payment-batch-not-closed; payment-batch-elsewhere */
  async download({
    downloadPath,
    fileName,
    id,
  }: Pick<PaymentBatch, "id" | "downloadPath" | "fileName">): Promise<PaymentBatchFile> {
    const response = await this.#transport.send(
      downloadPath ?? `/v1/payment-batches/${encodeURIComponent(id)}`,
    );
    if (response.body === null) throw new Error("the file came without a body");
    return { name: fileName ?? id, content: response.body };
  }
}

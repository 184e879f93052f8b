import { nodesOf, pageInfo } from "./connection.js";
import type { GraphQL, Repeatable } from "./graphql.js";

/** A customer's way to pay: the provider's token and the last four digits. */
export interface PaymentMethod {
  readonly id: string;
  readonly customer: { readonly key: string };
  readonly account: { readonly key: string };
  /** The provider's token: "pm_…". */
  readonly providerRef: string;
  readonly kind: "card" | "bank_debit" | "bank_transfer" | "other";
  readonly brand: string | null;
  readonly last4: string | null;
  /** The last month it is good in: "2028-04". */
  readonly expires: string | null;
  /** What is charged by itself. */
  readonly isDefault: boolean;
  readonly createdAt: string;
  readonly detachedAt: string | null;
}

/** Who has it can enter a card for the customer, and nothing else. */
export interface CardUpdateLink {
  readonly url: string;
  readonly account: { readonly key: string };
  readonly expiresAt: string;
}

const selection =
  "{ id customer { key } account { key } providerRef kind brand last4 expires isDefault createdAt detachedAt }";

/** Customers' ways to pay. A card's number is entered on the provider's page, and never comes here. */
export class PaymentMethods {
  readonly #graphql: GraphQL;

  constructor(graphql: GraphQL) {
    this.#graphql = graphql;
  }

  /** Oldest first, page by page. */
  list(
    filter: {
      customer?: string | undefined;
      /** Also those that were taken away. */ detached?: boolean | undefined;
    } = {},
  ): AsyncGenerator<PaymentMethod, void, void> {
    return nodesOf(
      this.#graphql,
      `query ($customer: String, $detached: Boolean, $after: String) { connection: paymentMethods(customer: $customer, detached: $detached, first: 100, after: $after) { nodes ${selection} ${pageInfo} } }`,
      { customer: filter.customer ?? null, detached: filter.detached ?? null },
    );
  }

  /**
   * Attaches what the provider's page or library made. The first of a customer is its default.
   * @param method.method the provider's token
   * @throws WeirError customer-not-found; provider-account-not-found; provider-account-archived; provider-refused
   */
  attach(
    method: {
      readonly customer: string;
      readonly account: string;
      readonly method: string;
      readonly makeDefault?: boolean | undefined;
      /** For people, where the provider cannot be asked: "visa", the last four digits, the last month ("2028-04"). */
      readonly brand?: string | undefined;
      readonly last4?: string | undefined;
      readonly expires?: string | undefined;
    },
    options: Repeatable = {},
  ): Promise<PaymentMethod> {
    const args = {
      customer: ["String!", method.customer],
      account: ["String!", method.account],
      method: ["String!", method.method],
      makeDefault: ["Boolean", method.makeDefault],
      brand: ["String", method.brand],
      last4: ["String", method.last4],
      expires: ["String", method.expires],
    } as const;
    return this.#graphql.mutate("attachPaymentMethod", args, selection, options);
  }

  /** @throws WeirError payment-method-not-found; payment-method-detached */
  setDefault(id: string, options: Repeatable = {}): Promise<PaymentMethod> {
    return this.#graphql.mutate("setDefaultPaymentMethod", { method: ["ID!", id] }, selection, options);
  }

  /** Takes a method away, at the provider too. @throws WeirError payment-method-not-found */
  detach(id: string, options: Repeatable = {}): Promise<PaymentMethod> {
    return this.#graphql.mutate("detachPaymentMethod", { method: ["ID!", id] }, selection, options);
  }

  /**
   * The provider's page for entering a card, for someone who is there now; good for a day or so.
   * @param page.account of the customer's default method, or the only one, when left out
   * @throws WeirError customer-not-found; provider-account-unclear when it must be named; provider-refused
   */
  async createSetupPage(
    page: {
      readonly customer: string;
      readonly account?: string | undefined;
      readonly returnUrl?: string | undefined;
    },
    options: Repeatable = {},
  ): Promise<string> {
    const args = {
      customer: ["String!", page.customer],
      account: ["String", page.account],
      returnUrl: ["String", page.returnUrl],
    } as const;
    const made = await this.#graphql.mutate<{ url: string }>(
      "createPaymentSetupPage",
      args,
      "{ url }",
      options,
    );
    return made.url;
  }

  /** A link to send to a customer, good for 30 days. @throws WeirError as `createSetupPage` */
  createUpdateLink(
    link: { readonly customer: string; readonly account?: string | undefined },
    options: Repeatable = {},
  ): Promise<CardUpdateLink> {
    const args = { customer: ["String!", link.customer], account: ["String", link.account] } as const;
    return this.#graphql.mutate("createCardUpdateLink", args, "{ url expiresAt account { key } }", options);
  }
}

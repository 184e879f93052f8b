import { nodesOf, pageInfo } from "./connection.js";
import type { GraphQL, MutationArgument, Repeatable } from "./graphql.js";

export type SubscriptionStatus = "SCHEDULED" | "TRIALING" | "ACTIVE" | "CANCELED" | "ENDED";

/** A customer on plans over time. */
export interface Subscription {
  readonly id: string;
  readonly status: SubscriptionStatus;
  readonly currency: string;
  readonly anchor: { readonly day: number; readonly month: number; readonly weekday: number };
  readonly startedAt: string;
  readonly trialEnd: string | null;
  readonly endsAt: string | null;
  readonly timeZone: string;
  readonly customer: { readonly key: string };
  readonly planVersion: { readonly planKey: string; readonly version: number };
  readonly period: { readonly start: string; readonly end: string } | null;
  readonly nextBoundary: string | null;
  readonly schedule: readonly {
    readonly from: string;
    readonly to: string | null;
    readonly phase: string | null;
    readonly interval: string;
    readonly planVersion: { readonly planKey: string; readonly version: number };
  }[];
  readonly quantities: readonly {
    readonly price: string;
    readonly from: string;
    readonly quantity: string;
  }[];
  readonly addOns: readonly {
    readonly id: string;
    readonly key: string;
    readonly from: string;
    readonly to: string | null;
    readonly quantity: string;
  }[];
  readonly coupons: readonly { readonly key: string; readonly from: string; readonly to: string | null }[];
}

/** Licensed quantities by price key, as text. */
export type Quantities = Readonly<Record<string, string>>;
/** Price models as in catalog.yaml, by price key. */
export type Overrides = Readonly<Record<string, unknown>>;

export interface NewSubscription {
  /** Id or key. */
  readonly customer: string;
  /** A plan's id or key for the version in force at the start, or a plan version's id. */
  readonly plan: string;
  /** Any instant of the first day; today when left out. */
  readonly start?: string | undefined;
  /** Calendar when left out. */
  readonly anchor?: "CALENDAR" | "ANNIVERSARY" | undefined;
  readonly anchorDay?: number | undefined;
  readonly currency?: string | undefined;
  readonly trialDays?: number | undefined;
  readonly quantities?: Quantities | undefined;
  readonly overrides?: Overrides | undefined;
  readonly coupons?: readonly string[] | undefined;
}

/** Today when neither is there; `at` is any instant of a local day. */
export interface ChangeTime {
  readonly when?: "NOW" | "PERIOD_END" | undefined;
  readonly at?: string | undefined;
}

const selection = `{ id status currency anchor { day month weekday } startedAt trialEnd endsAt timeZone
  customer { key } planVersion { planKey version } period { start end } nextBoundary
  schedule { from to phase interval planVersion { planKey version } } quantities { price from quantity }
  addOns { id key from to quantity } coupons { key from to } }`;

/** Subscriptions, and what changes them. */
export class Subscriptions {
  readonly #graphql: GraphQL;

  constructor(graphql: GraphQL) {
    this.#graphql = graphql;
  }

  /** Oldest first, page by page; of one customer, by id or key, when given. */
  list(filter: { customer?: string } = {}): AsyncGenerator<Subscription, void, void> {
    return nodesOf(
      this.#graphql,
      `query ($customer: String, $after: String) { connection: subscriptions(first: 25, after: $after, customer: $customer) { nodes ${selection} ${pageInfo} } }`,
      { customer: filter.customer ?? null },
    );
  }

  async find(id: string): Promise<Subscription | null> {
    const answer = await this.#graphql.run<{ subscription: Subscription | null }>(
      `query ($id: ID!) { subscription(id: $id) ${selection} }`,
      { id },
    );
    return answer.subscription;
  }

  create(input: NewSubscription, options: Repeatable = {}): Promise<Subscription> {
    const args = {
      customer: ["String!", input.customer],
      plan: ["String!", input.plan],
      start: ["Instant", input.start],
      anchor: ["BillingAnchorKind", input.anchor],
      anchorDay: ["Int", input.anchorDay],
      currency: ["String", input.currency],
      trialDays: ["Int", input.trialDays],
      quantities: quantitiesOf(input.quantities),
      overrides: overridesOf(input.overrides),
      coupons: ["[String!]", input.coupons],
    } as const;
    return this.#graphql.mutate("createSubscription", args, selection, options);
  }

  changePlan(
    subscription: string,
    change: ChangeTime & {
      readonly plan: string;
      readonly quantities?: Quantities | undefined;
      readonly overrides?: Overrides | undefined;
    },
    options: Repeatable = {},
  ): Promise<Subscription> {
    const { plan, quantities, overrides } = change;
    const args = {
      plan: ["String!", plan],
      quantities: quantitiesOf(quantities),
      overrides: overridesOf(overrides),
    } as const;
    return this.#change("changePlan", subscription, { ...args, ...timeOf(change) }, options);
  }

  setQuantity(
    subscription: string,
    change: ChangeTime & { readonly price: string; readonly quantity: string },
    options: Repeatable = {},
  ): Promise<Subscription> {
    const { price, quantity } = change;
    const args = { price: ["String!", price], quantity: ["Decimal!", quantity] } as const;
    return this.#change("setQuantity", subscription, { ...args, ...timeOf(change) }, options);
  }

  attachAddOn(
    subscription: string,
    change: ChangeTime & {
      readonly addOn: string;
      readonly quantity?: string | undefined;
      /** Any instant of its last day. */
      readonly until?: string | undefined;
    },
    options: Repeatable = {},
  ): Promise<Subscription> {
    const args = {
      addOn: ["String!", change.addOn],
      quantity: ["Decimal", change.quantity],
      until: ["Instant", change.until],
    } as const;
    return this.#change("attachAddOn", subscription, { ...args, ...timeOf(change) }, options);
  }

  /** @param change.addOn  the id that it has on the subscription: sao_… */
  detachAddOn(
    subscription: string,
    change: ChangeTime & { readonly addOn: string },
    options: Repeatable = {},
  ): Promise<Subscription> {
    const args = { addOn: ["ID!", change.addOn], ...timeOf(change) } as const;
    return this.#change("detachAddOn", subscription, args, options);
  }

  redeemCoupon(subscription: string, coupon: string, options: Repeatable = {}): Promise<Subscription> {
    return this.#change("redeemCoupon", subscription, { coupon: ["String!", coupon] }, options);
  }

  removeCoupon(subscription: string, coupon: string, options: Repeatable = {}): Promise<Subscription> {
    return this.#change("removeCoupon", subscription, { coupon: ["String!", coupon] }, options);
  }

  /** The last day is included. */
  cancel(subscription: string, time: ChangeTime = {}, options: Repeatable = {}): Promise<Subscription> {
    return this.#change("cancelSubscription", subscription, timeOf(time), options);
  }

  uncancel(subscription: string, options: Repeatable = {}): Promise<Subscription> {
    return this.#change("uncancelSubscription", subscription, {}, options);
  }

  #change(
    field: string,
    subscription: string,
    args: Readonly<Record<string, MutationArgument>>,
    options: Repeatable,
  ): Promise<Subscription> {
    return this.#graphql.mutate(field, { subscription: ["ID!", subscription], ...args }, selection, options);
  }
}

function timeOf({ when, at }: ChangeTime) {
  return { when: ["ChangeTime", when], at: ["Instant", at] } as const;
}

function quantitiesOf(quantities: Quantities | undefined): MutationArgument {
  const list = quantities === undefined ? undefined : Object.entries(quantities);
  return ["[LicensedQuantityInput!]", list?.map(([price, quantity]) => ({ price, quantity }))];
}

function overridesOf(overrides: Overrides | undefined): MutationArgument {
  const list = overrides === undefined ? undefined : Object.entries(overrides);
  return ["[PriceOverrideInput!]", list?.map(([price, model]) => ({ price, model }))];
}

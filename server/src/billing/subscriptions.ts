import { recordAudit, runOnce } from "../audit/index.js";
import type { Coupon, PlanVersion } from "../catalog/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { newId, type CouponId, type CustomerId, type OrganizationId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { CatalogPort } from "./catalog-port.js";
import { checkNewSubscription, checkOverrides } from "./check-subscription.js";
import { billingPeriodAt, redeemCoupon, startSubscription, type Period } from "./core/index.js";
import type { Customer } from "./customer.js";
import { mustFindCustomer, refuseErased } from "./find-customer.js";
import { mustFindSubscription } from "./find-subscription.js";
import { describeSubscription } from "./describe-subscription.js";
import { takeRedemption } from "./redemption.js";
import { saveSubscription } from "./store/save-subscription.js";
import { listSubscriptionChanges, type SubscriptionChange } from "./store/subscription-changes.js";
import { findSubscription, listSubscriptions, readSubscriptions } from "./store/subscriptions.js";
import { mustChange } from "./subscription-refusal.js";
import type { NewSubscription, Subscription } from "./subscription.js";

/** Told of every new and every changed subscription in the transaction of the change, so that its next wake is set. */
export type SubscriptionChanged = (
  sql: Sql,
  organization: OrganizationId,
  subscription: Subscription,
) => Promise<void>;

export interface SubscriptionsDependencies {
  readonly postgres: Postgres;
  readonly catalog: CatalogPort;
  readonly clock: Clock;
  readonly clocks: Clocks;
  readonly subscriptionChanged?: SubscriptionChanged;
}

/** Subscriptions: customers on plans over time. Every change is audited. */
export class Subscriptions {
  readonly #on: SubscriptionsDependencies;

  constructor(dependencies: SubscriptionsDependencies) {
    this.#on = dependencies;
  }

  async list(
    organization: OrganizationId,
    page: { customer?: CustomerId; after?: string; limit: number },
  ): Promise<Subscription[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listSubscriptions(sql, page));
  }

  async find(organization: OrganizationId, id: string): Promise<Subscription | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findSubscription(sql, id));
  }

  /** @throws Refusal 404 */
  async get(organization: OrganizationId, id: string): Promise<Subscription> {
    return this.#on.postgres.inOrganization(organization, (sql) => mustFindSubscription(sql, id));
  }

  /** Those of these ids, in no particular order; unknown ones are left out. */
  async getMany(organization: OrganizationId, ids: readonly string[]): Promise<Subscription[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => readSubscriptions(sql, ids));
  }

  /** What was changed, by whom, newest first. */
  async changesOf(
    organization: OrganizationId,
    subscription: Subscription,
    page: { before?: number; limit: number },
  ): Promise<SubscriptionChange[]> {
    return this.#on.postgres.inOrganization(organization, (sql) =>
      listSubscriptionChanges(sql, subscription.id, page),
    );
  }

  /**
   * Puts a customer on a plan from the beginning of a local day: on the version in force then, or on one named by its id.
   * @throws Refusal 404 for an unknown customer, plan or coupon, 400 for what is not valid, 409 when the customer is
   *         billed in another currency
   */
  async create(caller: Caller, input: NewSubscription, idempotencyKey?: string): Promise<Subscription> {
    const { organization } = caller;
    const { anchor } = checkNewSubscription(input);
    const start = input.start ?? this.#on.clocks.of(organization).now();
    const plan = await this.#on.catalog.versionAt(organization, input.plan, start);
    await checkOverrides(this.#on.catalog, organization, plan, input.overrides ?? {});
    const coupons: Coupon[] = [];
    for (const idOrKey of new Set(input.coupons ?? []))
      coupons.push(await this.#on.catalog.coupon(organization, idOrKey));
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "subscription.create", input };
      const id = await runOnce(sql, request, async () => {
        const customer = await mustFindCustomer(sql, input.customer);
        refuseErased(customer);
        const payer = customer.payer === undefined ? customer : await mustFindCustomer(sql, customer.payer);
        const currency = currencyOf(input, plan, [customer, payer]);
        const at = this.#on.clock.now();
        const now = this.#on.clocks.of(organization).now();
        let subscription = mustChange(
          startSubscription(
            {
              id: newId("sub", at),
              customer: customer.id,
              payer: payer.id,
              plan,
              currency,
              timeZone: payer.timeZone,
              start,
              anchor,
              ...(input.trialDays === undefined ? {} : { trialDays: input.trialDays }),
              ...(input.quantities === undefined ? {} : { quantities: input.quantities }),
              ...(input.overrides === undefined ? {} : { overrides: input.overrides }),
            },
            now,
          ),
        );
        const redeemed: CouponId[] = [];
        for (const coupon of coupons) {
          await takeRedemption(sql, organization, coupon, subscription.currency, now);
          subscription = mustChange(redeemCoupon(subscription, coupon, subscription.startedAt, undefined));
          redeemed.push(coupon.id);
        }
        await saveSubscription(sql, organization, undefined, subscription, {
          revision: 1,
          action: "create",
          effectiveAt: subscription.startedAt,
          details: { planVersion: plan.id, coupons: redeemed },
          actor: caller.key,
          recordedAt: at,
        });
        await this.#on.subscriptionChanged?.(sql, organization, subscription);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "subscription.create",
          target: subscription.id,
          before: undefined,
          after: describeSubscription(subscription),
          at,
        });
        return subscription.id;
      });
      return mustFindSubscription(sql, id);
    });
  }
}

/** The one asked for, or the customer's, or its payer's, or the plan's. @throws Refusal 409 when they do not agree */
function currencyOf(
  input: NewSubscription,
  plan: PlanVersion,
  customers: readonly [Customer, Customer],
): Subscription["currency"] {
  const [customer, payer] = customers;
  const wanted = (input.currency ??
    customer.currency ??
    payer.currency ??
    plan.currency) as Subscription["currency"];
  for (const who of customers) {
    if (who.currency === undefined || who.currency === wanted) continue;
    const detail = `Customer "${who.key}" is billed in ${who.currency}, the subscription would be in ${wanted}.`;
    const currencies = { customer: who.currency, subscription: wanted };
    throw new Refusal(
      makeProblem("currency-mismatch", 409, "The customer is billed in another currency", detail, {
        currencies,
      }),
    );
  }
  return wanted;
}

/** The billing period that holds an instant. @throws Refusal 409 before the subscription begins, and from its end on */
export function mustFindPeriod(subscription: Subscription, at: Instant): Period {
  const period = billingPeriodAt(subscription, at);
  if (period !== undefined) return period;
  const startedAt = formatInstant(subscription.startedAt);
  const endsAt = subscription.endsAt === undefined ? undefined : formatInstant(subscription.endsAt);
  const detail = `The subscription begins at ${startedAt}${endsAt === undefined ? "" : ` and ends at ${endsAt}`}; ${formatInstant(at)} is outside.`;
  throw new Refusal(
    makeProblem("not-subscribed-then", 409, "The subscription does not run then", detail, {
      startedAt,
      endsAt: endsAt ?? null,
    }),
  );
}

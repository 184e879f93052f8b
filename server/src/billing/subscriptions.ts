import { recordAudit, runOnce } from "../audit/index.js";
import type { Catalog } from "../catalog/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import { newId, parseId, type CustomerId, type OrganizationId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { coveredPart, servicePeriodAt, subscriptionStart, type Period } from "./core/index.js";
import { mustFindCustomer } from "./customers.js";
import { findSubscription, insertSubscription, listSubscriptions } from "./store/subscriptions.js";
import type { NewSubscription, Subscription } from "./subscription.js";

export interface SubscriptionsDependencies {
  readonly postgres: Postgres;
  readonly catalog: Catalog;
  readonly clock: Clock;
}

/** Subscriptions: customers on plan versions. Every change is audited. */
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

  /**
   * Puts a customer on a plan's current version, or on a version named by its id, from the beginning of a local day.
   * @throws Refusal 404 for an unknown customer or plan, 400 for a bad anchor, 409 when the customer is billed in
   *         another currency
   */
  async create(caller: Caller, input: NewSubscription, idempotencyKey?: string): Promise<Subscription> {
    const { organization } = caller;
    const anchorDay = input.anchorDay ?? 1;
    if (!Number.isInteger(anchorDay) || anchorDay < 1 || anchorDay > 31) {
      const errors = [{ field: "anchorDay", message: "a day of the month, 1 to 31" }];
      const detail = `anchorDay: ${anchorDay} is no day of the month; give 1 to 31, or leave it out for calendar months.`;
      throw new Refusal(
        makeProblem("invalid-subscription", 400, "The subscription is not valid", detail, { errors }),
      );
    }
    const versionId = parseId("plv", input.plan);
    const version =
      versionId === undefined
        ? await this.#on.catalog.getVersionInForce(organization, input.plan, this.#on.clock.now())
        : await this.#on.catalog.getVersion(organization, versionId);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "subscription.create", input };
      const id = await runOnce(sql, request, async () => {
        const customer = await mustFindCustomer(sql, input.customer);
        if (customer.currency !== undefined && customer.currency !== version.currency) {
          const detail = `Customer "${customer.key}" is billed in ${customer.currency}, plan "${version.planKey}" is in ${version.currency}.`;
          const currencies = { customer: customer.currency, plan: version.currency };
          throw new Refusal(
            makeProblem("currency-mismatch", 409, "The plan is in another currency", detail, { currencies }),
          );
        }
        const at = this.#on.clock.now();
        const subscription: Subscription = {
          id: newId("sub", at),
          customer: customer.id,
          planVersion: version.id,
          startedAt: subscriptionStart(input.start ?? at, customer.timeZone),
          anchor: { day: anchorDay },
          timeZone: customer.timeZone,
          createdAt: at,
        };
        await insertSubscription(sql, organization, subscription);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "subscription.create",
          target: subscription.id,
          before: undefined,
          after: {
            ...subscription,
            startedAt: formatInstant(subscription.startedAt),
            createdAt: formatInstant(at),
          },
          at,
        });
        return subscription.id;
      });
      return mustFindSubscription(sql, id);
    });
  }
}

/** @throws Refusal 404 */
async function mustFindSubscription(sql: Sql, id: string): Promise<Subscription> {
  const found = await findSubscription(sql, id);
  if (found !== undefined) return found;
  throw new Refusal(
    makeProblem("subscription-not-found", 404, "No such subscription", `There is no subscription "${id}".`),
  );
}

/** @throws Refusal 409 before the subscription begins */
export function mustFindPeriod(subscription: Subscription, at: Instant): Period {
  const full = servicePeriodAt(subscription, "month", at);
  const period = full === undefined ? undefined : coveredPart(subscription, full);
  if (period !== undefined) return period;
  const startedAt = formatInstant(subscription.startedAt);
  const detail = `The subscription begins at ${startedAt}; ${formatInstant(at)} is before that.`;
  throw new Refusal(
    makeProblem("not-subscribed-then", 409, "The subscription has not begun", detail, { startedAt }),
  );
}

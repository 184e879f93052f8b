import type { Postgres, Sql } from "../../engines/postgres/index.js";
import type { CustomerId, OrganizationId, SubscriptionId } from "../../kernel/ids.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { TaxTable } from "../../tax/core/index.js";
import type { TaxPort } from "../../tax/index.js";
import type { SubjectSpan, Subscription } from "../core/index.js";
import type { Customer } from "../customer.js";
import { readProgress, type Progress } from "../store/billing-progress.js";
import { listSpansOf } from "../store/customer-subjects.js";
import { readCustomers } from "../store/customers.js";
import { readSubscriptions } from "../store/subscriptions.js";

/** What invoices of some subscriptions are computed from, besides the catalog, usage and what was billed. */
export interface Situation {
  readonly subscriptions: ReadonlyMap<SubscriptionId, Subscription>;
  readonly progress: ReadonlyMap<SubscriptionId, Progress>;
  /** The subscriptions' own, and who pays for them. */
  readonly customers: ReadonlyMap<CustomerId, Customer>;
  readonly spans: ReadonlyMap<CustomerId, readonly SubjectSpan[]>;
  readonly tax: TaxTable;
}

/** Subscriptions, as they were at their progress or later: what changed since counts it up. */
export interface KnownSubscriptions {
  readonly progress: ReadonlyMap<SubscriptionId, Progress>;
  readonly subscriptions: ReadonlyMap<SubscriptionId, Subscription>;
}

export const none_known: KnownSubscriptions = { progress: new Map(), subscriptions: new Map() };

/** Those of these that are unknown are left out. @param isWanted  by progress */
export async function readKnown(
  sql: Sql,
  ids: readonly SubscriptionId[],
  isWanted: (progress: Progress | undefined) => boolean = () => true,
): Promise<KnownSubscriptions> {
  // Before all that depends on it: what changes in between counts it up, and is noticed when the invoice is written.
  const progress = await readProgress(sql, ids);
  const subscriptions = await readSubscriptions(
    sql,
    ids.filter((id) => isWanted(progress.get(id))),
  );
  return { progress, subscriptions: new Map(subscriptions.map((one) => [one.id, one])) };
}

/**
 * @param known  what was read of some of the subscriptions already
 * @throws Refusal 404 for an unknown subscription
 */
export async function readSituation(
  on: { readonly postgres: Postgres; readonly tax: TaxPort },
  organization: OrganizationId,
  sections: readonly { readonly subscription: SubscriptionId }[],
  known: KnownSubscriptions,
): Promise<Situation> {
  const ids = [...new Set(sections.map(({ subscription }) => subscription))];
  return on.postgres.inOrganization(organization, async (sql) => {
    const missing = ids.filter((id) => !known.subscriptions.has(id));
    const more = missing.length === 0 ? none_known : await readKnown(sql, missing);
    const subscriptions = new Map(
      ids.map((id) => {
        const subscription = known.subscriptions.get(id) ?? more.subscriptions.get(id);
        if (subscription !== undefined) return [id, subscription];
        const detail = `There is no subscription "${id}".`;
        throw new Refusal(makeProblem("subscription-not-found", 404, "No such subscription", detail));
      }),
    );
    const customerIds = [
      ...new Set([...subscriptions.values()].flatMap(({ customer, payer }) => [customer, payer])),
    ];
    const customers = await readCustomers(sql, customerIds);
    const spans = new Map<CustomerId, SubjectSpan[]>();
    for (const { customer, ...span } of await listSpansOf(sql, customerIds)) {
      const own = spans.get(customer);
      if (own === undefined) spans.set(customer, [span]);
      else own.push(span);
    }
    return {
      subscriptions,
      progress: new Map([...more.progress, ...known.progress]),
      customers: new Map(customers.map((one) => [one.id, one])),
      spans,
      tax: await on.tax.tableOf(sql, organization),
    };
  });
}

import type { Postgres } from "../../engines/postgres/index.js";
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

/** @throws Refusal 404 for an unknown subscription */
export async function readSituation(
  on: { readonly postgres: Postgres; readonly tax: TaxPort },
  organization: OrganizationId,
  sections: readonly { readonly subscription: SubscriptionId }[],
): Promise<Situation> {
  const ids = [...new Set(sections.map(({ subscription }) => subscription))];
  return on.postgres.inOrganization(organization, async (sql) => {
    // Before all that depends on it: what changes in between counts it up, and is noticed when the invoice is written.
    const progress = await readProgress(sql, ids);
    const subscriptions = await readSubscriptions(sql, ids);
    if (subscriptions.length < ids.length) {
      const known = new Set(subscriptions.map(({ id }) => id));
      const unknown = ids.find((id) => !known.has(id)) ?? "";
      const detail = `There is no subscription "${unknown}".`;
      throw new Refusal(makeProblem("subscription-not-found", 404, "No such subscription", detail));
    }
    const customerIds = [...new Set(subscriptions.flatMap(({ customer, payer }) => [customer, payer]))];
    const customers = await readCustomers(sql, customerIds);
    const spans = new Map<CustomerId, SubjectSpan[]>();
    for (const { customer, ...span } of await listSpansOf(sql, customerIds)) {
      const known = spans.get(customer);
      if (known === undefined) spans.set(customer, [span]);
      else known.push(span);
    }
    return {
      subscriptions: new Map(subscriptions.map((one) => [one.id, one])),
      progress,
      customers: new Map(customers.map((one) => [one.id, one])),
      spans,
      tax: await on.tax.tableOf(sql, organization),
    };
  });
}

import type { Sql } from "../../engines/postgres/index.js";
import type { InvoiceId, SubscriptionId } from "../../kernel/ids.js";
import { hour, type Instant } from "../../kernel/instant.js";
import type { Subscription } from "../core/index.js";
import { findPayersOfOthers } from "../store/customers.js";
import { findSections, sectionsOf } from "../store/invoice-sections.js";
import { findOpenDrafts, readStandingDrafts } from "../store/invoices.js";
import { readSubscriptions } from "../store/subscriptions.js";
import type { InvoiceOrder, OrderedSection } from "./invoice-order.js";
import { none_known, type KnownSubscriptions } from "./situation.js";

/**
 * A period's invoice of a payer of others waits for at least this long: their sections come in runs of their own, at the
 * same boundary, and are to stand on one invoice with no grace too.
 */
const consolidation_wait = hour;

/**
 * Puts sections on invoices: what stands as a draft is computed anew; what falls due together for one payer stands on one
 * invoice; what is on a finalized invoice, and subscriptions that are unknown, are left out.
 *
 * @param known  what was read of some of the subscriptions already
 */
export async function orderInvoices(
  sql: Sql,
  sections: readonly OrderedSection[],
  known: KnownSubscriptions = none_known,
): Promise<InvoiceOrder[]> {
  if (sections.length === 0) return [];
  const standing = await findSections(sql, sections);
  const isStanding = new Set(standing.map(placeOf));
  const fresh = sections.filter((section) => !isStanding.has(placeOf(section)));
  const missing = fresh.flatMap(({ subscription: id }) => (known.subscriptions.has(id) ? [] : [id]));
  const more = await readSubscriptions(sql, missing);
  const byId = new Map([...known.subscriptions, ...more.map((one) => [one.id, one] as const)]);
  const groups = new Map<string, { place: Together; sections: OrderedSection[] }>();
  for (const section of fresh) {
    const subscription = byId.get(section.subscription);
    if (subscription === undefined) continue;
    const place = togetherOf(section, subscription);
    const group = groups.get(keyOf(place));
    if (group === undefined) groups.set(keyOf(place), { place, sections: [section] });
    else group.sections.push(section);
  }
  const open = await findOpenDrafts(
    sql,
    [...groups.values()].map(({ place }) => place),
  );
  const paying = await findPayersOfOthers(
    sql,
    [...groups.values()].map(({ place }) => place.customer),
  );
  const draftOf = new Map(open.toReversed().map((draft) => [keyOf(draft), draft.id]));
  const drafts = new Set(standing.flatMap(({ status, invoice }) => (status === "draft" ? [invoice] : [])));
  const joined = new Map<InvoiceId, OrderedSection[]>();
  const orders: InvoiceOrder[] = [];
  for (const [key, group] of groups) {
    const draft = draftOf.get(key);
    if (draft === undefined) {
      const { customer, kind, boundary } = group.place;
      const waits = kind === "period" && paying.has(customer);
      const issueNotBefore = (boundary + consolidation_wait) as Instant;
      orders.push({ draft: undefined, ...(waits ? { issueNotBefore } : {}), sections: group.sections });
      continue;
    }
    drafts.add(draft);
    joined.set(draft, group.sections);
  }
  for (const order of await ordersOfDrafts(sql, [...drafts])) {
    const joining = order.draft === undefined ? [] : (joined.get(order.draft.id) ?? []);
    orders.push({ ...order, sections: [...order.sections, ...joining] });
  }
  return orders;
}

/** Of those that are drafts still: each with the sections that it has. */
export async function ordersOfDrafts(sql: Sql, ids: readonly InvoiceId[]): Promise<InvoiceOrder[]> {
  if (ids.length === 0) return [];
  const drafts = await readStandingDrafts(sql, ids);
  const sections = await sectionsOf(
    sql,
    drafts.map(({ id }) => id),
  );
  return drafts.map((draft) => ({
    draft,
    sections: sections
      .filter(({ invoice }) => invoice === draft.id)
      .map(({ subscription, kind, period }) => ({ subscription, kind, period })),
  }));
}

/** Batches of drafts in which no subscription is twice, the earlier first: each subtracts what the one before billed. */
export function inTurns(orders: readonly InvoiceOrder[]): InvoiceId[][] {
  const endOf = ({ sections }: InvoiceOrder) => Math.max(...sections.map(({ period }) => period.end));
  const batches: { ids: InvoiceId[]; subscriptions: Set<SubscriptionId> }[] = [];
  for (const order of orders.toSorted((one, other) => endOf(one) - endOf(other))) {
    const own = order.sections.map(({ subscription }) => subscription);
    const last = batches.findLastIndex((batch) => own.some((id) => batch.subscriptions.has(id)));
    const batch = batches[last + 1] ?? { ids: [], subscriptions: new Set<SubscriptionId>() };
    if (batches[last + 1] === undefined) batches.push(batch);
    if (order.draft !== undefined) batch.ids.push(order.draft.id);
    for (const id of own) batch.subscriptions.add(id);
  }
  return batches.map((batch) => batch.ids);
}

/** What sections have in common that stand on one invoice. */
type Together = Parameters<typeof findOpenDrafts>[1][number];

function togetherOf({ kind, period }: OrderedSection, { payer, currency }: Subscription): Together {
  return { customer: payer, currency, kind, boundary: period.end };
}

function keyOf({ customer, currency, kind, boundary }: Together): string {
  return `${customer} ${currency} ${kind} ${boundary}`;
}

function placeOf({ subscription, kind, period }: OrderedSection): string {
  return `${subscription} ${kind} ${period.start}`;
}

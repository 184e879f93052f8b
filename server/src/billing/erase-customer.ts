import type { Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import { newId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Customer } from "./customer.js";
import { mustFindCustomer } from "./find-customer.js";
import { listSpans, replaceSubject, lockSubject } from "./store/customer-subjects.js";
import { lockCustomers, updateCustomer } from "./store/customers.js";
import type { InvoicedUntil } from "./store/invoiced-until.js";
import { listSubscriptions } from "./store/subscriptions.js";

export interface Erasure {
  /** Id or key. */
  readonly customer: string;
  /** The customer's key, once more: this cannot be undone. */
  readonly confirm: string;
  /** Those of its subjects that are personal themselves, such as an e-mail address. */
  readonly subjects?: readonly string[];
}

export interface Erased {
  readonly customer: Customer;
  readonly subjectsErased: number;
  /** Subjects that stay, being the keys that usage is found by. */
  readonly subjectsKept: readonly string[];
}

/** Told which customer was erased, in that transaction, so that no other domain keeps its personal data. */
export type CustomerErased = (sql: Sql, customer: Customer["id"]) => Promise<void>;

const subjects_named_max = 1000;
const subscriptions_max = 10_000;

/**
 * Replaces a customer's personal data in its transaction.
 *
 * A subject is the key under which usage came in and lies in the stream book; an invoice's line is explained through it.
 * So subjects stay, unless they are named: then a random name takes their place here and the spans end, once every
 * subscription of the customer has ended and is invoiced to its end.
 */
export async function eraseCustomer(
  sql: Sql,
  on: { readonly invoicedUntil: InvoicedUntil; readonly customerErased?: CustomerErased | undefined },
  caller: Caller,
  input: Erasure,
  now: Instant,
): Promise<{ before: Customer; after: Customer; subjectsErased: number; subjectsKept: readonly string[] }> {
  const { id } = await mustFindCustomer(sql, input.customer);
  await lockCustomers(sql, [id]);
  const before = await mustFindCustomer(sql, id);
  if (input.confirm !== before.key) {
    const detail = `Erasing cannot be undone. To confirm, repeat the customer's key: "${before.key}".`;
    throw new Refusal(makeProblem("erasure-not-confirmed", 400, "The erasure is not confirmed", detail));
  }
  const named = new Set(input.subjects ?? []);
  const subjects = new Set((await listSpans(sql, id)).map((span) => span.subject));
  const foreign = [...named].filter((subject) => !subjects.has(subject));
  if (foreign.length > 0 || named.size > subjects_named_max) {
    const detail = `Name at most ${subjects_named_max} subjects, all of them the customer's; not its own: ${foreign.slice(0, 5).join(", ")}.`;
    throw new Refusal(makeProblem("invalid-subject", 400, "A subject is not the customer's", detail));
  }
  if (named.size > 0) await refuseWhileNeeded(sql, on.invoicedUntil, id);

  // A random UUID in the id, so nothing of the old key can be told from the new one.
  const after: Customer = {
    ...before,
    key: `erased-${id.slice(id.indexOf("_") + 1)}`,
    name: "erased",
    email: undefined,
    address: undefined,
    taxId: undefined,
    locale: undefined,
    electronicAddress: undefined,
    registrationNumber: undefined,
    buyerReference: undefined,
    erasedAt: before.erasedAt ?? now,
  };
  await updateCustomer(sql, after);
  await on.customerErased?.(sql, id);
  for (const subject of named) {
    await lockSubject(sql, caller.organization, subject);
    await replaceSubject(sql, id, subject, `erased-${newId("req", now).slice(4)}`, now);
  }
  const subjectsKept = [...subjects].filter((subject) => !named.has(subject)).sort();
  return { before, after, subjectsErased: named.size, subjectsKept };
}

/** @throws Refusal 409 while usage of the customer's subjects may still be billed */
async function refuseWhileNeeded(
  sql: Sql,
  invoicedUntil: InvoicedUntil,
  customer: Customer["id"],
): Promise<void> {
  for (const subscription of await listSubscriptions(sql, { customer, limit: subscriptions_max })) {
    const until = await invoicedUntil(sql, { customer, subscription: subscription.id });
    const { endsAt } = subscription;
    if (
      endsAt !== undefined &&
      (endsAt === subscription.startedAt || (until !== undefined && until >= endsAt))
    )
      continue;
    const state = endsAt === undefined ? "runs" : `is not invoiced up to its end at ${formatInstant(endsAt)}`;
    const detail = `Subscription ${subscription.id} ${state}, so usage under the customer's subjects is still to be billed. End it and wait for its last invoice, or erase the customer without its subjects now.`;
    throw new Refusal(makeProblem("subjects-needed", 409, "The subjects are still needed", detail));
  }
}

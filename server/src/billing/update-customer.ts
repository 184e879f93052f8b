import type { Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import type { Instant } from "../kernel/instant.js";
import { checkCustomer } from "./check-customer.js";
import type { Customer, CustomerUpdate, NewCustomer } from "./customer.js";
import { mustFindCustomer, refuseErased } from "./find-customer.js";
import { moveSubscriptions, moved_subscriptions_max } from "./move-subscriptions.js";
import { checkCurrencyChange, findPayer } from "./payer.js";
import { lockCustomers, updateCustomer } from "./store/customers.js";
import { listRunningOfCustomer, listRunningOfPayer } from "./store/subscriptions.js";
import type { SubscriptionChanged } from "./subscriptions.js";

/** Changes a customer in its transaction, and its subscriptions' zones with it. @throws Refusal */
export async function changeCustomer(
  sql: Sql,
  on: { readonly clock: Clock; readonly subscriptionChanged?: SubscriptionChanged },
  caller: Caller,
  input: CustomerUpdate,
  now: Instant,
): Promise<{ before: Customer; after: Customer }> {
  const { id } = await mustFindCustomer(sql, input.customer);
  await lockCustomers(sql, [id]);
  const before = await mustFindCustomer(sql, id);
  refuseErased(before);
  const checked = checkCustomer(merged(before, input));
  const payer =
    input.payer === undefined
      ? before.payer
      : input.payer === null
        ? undefined
        : (await findPayer(sql, input.payer, { ...checked, id }, now)).id;
  const after: Customer = { ...before, ...checked, payer };
  if (after.currency !== before.currency) await checkCurrencyChange(sql, after, now);
  await updateCustomer(sql, after);

  const limit = moved_subscriptions_max + 1;
  if (after.payer !== before.payer) {
    const timeZone =
      after.payer === undefined ? after.timeZone : (await mustFindCustomer(sql, after.payer)).timeZone;
    await moveSubscriptions(sql, on, caller, await listRunningOfCustomer(sql, id, now, limit), timeZone, now);
  } else if (after.timeZone !== before.timeZone) {
    const running = await listRunningOfPayer(sql, id, now, limit);
    await moveSubscriptions(sql, on, caller, running, after.timeZone, now);
  }
  return { before, after };
}

/** The customer as it would be created anew. */
function merged(before: Customer, input: CustomerUpdate): NewCustomer {
  const { currency, email, address, taxId, locale } = before;
  const { electronicAddress, registrationNumber, buyerReference } = before;
  const kept = {
    key: before.key,
    name: before.name,
    timeZone: before.timeZone,
    taxExempt: before.taxExempt,
    paymentTermsDays: before.paymentTermsDays,
    ...given({ currency, email, address, taxId, locale }),
    ...given({ electronicAddress, registrationNumber, buyerReference }),
  };
  const { customer: _customer, payer: _payer, ...changes } = input;
  const wanted = Object.entries({ ...kept, ...given(changes) }).filter(([, value]) => value !== null);
  return Object.fromEntries(wanted) as unknown as NewCustomer;
}

function given(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

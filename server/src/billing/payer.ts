import type { Sql } from "../engines/postgres/index.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Customer } from "./customer.js";
import { countPaidFor, findCustomer, listCustomers, lockCustomers } from "./store/customers.js";
import { listRunningCurrencies } from "./store/subscriptions.js";

/** How many customers one may pay for. */
export const paid_for_max = 1000;

/**
 * The customer that is to pay for another, held until the transaction ends: one of the same organization, who pays for
 * itself. There are no chains and no cycles (the table's own foreign key refuses them too).
 * @throws Refusal 404, 400, 409
 */
export async function findPayer(
  sql: Sql,
  idOrKey: string,
  customer: Pick<Customer, "id" | "key" | "currency">,
  now: Instant,
): Promise<Customer> {
  const found = await findCustomer(sql, idOrKey);
  if (found === undefined)
    throw refuse(
      404,
      "payer-not-found",
      "No such payer",
      `There is no customer with the id or key "${idOrKey}".`,
    );
  if (found.id === customer.id)
    throw refuse(400, "invalid-payer", "A customer needs no payer to pay for itself", "Leave the payer out.");
  await lockCustomers(sql, [found.id, customer.id]);
  const payer = (await findCustomer(sql, found.id)) ?? found;
  if (payer.erasedAt !== undefined)
    throw refuse(
      409,
      "customer-erased",
      "The payer was erased",
      `"${payer.key}" cannot pay for anyone any more.`,
    );
  if (payer.payer !== undefined)
    throw refuse(
      409,
      "payer-has-payer",
      "The payer has a payer itself",
      `"${payer.key}" is paid for by ${payer.payer}. Name that one, or take its payer away first.`,
    );
  if ((await countPaidFor(sql, customer.id)) > 0)
    throw refuse(
      409,
      "payer-has-payer",
      "The customer pays for others",
      `"${customer.key}" pays for other customers, so it pays for itself too. Give those another payer first.`,
    );
  if ((await countPaidFor(sql, payer.id)) >= paid_for_max)
    throw refuse(
      409,
      "too-many",
      "The payer pays for too many",
      `"${payer.key}" pays for ${paid_for_max} customers, which is the most.`,
    );
  const running = await listRunningCurrencies(sql, [customer.id], now);
  const currencies = [
    ...new Set([...(customer.currency === undefined ? [] : [customer.currency]), ...running]),
  ];
  const other = currencies.find((currency) => payer.currency !== undefined && currency !== payer.currency);
  if (other !== undefined)
    throw refuse(
      409,
      "currency-mismatch",
      "The payer is billed in another currency",
      `"${payer.key}" is billed in ${payer.currency}, "${customer.key}" in ${other}.`,
    );
  return payer;
}

/**
 * That a customer can be billed in a currency alone: with its subscriptions, its payer, and those that it pays for.
 * @throws Refusal 409
 */
export async function checkCurrencyChange(sql: Sql, customer: Customer, now: Instant): Promise<void> {
  const { currency } = customer;
  if (currency === undefined) return;
  const paidFor = await listCustomers(sql, { payer: customer.id, limit: paid_for_max });
  const payer = customer.payer === undefined ? undefined : await findCustomer(sql, customer.payer);
  for (const other of [...paidFor, ...(payer === undefined ? [] : [payer])]) {
    if (other.currency === undefined || other.currency === currency) continue;
    throw refuse(
      409,
      "currency-mismatch",
      "Payer and customer are billed in one currency",
      `"${other.key}" is billed in ${other.currency}.`,
    );
  }
  const ids = [customer.id, ...paidFor.map((one) => one.id)];
  const running = (await listRunningCurrencies(sql, ids, now)).filter((one) => one !== currency);
  if (running.length > 0)
    throw refuse(
      409,
      "currency-mismatch",
      "Subscriptions run in another currency",
      `There are subscriptions in ${running.join(", ")}. End them first.`,
    );
}

function refuse(status: number, slug: string, title: string, detail: string): Refusal {
  return new Refusal(makeProblem(slug, status, title, detail));
}

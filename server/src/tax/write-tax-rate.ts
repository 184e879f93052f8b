import { recordAudit } from "../audit/index.js";
import type { Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import { newId, type TaxRateId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { checkEnd } from "./check-tax.js";
import type { OwnTaxRate } from "./core/index.js";
import { endTaxRate, insertTaxRate, lockTaxRate, type StoredTaxRate } from "./store/tax-rates.js";

/** What is done with tax rates inside a transaction, for single changes and for catalog files. */

/** An invoice run reads all of an organization's rates at once. */
export const tax_rates_max = 5_000;

/**
 * Adds a rate that was checked, without its end.
 * @throws Refusal 409 when another of its country, region and category begins that day
 */
export async function writeTaxRate(
  sql: Sql,
  caller: Caller,
  checked: Omit<OwnTaxRate, "id">,
  at: Instant,
): Promise<TaxRateId> {
  const { organization } = caller;
  const rate: StoredTaxRate = { ...checked, validTo: undefined, id: newId("txr", at), createdAt: at };
  if (!(await insertTaxRate(sql, organization, rate))) throw rateExists(rate);
  await recordAudit(sql, {
    organization,
    actor: caller,
    action: "tax_rate.add",
    target: rate.id,
    before: undefined,
    after: describeRate(rate),
    at,
  });
  return rate.id;
}

/**
 * Ends a rate with a last day; ending it again with the same changes nothing.
 * @throws Refusal 404; 400 for a bad day; 409 when it has ended with another
 */
export async function writeTaxRateEnd(
  sql: Sql,
  caller: Caller,
  { id, lastDay }: { readonly id: string; readonly lastDay: string },
  at: Instant,
): Promise<TaxRateId> {
  const rate = await mustLockRate(sql, id);
  checkEnd(lastDay, rate);
  if (rate.validTo === lastDay) return rate.id;
  if (rate.validTo !== undefined) throw rateEnded(rate);
  await endTaxRate(sql, rate.id, lastDay, at);
  await recordAudit(sql, {
    organization: caller.organization,
    actor: caller,
    action: "tax_rate.end",
    target: rate.id,
    before: describeRate(rate),
    after: describeRate({ ...rate, validTo: lastDay }),
    at,
  });
  return rate.id;
}

/** @throws Refusal 404 */
export async function mustLockRate(sql: Sql, id: string): Promise<StoredTaxRate> {
  const rate = await lockTaxRate(sql, id);
  if (rate !== undefined) return rate;
  const detail = `There is no tax rate "${id.slice(0, 64)}". weir tax rates list shows those there are.`;
  throw new Refusal(makeProblem("tax-rate-not-found", 404, "There is no such tax rate", detail));
}

function describeRate({ createdAt: _createdAt, ...rate }: StoredTaxRate): unknown {
  return { ...rate, percent: rate.percent.toString() };
}

function rateExists(rate: StoredTaxRate): Refusal {
  const place = rate.region === undefined ? rate.country : `${rate.country}-${rate.region}`;
  const detail = `Another rate for "${rate.category}" in ${place} begins on ${rate.validFrom}. Choose another day: a rate never changes, a later one takes its place.`;
  return new Refusal(makeProblem("tax-rate-exists", 409, "A rate begins on that day already", detail));
}

function rateEnded({ id, validTo }: StoredTaxRate): Refusal {
  const detail = `${id} ended on ${validTo ?? ""}. Add a rate for the time after it.`;
  return new Refusal(makeProblem("tax-rate-ended", 409, "The tax rate has ended already", detail));
}

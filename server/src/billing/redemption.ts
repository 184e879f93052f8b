import type { Coupon } from "../catalog/index.js";
import type { Sql } from "../engines/postgres/index.js";
import type { Currency } from "../kernel/currency.js";
import type { OrganizationId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { countRedemptions, lockCoupon } from "./store/redemptions.js";

/**
 * Checks that a coupon may be redeemed once more, and holds it until the transaction ends: of two that want the last
 * redemption at once, one gets it.
 * @throws Refusal 409 for a coupon that is over, used up, or without an amount in the currency
 */
export async function takeRedemption(
  sql: Sql,
  organization: OrganizationId,
  coupon: Coupon,
  currency: Currency,
  now: Instant,
): Promise<void> {
  const over = [coupon.expiresAt, coupon.archivedAt].find((at) => at !== undefined && at <= now);
  if (over !== undefined)
    throw refuse(
      "coupon-expired",
      "The coupon is over",
      `"${coupon.key}" is not redeemed since ${formatInstant(over)}.`,
    );
  if (coupon.off.kind === "amount" && !Object.hasOwn(coupon.off.amounts, currency)) {
    const known = Object.keys(coupon.off.amounts).join(", ");
    throw refuse(
      "currency-mismatch",
      "The coupon has no amount in that currency",
      `"${coupon.key}" has amounts in ${known}, not in ${currency}.`,
    );
  }
  await lockCoupon(sql, organization, coupon.id);
  if (coupon.redemptionsMax === undefined) return;
  const count = await countRedemptions(sql, coupon.id);
  if (count < coupon.redemptionsMax) return;
  throw refuse(
    "coupon-used-up",
    "The coupon is used up",
    `"${coupon.key}" was redeemed ${count} times, which is all.`,
  );
}

function refuse(slug: string, title: string, detail: string): Refusal {
  return new Refusal(makeProblem(slug, 409, title, detail));
}

import type { Sql } from "../../engines/postgres/index.js";
import type { CouponId, OrganizationId } from "../../kernel/ids.js";

/** Holds a coupon until the transaction ends. */
export async function lockCoupon(sql: Sql, organization: OrganizationId, coupon: CouponId): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${organization}::text || '/coupon/' || ${coupon}::text, 0))`;
}

/** How often a coupon is redeemed; a redemption that was removed before it began does not count. */
export async function countRedemptions(sql: Sql, coupon: CouponId): Promise<number> {
  const rows = await sql<{ count: string }[]>`
    SELECT count(*)::text AS count FROM subscription_coupons WHERE coupon = ${coupon} AND removed_in IS NULL`;
  return Number(rows[0]?.count ?? 0);
}

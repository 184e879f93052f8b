import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import { Decimal } from "../../kernel/decimal.js";
import type { CouponId, OrganizationId } from "../../kernel/ids.js";
import { instantFromMs, msOf, type Instant } from "../../kernel/instant.js";
import type { Coupon, CouponDuration, CouponScope } from "../core/index.js";
import { amountsFrom } from "./plan-terms.js";

/** Coupons by id, oldest first, after a coupon; archived ones when asked. */
export async function listCoupons(
  sql: Sql,
  page: { after?: string; limit: number; archived: boolean },
): Promise<Coupon[]> {
  const rows = await sql<CouponRow[]>`
    SELECT c.id, c.key, c.name, c.percent::text, c.amounts, c.duration, c.months, c.applies_to, c.redemptions_max,
           (extract(epoch FROM c.expires_at) * 1000000)::bigint::text AS expires_at, a.archived_at, c.created_at
    FROM coupons c LEFT JOIN coupon_archivals a ON a.organization = c.organization AND a.coupon = c.id
    WHERE c.id > ${page.after ?? ""} AND (${page.archived} OR a.coupon IS NULL) ORDER BY c.id LIMIT ${page.limit}`;
  return rows.map(couponFrom);
}

/** Coupons of these ids or keys. */
export async function findCoupons(sql: Sql, idsOrKeys: readonly string[]): Promise<Coupon[]> {
  const rows = await sql<CouponRow[]>`
    SELECT c.id, c.key, c.name, c.percent::text, c.amounts, c.duration, c.months, c.applies_to, c.redemptions_max,
           (extract(epoch FROM c.expires_at) * 1000000)::bigint::text AS expires_at, a.archived_at, c.created_at
    FROM coupons c LEFT JOIN coupon_archivals a ON a.organization = c.organization AND a.coupon = c.id
    WHERE c.id = ANY(${[...idsOrKeys]}::text[]) OR c.key = ANY(${[...idsOrKeys]}::text[]) ORDER BY c.id`;
  return rows.map(couponFrom);
}

/** How many coupons can be redeemed, but for expiry. */
export async function countCoupons(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    SELECT ((SELECT count(*) FROM coupons) - (SELECT count(*) FROM coupon_archivals))::integer AS count`;
  return row?.count ?? 0;
}

/** @returns false when the key is taken */
export async function insertCoupon(sql: Sql, organization: OrganizationId, coupon: Coupon): Promise<boolean> {
  const { off, duration, appliesTo, expiresAt } = coupon;
  const inserted = await sql`
    INSERT INTO coupons
      (organization, id, key, name, percent, amounts, duration, months, applies_to, redemptions_max, expires_at, created_at)
    VALUES (${organization}, ${coupon.id}, ${coupon.key}, ${coupon.name},
            ${off.kind === "percent" ? off.percent.toString() : null}::text::numeric,
            ${off.kind === "amount" ? JSON.stringify(off.amounts) : null}::text::jsonb,
            ${duration.kind}, ${duration.kind === "months" ? duration.months : null},
            ${appliesTo === undefined ? null : JSON.stringify(appliesTo)}::text::jsonb, ${coupon.redemptionsMax ?? null},
            ${expiresAt === undefined ? null : timestampText(expiresAt)}::text::timestamptz,
            ${new Date(msOf(coupon.createdAt))})
    ON CONFLICT (organization, key) DO NOTHING RETURNING id`;
  return inserted.length === 1;
}

/** Once and for all; again changes nothing. */
export async function archiveCoupon(
  sql: Sql,
  organization: OrganizationId,
  coupon: CouponId,
  at: Instant,
): Promise<void> {
  await sql`
    INSERT INTO coupon_archivals (organization, coupon, archived_at)
    VALUES (${organization}, ${coupon}, ${new Date(msOf(at))}) ON CONFLICT (organization, coupon) DO NOTHING`;
}

interface CouponRow {
  readonly id: CouponId;
  readonly key: string;
  readonly name: string;
  readonly percent: string | null;
  readonly amounts: Readonly<Record<string, string>> | null;
  readonly duration: CouponDuration["kind"];
  readonly months: number | null;
  readonly applies_to: CouponScope | null;
  readonly redemptions_max: number | null;
  readonly expires_at: string | null;
  readonly archived_at: Date | null;
  readonly created_at: Date;
}

function couponFrom(row: CouponRow): Coupon {
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    off:
      row.percent === null
        ? { kind: "amount", amounts: amountsFrom(row.amounts) ?? {} }
        : { kind: "percent", percent: Decimal.of(row.percent) },
    duration:
      row.duration === "months" ? { kind: "months", months: row.months ?? 1 } : { kind: row.duration },
    appliesTo: row.applies_to ?? undefined,
    redemptionsMax: row.redemptions_max ?? undefined,
    expiresAt: row.expires_at === null ? undefined : instantOfMicros(row.expires_at),
    archivedAt: row.archived_at === null ? undefined : instantFromMs(row.archived_at.getTime()),
    createdAt: instantFromMs(row.created_at.getTime()),
  };
}

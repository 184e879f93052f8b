import { timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { CustomerId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { CreditKind } from "../core/index.js";

/** A customer's credits of one kind and currency at an instant: granted = used + voided + expired + upcoming + remaining. */
export interface CreditTotals {
  readonly kind: CreditKind;
  readonly currency: Currency;
  readonly granted: bigint;
  readonly used: bigint;
  readonly voided: bigint;
  /** Over, and not drawn; whether or not that is booked yet. */
  readonly expired: bigint;
  /** Not valid yet. */
  readonly upcoming: bigint;
  /** Valid now and not drawn. */
  readonly remaining: bigint;
}

export async function sumCredits(sql: Sql, customer: CustomerId, now: Instant): Promise<CreditTotals[]> {
  const rows = await sql<TotalsRow[]>`
    WITH parts AS (
      SELECT g.kind, g.currency, b.amount_minor, b.used_minor, b.voided_minor,
             b.amount_minor - b.used_minor - b.voided_minor AS left_minor,
             coalesce(g.expires_at <= t.now, false) AS over, g.effective_from > t.now AS early
      FROM credit_grants g
      JOIN credit_grant_balances b ON b.organization = g.organization AND b.grant_id = g.id
      CROSS JOIN (SELECT ${timestampText(now)}::text::timestamptz AS now) t
      WHERE g.customer = ${customer}
    )
    SELECT kind, currency, sum(amount_minor)::text AS granted, sum(used_minor)::text AS used, sum(voided_minor)::text AS voided,
           coalesce(sum(left_minor) FILTER (WHERE over), 0)::text AS expired,
           coalesce(sum(left_minor) FILTER (WHERE early AND NOT over), 0)::text AS upcoming,
           coalesce(sum(left_minor) FILTER (WHERE NOT early AND NOT over), 0)::text AS remaining
    FROM parts GROUP BY kind, currency ORDER BY currency, kind DESC`;
  return rows.map(({ kind, currency, ...sums }) => ({
    kind,
    currency,
    granted: BigInt(sums.granted),
    used: BigInt(sums.used),
    voided: BigInt(sums.voided),
    expired: BigInt(sums.expired),
    upcoming: BigInt(sums.upcoming),
    remaining: BigInt(sums.remaining),
  }));
}

interface TotalsRow {
  readonly kind: CreditKind;
  readonly currency: Currency;
  readonly granted: string;
  readonly used: string;
  readonly voided: string;
  readonly expired: string;
  readonly upcoming: string;
  readonly remaining: string;
}

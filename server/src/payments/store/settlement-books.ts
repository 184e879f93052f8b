import { arrayText, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { OrganizationId, PaymentId, ProviderAccountId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { Money } from "../../kernel/money.js";

/** What a provider made of a payment, as a file tells it. */
export interface NewSettlement {
  readonly payment: PaymentId;
  readonly ref: string;
  readonly gross: Money;
  /** In the currency of `gross`; + is our cost. */
  readonly fee: bigint;
  readonly arn: string | undefined;
}

/** Many at once, in one statement. @returns the payments that were not settled before */
export async function insertSettlements(
  sql: Sql,
  organization: OrganizationId,
  settlements: readonly NewSettlement[],
  at: Instant,
): Promise<readonly PaymentId[]> {
  if (settlements.length === 0) return [];
  const rows = await sql<{ payment: PaymentId }[]>`
    INSERT INTO payment_settlements (organization, payment, ref, currency, gross_minor, fee_minor, arn, settled_at)
    SELECT ${organization}, s.payment, s.ref, s.currency, s.gross::numeric, s.fee::numeric, nullif(s.arn, ''),
           ${timestampText(at)}::text::timestamptz
    FROM unnest(${arrayText(settlements.map(({ payment }) => payment))}::text[], ${arrayText(settlements.map(({ ref }) => ref))}::text[],
                ${arrayText(settlements.map(({ gross }) => gross.currency))}::text[],
                ${arrayText(settlements.map(({ gross }) => gross.minor))}::text[], ${arrayText(settlements.map(({ fee }) => fee))}::text[],
                ${arrayText(settlements.map(({ arn }) => arn ?? ""))}::text[])
         AS s (payment, ref, currency, gross, fee, arn)
    ON CONFLICT (organization, payment) DO NOTHING
    RETURNING payment`;
  return rows.map(({ payment }) => payment);
}

export interface BookRow {
  readonly line: "charges" | "refunds" | "fees" | "disputes" | "payouts" | "transfers";
  readonly currency: Currency;
  readonly count: string;
  readonly minor: string;
}

/** What happened on an account in a time, in our books, signed as the account with the provider sees it. */
export async function sumProviderBooks(
  sql: Sql,
  account: ProviderAccountId,
  { from, to }: { readonly from: Instant; readonly to: Instant },
): Promise<BookRow[]> {
  const starts = timestampText(from);
  const ends = timestampText(to);
  return sql<BookRow[]>`
    SELECT 'charges' AS line, currency, count(*)::text AS count, sum(amount_minor)::text AS minor
    FROM payments WHERE account = ${account} AND received_at >= ${starts}::text::timestamptz AND received_at < ${ends}::text::timestamptz
    GROUP BY currency
    UNION ALL
    SELECT 'fees', s.currency, count(*)::text, sum(-s.fee_minor)::text
    FROM payments p JOIN payment_settlements s ON s.organization = p.organization AND s.payment = p.id
    WHERE p.account = ${account} AND p.received_at >= ${starts}::text::timestamptz AND p.received_at < ${ends}::text::timestamptz
      AND s.fee_minor <> 0
    GROUP BY s.currency
    UNION ALL
    SELECT 'refunds', r.currency, count(*)::text, sum(-r.amount_minor)::text
    FROM refunds r JOIN payments p ON p.organization = r.organization AND p.id = r.payment
    WHERE p.account = ${account} AND r.state IN ('pending', 'succeeded') AND r.created_at >= ${starts}::text::timestamptz
      AND r.created_at < ${ends}::text::timestamptz
    GROUP BY r.currency
    UNION ALL
    SELECT 'disputes', d.currency, count(*)::text, sum(d.minor)::text
    FROM (SELECT held_currency AS currency, -held_minor AS minor, opened_at AS at FROM disputes WHERE account = ${account} AND state <> 'inquiry'
          UNION ALL
          SELECT held_currency, held_minor, closed_at FROM disputes WHERE account = ${account} AND state = 'won') d
    WHERE d.at >= ${starts}::text::timestamptz AND d.at < ${ends}::text::timestamptz
    GROUP BY d.currency
    UNION ALL
    SELECT 'payouts', currency, count(*)::text, sum(-amount_minor)::text
    FROM payouts
    WHERE account = ${account} AND state IN ('pending', 'in_transit', 'paid') AND created_at >= ${starts}::text::timestamptz
      AND created_at < ${ends}::text::timestamptz
    GROUP BY currency
    ORDER BY 1, 2`;
}

/** What came in on a bank account in a time: customers' transfers, and payouts of providers. */
export async function sumBankBooks(
  sql: Sql,
  account: ProviderAccountId,
  { from, to }: { readonly from: Instant; readonly to: Instant },
): Promise<BookRow[]> {
  return sql<BookRow[]>`
    SELECT 'transfers' AS line, currency, count(*)::text AS count, sum(amount_minor)::text AS minor
    FROM payments
    WHERE account = ${account} AND received_at >= ${timestampText(from)}::text::timestamptz
      AND received_at < ${timestampText(to)}::text::timestamptz
    GROUP BY currency ORDER BY currency`;
}

export interface MovementRow {
  readonly id: string;
  readonly root: string;
  readonly account: ProviderAccountId;
  readonly currency: Currency;
  readonly amount: string;
  readonly at: string;
}

interface Page {
  readonly from: Instant;
  readonly to: Instant;
  readonly after?: { readonly at: Instant; readonly id: string } | undefined;
  readonly limit: number;
}

/** Money that was taken, and charges that went out by a file and have no answer; in the order of time. */
export async function listCaptured(sql: Sql, account: ProviderAccountId, page: Page): Promise<MovementRow[]> {
  const begin = timestampText(page.after?.at ?? page.from);
  return sql<MovementRow[]>`
    SELECT id, root, account, currency, amount_minor::text AS amount, (extract(epoch FROM happened_at) * 1000000)::bigint::text AS at
    FROM (
      (SELECT id, CASE source WHEN 'attempt' THEN source_id ELSE id END AS root, account, currency, amount_minor, received_at AS happened_at
       FROM payments
       WHERE account = ${account} AND received_at >= ${timestampText(page.from)}::text::timestamptz
         AND received_at < ${timestampText(page.to)}::text::timestamptz
         AND (received_at, id) > (${begin}::text::timestamptz, ${page.after?.id ?? ""})
       ORDER BY received_at, id LIMIT ${page.limit})
      UNION ALL
      (SELECT a.id, a.id, a.account, a.currency, a.amount_minor, b.closed_at
       FROM payment_batches b
       JOIN payment_batch_items i ON i.organization = b.organization AND i.batch = b.id AND i.action = 'charge'
       JOIN payment_attempts a ON a.organization = i.organization AND a.id = i.subject
         AND a.state IN ('processing', 'requires_action', 'unknown')
       WHERE b.account = ${account} AND b.closed_at >= ${timestampText(page.from)}::text::timestamptz
         AND b.closed_at < ${timestampText(page.to)}::text::timestamptz
         AND (b.closed_at, a.id) > (${begin}::text::timestamptz, ${page.after?.id ?? ""})
       ORDER BY b.closed_at, a.id LIMIT ${page.limit})) moved
    ORDER BY happened_at, id LIMIT ${page.limit}`;
}

/** Payouts that are not on a bank's statement, in the order of time. */
export async function listInTransit(sql: Sql, page: Page): Promise<MovementRow[]> {
  const begin = timestampText(page.after?.at ?? page.from);
  return sql<MovementRow[]>`
    SELECT id, id AS root, account, currency, amount_minor::text AS amount, (extract(epoch FROM created_at) * 1000000)::bigint::text AS at
    FROM payouts
    WHERE received_at IS NULL AND state IN ('pending', 'in_transit', 'paid') AND created_at >= ${timestampText(page.from)}::text::timestamptz
      AND created_at < ${timestampText(page.to)}::text::timestamptz
      AND (created_at, id) > (${begin}::text::timestamptz, ${page.after?.id ?? ""})
    ORDER BY created_at, id LIMIT ${page.limit}`;
}

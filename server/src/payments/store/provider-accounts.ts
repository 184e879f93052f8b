import { instantOfMicros, timestampText, type Sql } from "../../engines/postgres/index.js";
import type { Currency } from "../../kernel/currency.js";
import type { OrganizationId, ProviderAccountId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";

/** An account as it is stored; its secrets are sealed. */
export interface StoredProviderAccount {
  readonly id: ProviderAccountId;
  readonly key: string;
  readonly provider: string;
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: Uint8Array | undefined;
  readonly currencies: readonly Currency[];
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly archivedAt: Instant | undefined;
}

export async function insertAccount(
  sql: Sql,
  organization: OrganizationId,
  account: Omit<StoredProviderAccount, "archivedAt">,
): Promise<boolean> {
  const secrets = account.secrets === undefined ? null : Buffer.from(account.secrets);
  const rows = await sql`
    INSERT INTO provider_accounts (organization, id, key, provider, name, settings, secrets, currencies, created_at, updated_at)
    VALUES (${organization}, ${account.id}, ${account.key}, ${account.provider}, ${account.name},
            ${JSON.stringify(account.settings)}::text::jsonb, ${secrets}, ${[...account.currencies]},
            ${timestampText(account.createdAt)}::text::timestamptz, ${timestampText(account.updatedAt)}::text::timestamptz)
    ON CONFLICT ON CONSTRAINT provider_accounts_key_once DO NOTHING
    RETURNING id`;
  return rows.length > 0;
}

export async function updateAccount(
  sql: Sql,
  account: Pick<
    StoredProviderAccount,
    "id" | "name" | "settings" | "secrets" | "currencies" | "updatedAt" | "archivedAt"
  >,
): Promise<void> {
  const secrets = account.secrets === undefined ? null : Buffer.from(account.secrets);
  const archived = account.archivedAt === undefined ? null : timestampText(account.archivedAt);
  await sql`
    UPDATE provider_accounts
    SET name = ${account.name}, settings = ${JSON.stringify(account.settings)}::text::jsonb, secrets = ${secrets},
        currencies = ${[...account.currencies]}, updated_at = ${timestampText(account.updatedAt)}::text::timestamptz,
        archived_at = ${archived}::text::timestamptz
    WHERE id = ${account.id}`;
}

/** By id or key. @param lock  holds it until the transaction ends */
export async function findAccount(
  sql: Sql,
  idOrKey: string,
  { lock = false } = {},
): Promise<StoredProviderAccount | undefined> {
  const rows = await sql<AccountRow[]>`
    SELECT id, key, provider, name, settings, secrets, currencies,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM updated_at) * 1000000)::bigint::text AS updated_at,
           (extract(epoch FROM archived_at) * 1000000)::bigint::text AS archived_at
    FROM provider_accounts WHERE id = ${idOrKey} OR key = ${idOrKey}
    ORDER BY id = ${idOrKey} DESC LIMIT 1 ${lock ? sql`FOR NO KEY UPDATE` : sql``}`;
  return rows.map(accountOf)[0];
}

/** Accounts by id. */
export async function listAccounts(
  sql: Sql,
  page: { readonly after?: string; readonly limit: number },
): Promise<StoredProviderAccount[]> {
  const rows = await sql<AccountRow[]>`
    SELECT id, key, provider, name, settings, secrets, currencies,
           (extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
           (extract(epoch FROM updated_at) * 1000000)::bigint::text AS updated_at,
           (extract(epoch FROM archived_at) * 1000000)::bigint::text AS archived_at
    FROM provider_accounts WHERE id > ${page.after ?? ""} ORDER BY id LIMIT ${page.limit}`;
  return rows.map(accountOf);
}

/** Whether something is under way at an account's provider that ends there. */
export async function isAnythingOpen(sql: Sql, account: ProviderAccountId): Promise<boolean> {
  const rows = await sql<{ open: boolean }[]>`
    SELECT EXISTS (SELECT FROM payment_attempts WHERE account = ${account}
                     AND state IN ('pending', 'processing', 'requires_action', 'unknown'))
        OR EXISTS (SELECT FROM refunds r JOIN payments p ON p.organization = r.organization AND p.id = r.payment
                   WHERE r.state = 'pending' AND p.account = ${account})
        OR EXISTS (SELECT FROM disputes WHERE account = ${account} AND state IN ('inquiry', 'needs_response', 'under_review'))
        OR EXISTS (SELECT FROM payouts WHERE account = ${account} AND state IN ('pending', 'in_transit')) AS open`;
  return rows[0]?.open === true;
}

interface AccountRow {
  readonly id: ProviderAccountId;
  readonly key: string;
  readonly provider: string;
  readonly name: string;
  readonly settings: Record<string, string>;
  readonly secrets: Uint8Array | null;
  readonly currencies: Currency[];
  readonly created_at: string;
  readonly updated_at: string;
  readonly archived_at: string | null;
}

function accountOf(row: AccountRow): StoredProviderAccount {
  return {
    id: row.id,
    key: row.key,
    provider: row.provider,
    name: row.name,
    settings: row.settings,
    secrets: row.secrets ?? undefined,
    currencies: row.currencies,
    createdAt: instantOfMicros(row.created_at),
    updatedAt: instantOfMicros(row.updated_at),
    archivedAt: row.archived_at === null ? undefined : instantOfMicros(row.archived_at),
  };
}

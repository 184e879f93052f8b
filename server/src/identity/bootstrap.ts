import { recordAudit } from "../audit/index.js";
import type { Sql } from "../engines/postgres/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { hashOf, issueKey, markKeyRevoked, saveKey } from "./keys.js";
import { createOrganization, type Organization } from "./organizations.js";
import { findKeyByHash, markRestored, selectApiKeys } from "./store/api-keys.js";
import { selectOrganizationBySlug } from "./store/organizations.js";

export interface BootstrapResult {
  readonly organization: Organization;
  /** A secret key to show once: only of the first start without WEIR_BOOTSTRAP_KEY. */
  readonly secret: string | undefined;
}

const bootstrap_lock = 0x6b657973;

/**
 * Sees to the organization `default` and its first secret key, in one transaction of the system role; of processes that start
 * at once one does it. The environment is the truth about WEIR_BOOTSTRAP_KEY: its value always works after a start, and a
 * value it had before no longer does. Taking the variable away changes nothing.
 */
export async function bootstrap(
  sql: Sql,
  bootstrapKey: string | undefined,
  at: Instant,
): Promise<BootstrapResult> {
  await sql`SELECT pg_advisory_xact_lock(${bootstrap_lock})`;
  const organization =
    (await selectOrganizationBySlug(sql, "default")) ??
    (await createOrganization(sql, { slug: "default", name: "Default" }, at));
  if (bootstrapKey !== undefined) {
    await useBootstrapKey(sql, organization.id, bootstrapKey, at);
    return { organization, secret: undefined };
  }
  const keys = await selectApiKeys(sql, organization.id);
  if (keys.length > 0) return { organization, secret: undefined };
  const { secret } = await issueKey(
    sql,
    organization.id,
    { name: "first key", kind: "secret" },
    { actor: "system", origin: "issued", at },
  );
  return { organization, secret };
}

async function useBootstrapKey(
  sql: Sql,
  organization: OrganizationId,
  secret: string,
  at: Instant,
): Promise<void> {
  const existing = await findKeyByHash(sql, hashOf(secret));
  if (existing !== undefined && (existing.organization !== organization || existing.kind !== "secret")) {
    const detail =
      "WEIR_BOOTSTRAP_KEY is another organization's key, or one that is not a secret key. Choose another value.";
    throw new Refusal(makeProblem("bootstrap-key-taken", 409, "The bootstrap key is taken", detail));
  }
  for (const key of await selectApiKeys(sql, organization)) {
    if (key.origin !== "bootstrap" || key.revokedAt !== undefined || key.id === existing?.id) continue;
    await markKeyRevoked(sql, organization, key, { actor: "system", at });
  }
  if (existing === undefined) {
    const key = { name: "WEIR_BOOTSTRAP_KEY", kind: "secret" } as const;
    await saveKey(sql, organization, key, secret, "WEIR_BOOTSTRAP_KEY", {
      actor: "system",
      origin: "bootstrap",
      at,
    });
  } else if (existing.revoked) {
    await markRestored(sql, organization, existing.id);
    const [before, after] = [{ revoked: true }, { revoked: false }];
    await recordAudit(sql, {
      organization,
      actor: "system",
      action: "key.restore",
      target: existing.id,
      before,
      after,
      at,
    });
  }
}

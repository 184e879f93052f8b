import { hash, randomBytes } from "node:crypto";
import { recordAudit, type AuditActor } from "../audit/index.js";
import type { Sql } from "../engines/postgres/index.js";
import { newId, type OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { formatKey, type KeyKind } from "./core/index.js";
import {
  insertApiKey,
  lockSecretKeysAnd,
  markRevoked,
  selectApiKeys,
  type ApiKey,
  type KeyOrigin,
} from "./store/api-keys.js";

export type { ApiKey } from "./store/api-keys.js";

export interface NewKey {
  /** what it is for, 1 to 256 characters */
  readonly name: string;
  readonly kind: KeyKind;
}

const active_keys_max = 1000;

/** What is stored of a key, and what sign-in looks for. */
export function hashOf(secret: string): Buffer {
  return hash("sha256", secret, "buffer");
}

/**
 * Makes a key; its text is in the answer and nowhere else.
 * @throws Refusal 400 for a bad name, 409 beyond 1,000 active keys
 */
export async function issueKey(
  sql: Sql,
  organization: OrganizationId,
  input: NewKey,
  by: { actor: AuditActor; origin: KeyOrigin; at: Instant },
): Promise<{ key: ApiKey; secret: string }> {
  const name = input.name.trim();
  if (name.length === 0 || name.length > 256) {
    throw new Refusal(
      makeProblem(
        "invalid-key",
        400,
        "The key's name is not valid",
        "A name says what the key is for, in 1 to 256 characters.",
      ),
    );
  }
  const active = (await selectApiKeys(sql, organization)).filter((key) => key.revokedAt === undefined);
  if (active.length >= active_keys_max) {
    throw new Refusal(
      makeProblem(
        "too-many-keys",
        409,
        "Too many keys",
        `At most ${active_keys_max} active keys; revoke some.`,
      ),
    );
  }
  const secret = formatKey(input.kind, organization, randomBytes(16));
  const key = await saveKey(
    sql,
    organization,
    { ...input, name },
    secret,
    `weir_${input.kind}_…${secret.slice(-4)}`,
    by,
  );
  return { key, secret };
}

/** Stores a key of any text. */
export async function saveKey(
  sql: Sql,
  organization: OrganizationId,
  { name, kind }: NewKey,
  secret: string,
  hint: string,
  { actor, origin, at }: { actor: AuditActor; origin: KeyOrigin; at: Instant },
): Promise<ApiKey> {
  const key: ApiKey = {
    id: newId("key", at),
    kind,
    origin,
    name,
    hint,
    createdAt: at,
    revokedAt: undefined,
    lastUsedAt: undefined,
  };
  await insertApiKey(sql, organization, key, hashOf(secret));
  await recordAudit(sql, {
    organization,
    actor,
    action: "key.create",
    target: key.id,
    before: undefined,
    after: { name, kind, origin },
    at,
  });
  return key;
}

/**
 * Revokes a key. Revoking it again changes nothing.
 * @throws Refusal 404 when there is no such key, 409 for the last secret key
 */
export async function revokeKey(
  sql: Sql,
  organization: OrganizationId,
  id: string,
  by: { actor: AuditActor; at: Instant },
): Promise<ApiKey> {
  const locked = await lockSecretKeysAnd(sql, organization, id);
  const key = locked.find((candidate) => candidate.id === id);
  if (key === undefined) {
    throw new Refusal(
      makeProblem(
        "key-not-found",
        404,
        "No such key",
        `There is no key ${id}; list them with \`weir keys list\`.`,
      ),
    );
  }
  if (key.revokedAt !== undefined) return key;
  if (key.kind === "secret" && locked.length === 1) {
    const detail = "Without it nobody could administer the organization. Create another secret key first.";
    throw new Refusal(makeProblem("last-secret-key", 409, "This is the last secret key", detail));
  }
  return markKeyRevoked(sql, organization, key, by);
}

/** Revokes without asking whether it is the last. */
export async function markKeyRevoked(
  sql: Sql,
  organization: OrganizationId,
  key: ApiKey,
  { actor, at }: { actor: AuditActor; at: Instant },
): Promise<ApiKey> {
  await markRevoked(sql, organization, key.id, at);
  const { name, kind } = key;
  const before = { name, kind, revoked: false };
  await recordAudit(sql, {
    organization,
    actor,
    action: "key.revoke",
    target: key.id,
    before,
    after: { ...before, revoked: true },
    at,
  });
  return { ...key, revokedAt: at };
}

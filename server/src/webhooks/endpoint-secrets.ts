import { randomBytes } from "node:crypto";
import type { Sql } from "../engines/postgres/index.js";
import type { Secrets } from "../engines/secrets/index.js";
import type { OrganizationId, WebhookEndpointId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { formatSecret } from "./core/index.js";
import { insertSecret, replaceSealed, selectSigning } from "./store/endpoint-secrets.js";

/** Whose secret it is. */
export interface SecretPlace {
  readonly organization: OrganizationId;
  readonly endpoint: WebhookEndpointId;
}

// Standard Webhooks: 24 to 64 bytes.
const secret_bytes = 32;

/** Makes the secret that counts from now on; older ones sign until `oldUntil`. */
export async function addSecret(
  sql: Sql,
  secrets: Secrets,
  place: SecretPlace,
  { at, oldUntil }: { at: Instant; oldUntil: Instant },
): Promise<void> {
  const sealed = secrets.seal(randomBytes(secret_bytes), contextOf(place));
  await insertSecret(sql, place.organization, { endpoint: place.endpoint, sealed, at, oldUntil });
}

/** The secrets that sign now, the newest first. Those sealed with an older master key are sealed anew. */
export async function signingSecrets(
  sql: Sql,
  secrets: Secrets,
  place: SecretPlace,
  now: Instant,
): Promise<readonly Uint8Array[]> {
  const opened: Uint8Array[] = [];
  for (const { number, sealed } of await selectSigning(sql, place.endpoint, now)) {
    const plain = secrets.open(sealed, contextOf(place));
    opened.push(plain);
    if (!secrets.isCurrent(sealed))
      await replaceSealed(sql, place.endpoint, { number, sealed: secrets.seal(plain, contextOf(place)) });
  }
  return opened;
}

/** The secret that counts, as people see it. */
export async function readSecret(
  sql: Sql,
  secrets: Secrets,
  place: SecretPlace,
  now: Instant,
): Promise<string> {
  const [current] = await signingSecrets(sql, secrets, place, now);
  if (current === undefined) throw new RangeError(`endpoint ${place.endpoint} has no secret`);
  return formatSecret(current);
}

function contextOf({ organization, endpoint }: SecretPlace): string {
  return `webhook_endpoints:${organization}:${endpoint}`;
}

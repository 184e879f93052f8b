import { createHash } from "node:crypto";
import type { Sql } from "../engines/postgres/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import { canonicalJson, type JsonValue } from "../kernel/json.js";
import { withIdempotency } from "./idempotency.js";

/** A mutation as its idempotency key sees it: what it does and what it was asked. */
export interface MutationRequest {
  readonly organization: OrganizationId;
  /** Without one, the mutation simply runs. */
  readonly idempotencyKey: string | undefined;
  /** thing.verb, as in the audit log */
  readonly action: string;
  /** Everything that makes another request another request; undefined members are left out. */
  readonly input: unknown;
}

/**
 * Runs a mutation inside its transaction, once per idempotency key when there is one. Its answer is an id: whoever repeats
 * the request gets the thing as it is by then.
 */
export async function runOnce<T extends string>(
  sql: Sql,
  request: MutationRequest,
  work: () => Promise<T>,
): Promise<T> {
  if (request.idempotencyKey === undefined) return work();
  const input = JSON.parse(JSON.stringify(request.input ?? null)) as JsonValue;
  const hash = createHash("sha256")
    .update(canonicalJson([request.action, input]))
    .digest("hex");
  return withIdempotency(sql, request.organization, request.idempotencyKey, hash, work);
}

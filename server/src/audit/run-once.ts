import { createHash } from "node:crypto";
import type { Sql } from "../engines/postgres/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import { canonicalJson, type JsonValue } from "../kernel/json.js";
import { findEarlier, withIdempotency } from "./idempotency.js";

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
 * Runs a mutation inside its transaction, once per idempotency key when there is one. Its answer is an id, or what else
 * tells what was done: whoever repeats the request gets the thing as it is by then.
 */
export async function runOnce<T extends JsonValue>(
  sql: Sql,
  request: MutationRequest,
  work: () => Promise<T>,
): Promise<T> {
  if (request.idempotencyKey === undefined) return work();
  return withIdempotency(sql, request.organization, request.idempotencyKey, hashOf(request), work);
}

/**
 * What `runOnce` answered before under the request's key: for mutations whose checks would refuse the repetition before
 * they come to `runOnce`.
 * @throws Refusal 422 when the key belongs to another request
 */
export async function findEarlierAnswer<T extends JsonValue>(
  sql: Sql,
  request: MutationRequest,
): Promise<T | undefined> {
  if (request.idempotencyKey === undefined) return undefined;
  return (await findEarlier(sql, request.idempotencyKey, hashOf(request))) as T | undefined;
}

function hashOf(request: MutationRequest): string {
  const input = JSON.parse(JSON.stringify(request.input ?? null, wholeNumberAsText)) as JsonValue;
  return createHash("sha256")
    .update(canonicalJson([request.action, input]))
    .digest("hex");
}

/** Amounts in minor units are bigints, which JSON does not know. */
function wholeNumberAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { JsonValue } from "../kernel/json.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import {
  claimIdempotencyKey,
  deleteExpired,
  findIdempotentResponse,
  storeIdempotentResponse,
} from "./store/idempotency-keys.js";

const wait_ms_max = 5000;
const key_length_max = 255;

/**
 * Runs a mutation once per key: the same key again, within 3 days, gets the first answer and `work` is not run. Claim, work
 * and answer commit together, so a mutation that failed leaves its key free.
 *
 * @param requestHash  of the operation and its input; the same key with another is a mistake of the caller's
 * @throws Refusal 422 for the same key with another request; 409 while the first is still at work after 5 s; 400 for a bad key
 */
export async function withIdempotency<T extends JsonValue>(
  sql: Sql,
  organization: OrganizationId,
  key: string,
  requestHash: string,
  work: () => Promise<T>,
): Promise<T> {
  if (key.length === 0 || key.length > key_length_max) {
    throw new Refusal(
      makeProblem(
        "invalid-idempotency-key",
        400,
        "The idempotency key is not valid",
        `It has 1 to ${key_length_max} characters.`,
      ),
    );
  }
  if (!(await claim(sql, organization, key, requestHash))) {
    const earlier = await findEarlier(sql, key, requestHash);
    if (earlier !== undefined) return earlier as T; // what `work` gave for the same request
    throw reused();
  }
  const response = await work();
  await storeIdempotentResponse(sql, key, response);
  return response;
}

/** The answer that stands under a key; undefined when there is none. @throws Refusal 422 for another request's */
export async function findEarlier(
  sql: Sql,
  key: string,
  requestHash: string,
): Promise<JsonValue | undefined> {
  const earlier = await findIdempotentResponse(sql, key);
  if (earlier === undefined) return undefined;
  if (earlier.requestHash !== requestHash) throw reused();
  return earlier.response;
}

function reused(): Refusal {
  const detail = "This idempotency key was used for a different request. Use a new key for a new request.";
  return new Refusal(
    makeProblem("idempotency-key-reused", 422, "The idempotency key belongs to another request", detail),
  );
}

async function claim(
  sql: Sql,
  organization: OrganizationId,
  key: string,
  requestHash: string,
): Promise<boolean> {
  try {
    await sql`SELECT set_config('lock_timeout', ${`${wait_ms_max}ms`}, true)`;
    const claimed = await claimIdempotencyKey(sql, organization, key, requestHash);
    await sql`SELECT set_config('lock_timeout', '0', true)`;
    return claimed;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "55P03")) throw error;
    const detail =
      "The first request with this idempotency key is still at work. Send this one again in a moment.";
    throw new Refusal(
      makeProblem("idempotency-key-in-use", 409, "The first request is still at work", detail),
    );
  }
}

/** Housekeeping; returns how many were deleted. */
export async function deleteExpiredIdempotencyKeys(postgres: Postgres): Promise<number> {
  return postgres.asSystem((sql) => deleteExpired(sql, 10_000));
}

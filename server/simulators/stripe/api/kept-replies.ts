import { ApiError } from "./api-error.js";
import { decodeForm, type FormNode } from "./form.js";

/** A reply as it is kept: what it said and what it answered. */
export interface KeptReply {
  readonly status: number;
  readonly body: string;
  readonly requestId: string;
}

interface Kept {
  readonly endpoint: string;
  readonly form: string;
  readonly at_ms: number;
  reply: KeptReply | undefined;
}

const key_length_max = 255;
const kept_ms = 24 * 60 * 60 * 1_000;
const dropped_share = 10;

/**
 * Replies by idempotency key, as Stripe keeps them: the first one for at least 24 hours, whether good or bad, a 500
 * included. Bounded: when there are too many, the oldest go.
 */
export class KeptReplies {
  readonly #keys_max: number;
  readonly #byKey = new Map<string, Kept>();

  constructor(keys_max: number) {
    this.#keys_max = keys_max;
  }

  /**
   * Takes a key for a request, or gives the reply that is kept under it.
   * @throws ApiError 400 for another request under the same key; 409 while the first is still being carried out
   */
  claim(key: string, endpoint: string, form: string, now_ms: number): KeptReply | "claimed" {
    if (key.length > key_length_max)
      throw new ApiError(
        400,
        {
          type: "invalid_request_error",
          message: `Idempotency keys have at most ${key_length_max} characters.`,
        },
        { isStored: false },
      );
    const kept = this.#byKey.get(key);
    if (kept !== undefined && (kept.reply === undefined || now_ms < kept.at_ms + kept_ms)) {
      checkSame(key, kept, endpoint, form);
      if (kept.reply === undefined) throw inUse(key);
      return kept.reply;
    }
    if (kept !== undefined) this.#byKey.delete(key);
    this.#prune(now_ms);
    this.#byKey.set(key, { endpoint, form, at_ms: now_ms, reply: undefined });
    return "claimed";
  }

  keep(key: string, reply: KeptReply): void {
    const kept = this.#byKey.get(key);
    if (kept !== undefined) kept.reply = reply;
  }

  /** Gives a key back: nothing was carried out under it. */
  release(key: string): void {
    this.#byKey.delete(key);
  }

  #prune(now_ms: number): void {
    for (const [key, kept] of this.#byKey) {
      if (kept.reply === undefined || now_ms < kept.at_ms + kept_ms) break;
      this.#byKey.delete(key);
    }
    if (this.#byKey.size < this.#keys_max) return;
    let left = Math.max(1, Math.floor(this.#keys_max / dropped_share));
    for (const [key, kept] of this.#byKey) {
      if (left === 0) break;
      if (kept.reply === undefined) continue;
      this.#byKey.delete(key);
      left -= 1;
    }
  }
}

function checkSame(key: string, kept: Kept, endpoint: string, form: string): void {
  if (kept.endpoint !== endpoint)
    throw idempotencyError(
      `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${kept.endpoint}' vs '${endpoint}'). Try using a key other than '${key}' if you meant to execute a different request.`,
    );
  if (kept.form !== form && canonical(decodeForm(kept.form)) !== canonical(decodeForm(form)))
    throw idempotencyError(
      `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
    );
}

function idempotencyError(message: string): ApiError {
  return new ApiError(400, { type: "idempotency_error", message }, { isStored: false });
}

function inUse(key: string): ApiError {
  const body = {
    type: "invalid_request_error",
    code: "idempotency_key_in_use",
    message: `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
  } as const;
  return new ApiError(409, body, { isStored: false });
}

/** The same text for forms that differ in the order of their parameters only. */
function canonical(form: FormNode): string {
  const pairs = [...form].map(([name, value]) => [
    JSON.stringify(name),
    typeof value === "string" ? JSON.stringify(value) : canonical(value),
  ]);
  return `{${pairs
    .map((pair) => pair.join(":"))
    .toSorted()
    .join(",")}}`;
}

import type { Account } from "../account.js";
import { forcedOutcome, type ForcedOutcome } from "../faults/forced-outcome.js";
import { noRequestFaults, requestFaults, type RequestFaults } from "../faults/request-faults.js";
import { api_version } from "../webhooks/event-log.js";
import { ApiError } from "./api-error.js";
import { expand, readExpand } from "./expand.js";
import { subjectOfRequest } from "./fault-subject.js";
import { decodeForm, type FormNode } from "./form.js";
import { KeptReplies, type KeptReply } from "./kept-replies.js";
import { Parameters } from "./parameters.js";
import { findRoute, type FoundRoute } from "./router.js";
import { checkSecretKey } from "./secret-key.js";

/** A request, however it came. */
export interface SimulatorRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface SimulatorReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What becomes of a request: a reply, a broken connection, or silence. */
export type SimulatorAnswer = SimulatorReply | "dropped" | "hung";

interface Carried {
  readonly kept: KeptReply;
  readonly isStored: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

const path_length_max = 8_192;

/** Takes requests through authentication, faults, idempotency and the routes to replies. */
export class RequestHandler {
  readonly #account: Account;
  readonly #kept: KeptReplies;

  constructor(account: Account) {
    this.#account = account;
    this.#kept = new KeptReplies(account.settings.limits.idempotencyKeys_max);
  }

  async handle(request: SimulatorRequest): Promise<SimulatorAnswer> {
    const requestId = this.#account.requestIds.next("req");
    const key = request.method === "POST" ? request.headers["idempotency-key"] : undefined;
    try {
      return await this.#answer(request, requestId, key);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return reply(keptError(error, requestId), requestId, key, error.headers);
    }
  }

  async #answer(
    request: SimulatorRequest,
    requestId: string,
    key: string | undefined,
  ): Promise<SimulatorAnswer> {
    checkSecretKey(request.headers["authorization"]);
    const { found, form } = readRequest(request);
    const parsed = decodeForm(form);
    const effects = this.#account.faults.strikeOperation(found.route.operation, () =>
      subjectOfRequest(this.#account, found.ids, parsed),
    );
    const faults = effects.length === 0 ? noRequestFaults : requestFaults(effects);
    if (faults.lost === "drop_before") return "dropped";
    if (faults.lost === "hang_before") return "hung";
    if (faults.rateLimit !== undefined) throw rateLimited(faults.rateLimit.retryAfter_s);

    const work = { found, form: parsed, requestId, key: key ?? null, faults, forced: forcedOutcome(effects) };
    const answered =
      key === undefined
        ? await this.#carryOut(work)
        : await this.#carryOutOnce(key, `${request.method} ${pathOf(request)}`, form, work);
    if (faults.lost === "drop_after") return "dropped";
    if (faults.lost === "hang_after") return "hung";
    return reply(answered.kept, requestId, key, answered.headers);
  }

  /** Carries a request out, or gives what came of it the first time. */
  async #carryOutOnce(key: string, endpoint: string, form: string, work: Work): Promise<Carried> {
    const claimed = this.#kept.claim(key, endpoint, form, this.#account.now_ms());
    if (claimed !== "claimed") {
      await this.#pause(work.faults.delayBefore_ms + work.faults.delayAfter_ms);
      return { kept: claimed, isStored: true, headers: { "idempotent-replayed": "true" } };
    }
    let kept: KeptReply | undefined;
    try {
      const carried = await this.#carryOut(work);
      if (carried.isStored) kept = carried.kept;
      return carried;
    } finally {
      if (kept === undefined) this.#kept.release(key);
      else this.#kept.keep(key, kept);
    }
  }

  async #carryOut(work: Work): Promise<Carried> {
    const { faults, requestId } = work;
    await this.#pause(faults.delayBefore_ms);
    const { error } = faults;
    const carried =
      error?.when === "before" ? failed(error.status, requestId, error.isKept) : act(this.#account, work);
    await this.#pause(faults.delayAfter_ms);
    return error?.when === "after" ? failed(error.status, requestId, error.isKept) : carried;
  }

  /** In simulated time. */
  #pause(duration_ms: number): Promise<void> | undefined {
    if (duration_ms === 0) return undefined;
    const { agenda } = this.#account;
    return new Promise((resolve) => agenda.add(this.#account.now_ms() + duration_ms, resolve));
  }
}

interface Work {
  readonly found: FoundRoute;
  readonly form: FormNode;
  readonly requestId: string;
  readonly key: string | null;
  readonly faults: RequestFaults;
  readonly forced: ForcedOutcome;
}

/** Without a pause in it: no other request sees it half done. */
function act(account: Account, { found, form, requestId, key, forced }: Work): Carried {
  account.events.cause = { id: requestId, idempotency_key: key };
  try {
    const params = new Parameters(form);
    const paths = readExpand(params);
    const object = found.route.act({ account, ids: found.ids, params, forced });
    const body = JSON.stringify(expand(account, object, paths));
    return { kept: { status: 200, body, requestId }, isStored: true, headers: {} };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { kept: keptError(error, requestId), isStored: error.isStored, headers: error.headers };
  } finally {
    account.events.cause = null;
  }
}

function reply(
  kept: KeptReply,
  requestId: string,
  key: string | undefined,
  headers: Readonly<Record<string, string>>,
): SimulatorReply {
  return {
    status: kept.status,
    body: kept.body,
    headers: {
      "content-type": "application/json",
      "request-id": requestId,
      "stripe-version": api_version,
      ...(key !== undefined && { "idempotency-key": key, "original-request": kept.requestId }),
      ...headers,
    },
  };
}

function failed(status: number, requestId: string, isKept: boolean): Carried {
  const message = "An unknown error occurred. (A fault of the simulator's, by its plan.)";
  const error = new ApiError(status, { type: "api_error", message }, { isStored: isKept });
  // What would only be replayed is not worth a retry.
  const headers: Record<string, string> = isKept ? { "stripe-should-retry": "false" } : {};
  return { kept: keptError(error, requestId), isStored: isKept, headers };
}

function rateLimited(retryAfter_s: number): ApiError {
  const message =
    "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.";
  return new ApiError(
    429,
    { type: "invalid_request_error", code: "rate_limit", message },
    {
      isStored: false,
      headers: { "retry-after": String(retryAfter_s), "stripe-rate-limited-reason": "global-rate" },
    },
  );
}

function readRequest(request: SimulatorRequest): { found: FoundRoute; form: string } {
  if (request.path.length > path_length_max)
    throw new ApiError(
      414,
      { type: "invalid_request_error", message: "Request URI too long." },
      { isStored: false },
    );
  const path = pathOf(request);
  const found = findRoute(request.method, path);
  if (found === undefined)
    throw new ApiError(
      404,
      {
        type: "invalid_request_error",
        message: `Unrecognized request URL (${request.method}: ${path}), or one that the simulator does not have.`,
      },
      { isStored: false },
    );
  return { found, form: request.method === "POST" ? request.body : request.path.slice(path.length + 1) };
}

function pathOf(request: SimulatorRequest): string {
  const query = request.path.indexOf("?");
  return query === -1 ? request.path : request.path.slice(0, query);
}

function keptError(error: ApiError, requestId: string): KeptReply {
  return { status: error.status, body: JSON.stringify({ error: error.body }), requestId };
}

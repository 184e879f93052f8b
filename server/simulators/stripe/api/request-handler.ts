import type { Account } from "../account.js";
import type { Agenda } from "../agenda.js";
import type { FaultPlan } from "../faults/fault-plan.js";
import { UnusableJournal, type JournalEntry } from "../journal.js";
import type { ObjectIds } from "../object-ids.js";
import type { Recorder } from "../recorder.js";
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

export interface RequestHandlerOptions {
  readonly account: Account;
  readonly faults: FaultPlan;
  readonly recorder: Recorder;
  /** Where replies wait that are held back. */
  readonly agenda: Agenda;
  /** A stream of its own, so that the ids of objects depend on nothing but what made objects. */
  readonly requestIds: ObjectIds;
}

/** Takes requests through authentication, faults, idempotency and the routes to replies. */
export class RequestHandler {
  readonly #on: RequestHandlerOptions;
  readonly #account: Account;
  readonly #kept: KeptReplies;

  constructor(options: RequestHandlerOptions) {
    this.#on = options;
    this.#account = options.account;
    this.#kept = new KeptReplies(options.account.settings.limits.idempotencyKeys_max);
  }

  async handle(request: SimulatorRequest): Promise<SimulatorAnswer> {
    const requestId = this.#on.requestIds.next("req");
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
    const { found, path, form } = readRequest(request);
    const parsed = decodeForm(form);
    const effects = this.#on.faults.strikeOperation(found.route.operation, () =>
      subjectOfRequest(this.#account, found.ids, parsed),
    );
    const faults = effects.length === 0 ? noRequestFaults : requestFaults(effects);
    if (faults.lost === "drop_before") return "dropped";
    if (faults.lost === "hang_before") return "hung";
    if (faults.rateLimit !== undefined) throw rateLimited(faults.rateLimit.retryAfter_s);

    const { method } = request;
    const forced = forcedOutcome(effects);
    const work = { found, method, path, form, parsed, requestId, key: key ?? null, faults, forced };
    const answered = key === undefined ? await this.#carryOut(work) : await this.#carryOutOnce(key, work);
    if (faults.lost === "drop_after") return "dropped";
    if (faults.lost === "hang_after") return "hung";
    return reply(answered.kept, requestId, key, answered.headers);
  }

  /** Carries a request out, or gives what came of it the first time. */
  async #carryOutOnce(key: string, work: Work): Promise<Carried> {
    const claimed = this.#kept.claim(key, endpointOf(work), work.form, this.#account.now_ms());
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
    const { faults, method, path, form, requestId, key, forced } = work;
    await this.#pause(faults.delayBefore_ms);
    const carried =
      method === "GET"
        ? this.#carryOutNow(work)
        : this.#on.recorder.do(
            {
              kind: "request",
              method,
              path,
              form: hasCardNumber(work.parsed) ? number_only : form,
              requestId,
              key,
              forced,
              ...(faults.error !== undefined && { error: faults.error }),
            },
            () => this.#carryOutNow(work),
          );
    await this.#pause(faults.delayAfter_ms);
    return carried;
  }

  /** Without a pause in it: no other request sees it half done. */
  #carryOutNow(work: Work): Carried {
    const { requestId, faults } = work;
    const { error } = faults;
    if (error?.when === "before") return failed(error.status, requestId, error.isKept);
    const carried = act(this.#account, work);
    return error?.when === "after" ? failed(error.status, requestId, error.isKept) : carried;
  }

  /** A request of the journal: its reply is kept as it was. @throws UnusableJournal for one that there is no more */
  repeat(entry: Extract<JournalEntry, { kind: "request" }>): void {
    const { method, path, form, requestId, key, error } = entry;
    const found = findRoute(method, path);
    if (found === undefined)
      throw new UnusableJournal(`the journal has a request that nobody takes: ${method} ${path}`);
    const faults = { ...noRequestFaults, error };
    const forced = entry.forced as ForcedOutcome;
    const work: Work = {
      found,
      method,
      path,
      form,
      parsed: decodeForm(form),
      requestId,
      key,
      faults,
      forced,
    };
    if (key !== null) this.#kept.claim(key, endpointOf(work), form, this.#account.now_ms());
    const { kept, isStored } = this.#carryOutNow(work);
    if (key === null) return;
    if (isStored) this.#kept.keep(key, kept);
    else this.#kept.release(key);
  }

  /** In simulated time. */
  #pause(duration_ms: number): Promise<void> | undefined {
    if (duration_ms === 0) return undefined;
    return new Promise((resolve) => this.#on.agenda.add(this.#account.now_ms() + duration_ms, resolve));
  }
}

interface Work {
  readonly found: FoundRoute;
  readonly method: string;
  readonly path: string;
  readonly form: string;
  readonly parsed: FormNode;
  readonly requestId: string;
  readonly key: string | null;
  readonly faults: RequestFaults;
  readonly forced: ForcedOutcome;
}

/** Stands in the journal for a form with a card's number, which every operation refuses before it makes anything. */
const number_only = "card[number]=0";

function hasCardNumber(form: FormNode): boolean {
  for (const [name, value] of form) {
    if (typeof value === "string") continue;
    if ((name === "card" && value.has("number")) || hasCardNumber(value)) return true;
  }
  return false;
}

function endpointOf({ method, path }: Work): string {
  return `${method} ${path}`;
}

function act(account: Account, { found, parsed, requestId, key, forced }: Work): Carried {
  account.events.cause = { id: requestId, idempotency_key: key };
  try {
    const params = new Parameters(parsed);
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

function readRequest(request: SimulatorRequest): { found: FoundRoute; path: string; form: string } {
  if (request.path.length > path_length_max)
    throw new ApiError(
      414,
      { type: "invalid_request_error", message: "Request URI too long." },
      { isStored: false },
    );
  const query = request.path.indexOf("?");
  const path = query === -1 ? request.path : request.path.slice(0, query);
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
  return {
    found,
    path,
    form: request.method === "POST" ? request.body : request.path.slice(path.length + 1),
  };
}

function keptError(error: ApiError, requestId: string): KeptReply {
  return { status: error.status, body: JSON.stringify({ error: error.body }), requestId };
}

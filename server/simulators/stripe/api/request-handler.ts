import type { Account } from "../account.js";
import { api_version } from "../webhooks/event-log.js";
import { ApiError } from "./api-error.js";
import type { ForcedOutcome } from "./call.js";
import { expand, readExpand } from "./expand.js";
import { decodeForm } from "./form.js";
import { KeptReplies, type KeptReply } from "./kept-replies.js";
import { Parameters } from "./parameters.js";
import { findRoute, type FoundRoute } from "./router.js";
import { checkSecretKey } from "./secret-key.js";

/** A request to the API, however it came. */
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

const path_length_max = 8_192;

/** Takes requests through authentication, idempotency and the routes to replies. */
export class RequestHandler {
  readonly #account: Account;
  readonly #kept: KeptReplies;

  constructor(account: Account) {
    this.#account = account;
    this.#kept = new KeptReplies(account.settings.limits.idempotencyKeys_max);
  }

  async handle(request: SimulatorRequest): Promise<SimulatorReply> {
    const requestId = this.#account.ids.next("req");
    const key = request.method === "POST" ? request.headers["idempotency-key"] : undefined;
    try {
      return await this.#answer(request, requestId, key);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return this.#reply(keptError(error, requestId), requestId, key, error.headers);
    }
  }

  async #answer(
    request: SimulatorRequest,
    requestId: string,
    key: string | undefined,
  ): Promise<SimulatorReply> {
    checkSecretKey(request.headers["authorization"]);
    const { found, form } = readRequest(request);
    if (key === undefined) {
      const { kept, headers } = this.#carryOut(found, form, requestId, null, {});
      return this.#reply(kept, requestId, key, headers);
    }
    const claimed = this.#kept.claim(
      key,
      `${request.method} ${pathOf(request)}`,
      form,
      this.#account.now_ms(),
    );
    if (claimed !== "claimed") return this.#reply(claimed, requestId, key, { "idempotent-replayed": "true" });
    let isKept = false;
    try {
      const { kept, isStored, headers } = this.#carryOut(found, form, requestId, key, {});
      if (isStored) this.#kept.keep(key, kept);
      isKept = isStored;
      return this.#reply(kept, requestId, key, headers);
    } finally {
      if (!isKept) this.#kept.release(key);
    }
  }

  #carryOut(
    { route, ids }: FoundRoute,
    form: string,
    requestId: string,
    key: string | null,
    forced: ForcedOutcome,
  ): { kept: KeptReply; isStored: boolean; headers: Readonly<Record<string, string>> } {
    const account = this.#account;
    account.events.cause = { id: requestId, idempotency_key: key };
    try {
      const params = new Parameters(decodeForm(form));
      const paths = readExpand(params);
      const shown = expand(account, route.act({ account, ids, params, forced }), paths);
      return { kept: { status: 200, body: JSON.stringify(shown), requestId }, isStored: true, headers: {} };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { kept: keptError(error, requestId), isStored: error.isStored, headers: error.headers };
    } finally {
      account.events.cause = null;
    }
  }

  #reply(
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

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { Caller, Identity, KeyKind } from "../identity/index.js";
import type { Log } from "../kernel/log.js";
import type { LoadShedding } from "./load-shedding.js";
import { endWhenLate } from "./request-time.js";
import { problemOf } from "./problem-handler.js";

/** What a direct route answers. */
export interface DirectAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: string;
}

/** A POST route that is so hot that the framework's share of a request counts: single events, thousands a second. */
export interface DirectRoute {
  readonly path: string;
  readonly kinds: readonly KeyKind[];
  /** @throws (or rejects) as a handler of Fastify would */
  handle(caller: Caller, contentType: string | undefined, body: Uint8Array): Promise<DirectAnswer>;
}

export interface DirectOptions {
  readonly identity: Identity;
  readonly shedding: LoadShedding;
  readonly log: Log;
  readonly nextRequestId: () => string;
}

/** Larger bodies cost so much themselves that Fastify's share is nothing. */
const body_bytes_max = 16 * 1024;

/** Sends a direct route's answer through Fastify. */
export function sendAnswer(reply: FastifyReply, { status, headers, body }: DirectAnswer): FastifyReply {
  return reply.code(status).headers(headers).send(body);
}

/**
 * Answers the common case of these routes ahead of Fastify: a small, plain body of told length, a key that is in the
 * cache, no pressure. Everything else, refusals of keys included, falls through to the same route in Fastify, which is
 * a third slower (docs/decisions/0026-direct-routes.md).
 */
export function answerDirectly(
  app: FastifyInstance,
  routes: readonly DirectRoute[],
  options: DirectOptions,
): void {
  const byPath = new Map(routes.map((route) => [route.path, route]));
  const keys = new ConnectionKeys(options.identity);
  const { server } = app;
  const [framework] = server.listeners("request") as RequestListener[];
  if (framework === undefined) throw new Error("Fastify listens to no requests");
  let closing = false;
  app.addHook("preClose", (done) => {
    closing = true;
    done();
  });
  server.removeAllListeners("request");
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const route = request.method === "POST" && !closing ? byPath.get(request.url ?? "") : undefined;
    if (route !== undefined && options.shedding.refusal() === undefined) {
      const bytes = plainLength(request);
      const caller = bytes === undefined ? undefined : keys.callerOf(request);
      if (bytes !== undefined && caller !== undefined && route.kinds.includes(caller.kind)) {
        receive(request, response, bytes, route, caller, options);
        return;
      }
    }
    framework(request, response);
  });
}

/** How long a body is that needs nothing but reading; undefined when it needs more. */
function plainLength({ headers }: IncomingMessage): number | undefined {
  if (headers["content-encoding"] !== undefined || headers.expect !== undefined) return undefined;
  const bytes = Number(headers["content-length"]);
  return bytes > 0 && bytes <= body_bytes_max ? bytes : undefined;
}

function receive(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: number,
  route: DirectRoute,
  caller: Caller,
  options: DirectOptions,
): void {
  let body: Buffer | undefined;
  endWhenLate(request);
  // The parser lets exactly the told length through; a connection that breaks before that ends the request by itself.
  request.on("data", (chunk: Buffer) => {
    body = body === undefined ? chunk : Buffer.concat([body, chunk]);
    if (body.length < bytes) return;
    options.shedding.enter();
    route
      .handle(caller, request.headers["content-type"], body)
      .then(
        (answer) => write(response, answer),
        (error: unknown) => writeProblem(request, response, error, options),
      )
      .finally(() => options.shedding.leave());
  });
}

function write(response: ServerResponse, { status, headers, body }: DirectAnswer): void {
  if (body === undefined) {
    response.writeHead(status, headers).end();
    return;
  }
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

function writeProblem(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  { log, nextRequestId }: DirectOptions,
): void {
  const { method = "", url = "" } = request;
  const problem = problemOf(error, { id: nextRequestId(), method, url }, log);
  const body = JSON.stringify(problem);
  const seconds = problem["retryAfterSeconds"];
  if (typeof seconds === "number") response.setHeader("retry-after", String(seconds));
  const headers = { "content-type": "application/problem+json", "content-length": Buffer.byteLength(body) };
  response.writeHead(problem.status, headers).end(body);
}

/** Hashing the key costs a small request a twentieth: a connection whose header is the same is hashed once. */
class ConnectionKeys {
  readonly #identity: Identity;
  readonly #hashes = new WeakMap<Socket, { readonly header: string; readonly hash: string | undefined }>();

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /** Undefined when the key is unknown, or the store must be asked first. */
  callerOf({ socket, headers }: IncomingMessage): Caller | undefined {
    const header = headers.authorization;
    if (header === undefined) return undefined;
    let known = this.#hashes.get(socket);
    if (known?.header !== header) {
      known = { header, hash: this.#identity.hashOf(header) };
      this.#hashes.set(socket, known);
    }
    return known.hash === undefined ? undefined : this.#identity.known(known.hash);
  }
}

import type { Socket } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ColumnarLimitExceeded } from "../engines/columnar/index.js";
import type { Log } from "../kernel/log.js";
import { makeProblem, Refusal, type Problem } from "../kernel/problem.js";

/** Answers every error as application/problem+json (RFC 9457); what is unexpected is masked and logged. */
export function installProblemHandler(app: FastifyInstance, log: Log): void {
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      makeProblem(
        "not-found",
        404,
        "No such route",
        `${request.method} ${request.url.split("?", 1)[0] ?? ""} leads nowhere.`,
      ),
    ),
  );
  app.setErrorHandler((error: FastifyError, request, reply) =>
    sendProblem(reply, problemOf(error, request, log)),
  );
}

// A Buffer, since Fastify adds a charset to text, and OpenMeter's client compares the whole content type.
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const seconds = problem["retryAfterSeconds"];
  if (typeof seconds === "number") reply.header("retry-after", String(seconds));
  if (problem.status === 401) reply.header("www-authenticate", "Bearer");
  // Fastify closes the connection after an error in a body. A client that is still sending would then get a broken pipe
  // in the place of this answer; what is left of the body is read and dropped instead, within the request's time limit.
  return reply
    .removeHeader("connection")
    .code(problem.status)
    .header("content-type", "application/problem+json")
    .send(Buffer.from(JSON.stringify(problem)));
}

const head_problems: Readonly<Record<string, readonly [status: number, reason: string, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout", "The request did not arrive in time."],
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large", "The request's headers are over 16 KiB."],
};
const bad_head = [
  400,
  "Bad Request",
  "This is not a request of HTTP/1.1, or its head contradicts itself.",
] as const;

/** Answers what is no HTTP request, which reaches no route, and closes the connection. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  const [status, reason, detail] = head_problems[error.code ?? ""] ?? bad_head;
  const body = JSON.stringify(makeProblem("bad-request", status, "The request is not valid", detail));
  if (socket.writable) {
    const head = `content-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`;
    socket.write(`HTTP/1.1 ${status} ${reason}\r\n${head}\r\n\r\n${body}`);
  }
  socket.destroy(error);
}

/** The problem document of any error. */
export function problemOf(
  error: unknown,
  request: Pick<FastifyRequest, "id" | "method" | "url">,
  log: Log,
): Problem {
  if (error instanceof Refusal) return error.problem;
  if (isOutage(error)) {
    const detail =
      "Weir cannot store or read this now, and nothing of it was lost or half done. Send it again.";
    return makeProblem("unavailable", 503, "Temporarily unavailable", detail, {
      retryAfterSeconds: error.retryAfterSeconds,
      ...(error.reason === undefined ? {} : { reason: error.reason }),
    });
  }
  if (error instanceof ColumnarLimitExceeded) {
    const detail =
      "The answer would take more time, memory or rows than one question may. Ask for a shorter time, larger windows, or fewer groups.";
    return makeProblem("query-too-large", 422, "The question is too large", detail);
  }
  if (isClientError(error)) {
    const slug = error.statusCode === 413 ? "body-too-large" : "bad-request";
    return makeProblem(slug, error.statusCode, "The request is not valid", error.message);
  }
  log.error("a request failed", {
    request: request.id,
    route: `${request.method} ${request.url.split("?", 1)[0] ?? ""}`,
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  const detail = `This is Weir's fault. The log has it under request ${request.id}.`;
  return makeProblem("internal", 500, "Internal error", detail, { request: request.id });
}

/** Every outage of a store names itself so: StoreUnavailable, StreamUnavailable, ColumnarUnavailable. */
function isOutage(error: unknown): error is Error & { retryAfterSeconds: number; reason?: string } {
  return error instanceof Error && "retry" in error && error.retry === true && "retryAfterSeconds" in error;
}

function isClientError(error: unknown): error is Error & { statusCode: number } {
  if (!(error instanceof Error) || !("statusCode" in error)) return false;
  return typeof error.statusCode === "number" && error.statusCode >= 400 && error.statusCode < 500;
}

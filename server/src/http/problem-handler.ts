import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
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
  return reply
    .code(problem.status)
    .header("content-type", "application/problem+json")
    .send(Buffer.from(JSON.stringify(problem)));
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

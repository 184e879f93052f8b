import type { IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";
import { answerClientError } from "./problem-handler.js";

/** How long a request may take to arrive whole: an event is there at once, a file of a gibibyte takes its time. */
export const request_ms_max = 60_000;
export const upload_ms_max = 3_600_000;

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether a body of this content type is a file, which may take `upload_ms_max` to arrive. */
    readonly isUpload?: (contentType: string | undefined) => boolean;
  }
}

/** Node knows one limit for all requests, the uploads'; this is the other routes'. */
export function limitRequestTime(app: FastifyInstance, ms_max = request_ms_max): void {
  app.addHook("preParsing", (request, _reply, payload, done) => {
    const { isUpload } = request.routeOptions.config;
    if (isUpload?.(request.headers["content-type"]) !== true) endWhenLate(request.raw, ms_max);
    done(null, payload);
  });
}

/** Answers 408 and closes the connection when the request has not arrived whole by then. */
export function endWhenLate(request: IncomingMessage, ms_max = request_ms_max): void {
  const timer = setTimeout(() => {
    const late = Object.assign(new Error("the request did not arrive in time"), {
      code: "ERR_HTTP_REQUEST_TIMEOUT",
    });
    answerClientError(late, request.socket);
  }, ms_max);
  timer.unref();
  const stop = () => clearTimeout(timer);
  request.once("end", stop).once("close", stop);
}

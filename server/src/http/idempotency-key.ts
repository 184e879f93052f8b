import type { FastifyRequest } from "fastify";

/** The Idempotency-Key header: a change that is sent again under it is answered as the first time. */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const value = request.headers["idempotency-key"];
  return typeof value === "string" ? value : undefined;
}

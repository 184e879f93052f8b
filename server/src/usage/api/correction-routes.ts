import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { authenticated, callerOf } from "../../http/authentication.js";
import { idempotencyKeyOf } from "../../http/idempotency-key.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { Services } from "../../services.js";
import { bodyOf } from "./event-routes.js";
import { parseJson } from "./import-routes.js";

const named = { source: z.string().min(1), id: z.string().min(1), reason: z.string() };
const voiding = z.object(named);
const amending = z.object({
  ...named,
  change: z
    .object({
      type: z.string().optional(),
      subject: z.string().optional(),
      time: z.string().optional(),
      data: z.unknown().optional(),
    })
    .refine((change) => Object.keys(change).length > 0, "change at least one of type, subject, time, data"),
});

/** POST /v1/events/void and /v1/events/amend: corrections that are appended, audited, and keep the evidence. */
export function registerCorrectionRoutes(app: FastifyInstance, services: Services): void {
  const { corrections } = services.usage;
  const mayWrite = { preHandler: authenticated(services, "secret") };

  app.post("/v1/events/void", mayWrite, async (request, reply) => {
    const { source, id, reason } = read(voiding, bodyOf(request));
    const target = { source, id, reason };
    return reply.code(202).send(await corrections.void(callerOf(request), target, idempotencyKeyOf(request)));
  });

  app.post("/v1/events/amend", mayWrite, async (request, reply) => {
    const { source, id, reason, change } = read(amending, bodyOf(request));
    const { type, subject, time, data } = change;
    const amendment = {
      ...(type === undefined ? {} : { type }),
      ...(subject === undefined ? {} : { subject }),
      ...(time === undefined ? {} : { time }),
      ...(data === undefined ? {} : { data }),
    };
    const target = { source, id, reason };
    return reply
      .code(202)
      .send(await corrections.amend(callerOf(request), target, amendment, idempotencyKeyOf(request)));
  });
}

function read<T>(schema: z.ZodType<T>, body: Uint8Array): T {
  const parsed = schema.safeParse(parseJson(body));
  if (parsed.success) return parsed.data;
  const detail = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new Refusal(makeProblem("invalid-correction", 400, "The correction is not valid", detail));
}

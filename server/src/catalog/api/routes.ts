import type { FastifyInstance } from "fastify";
import { authenticated, callerOf } from "../../http/authentication.js";
import { idempotencyKeyOf } from "../../http/idempotency-key.js";
import { parseInstant } from "../../kernel/instant.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { Services } from "../../services.js";
import type { ApplyOptions } from "../file/index.js";

/** The catalog as a file: what the command line and the SDK need. Everything else is GraphQL's. */
export function registerCatalogRoutes(app: FastifyInstance, services: Services): void {
  const mayWrite = { preHandler: authenticated(services, "secret") };
  const mayRead = { preHandler: authenticated(services, "secret", "read") };

  app.get("/v1/catalog", mayRead, async (request, reply) => {
    const text = await services.catalogFiles.export(callerOf(request).organization);
    return reply.header("content-type", "application/yaml; charset=utf-8").send(text);
  });

  app.post("/v1/catalog/apply", mayWrite, async (request) => {
    const search = new URLSearchParams(request.url.split("?", 2)[1] ?? "");
    const body = Buffer.isBuffer(request.body) ? request.body.toString("utf8") : "";
    return services.catalogFiles.apply(
      callerOf(request),
      body,
      readOptions(search),
      idempotencyKeyOf(request),
    );
  });
}

/** @throws Refusal 400 */
function readOptions(search: URLSearchParams): ApplyOptions {
  const dryRun = search.get("dryRun") ?? "false";
  if (dryRun !== "true" && dryRun !== "false" && dryRun !== "")
    throw refuseParameter("dryRun", `"${dryRun.slice(0, 60)}" is neither true nor false`);
  const effectiveFrom = search.get("effectiveFrom");
  const instant = effectiveFrom === null ? undefined : parseInstant(effectiveFrom);
  if (effectiveFrom !== null && instant === undefined)
    throw refuseParameter(
      "effectiveFrom",
      `"${effectiveFrom.slice(0, 60)}" is not RFC 3339, such as 2026-01-31T00:00:00Z`,
    );
  return { dryRun: dryRun !== "false", ...(instant === undefined ? {} : { effectiveFrom: instant }) };
}

function refuseParameter(name: string, message: string): Refusal {
  const errors = [{ field: name, message }];
  return new Refusal(
    makeProblem("invalid-parameter", 400, "A parameter is not valid", `${name}: ${message}.`, { errors }),
  );
}

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { authenticated, callerOf } from "../../http/authentication.js";
import { formatInstant } from "../../kernel/instant.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { Services } from "../../services.js";
import type { StoredImport } from "../store/imports.js";
import { bodyFormatOf, bodyOf, describeReceipt } from "./event-routes.js";

const start = z.object({ name: z.string().min(1).max(256), fingerprint: z.string().min(1).max(256) });
const chunkQuery = z.object({
  firstRow: z.coerce.number().int().nonnegative(),
  rows: z.coerce.number().int().positive().max(1_000_000),
});

/**
 * /v1/imports: named, resumable imports of history.
 * POST {name, fingerprint} starts one or finds it; POST {id}/events?firstRow=&rows= takes a chunk, rows being the
 * source rows that it covers; POST {id}/complete ends it.
 */
export function registerImportRoutes(app: FastifyInstance, services: Services): void {
  const { imports } = services.usage;
  const mayWrite = { preHandler: authenticated(services, "secret") };
  const mayRead = { preHandler: authenticated(services, "secret", "read") };

  app.get("/v1/imports", mayRead, async (request) => ({
    imports: (await imports.list(callerOf(request).organization)).map(describeImport),
  }));

  app.post("/v1/imports", mayWrite, async (request) => {
    const input = read(start, parseJson(bodyOf(request)), "invalid-import");
    return describeImport(await imports.start(callerOf(request), input));
  });

  app.get<{ Params: { id: string } }>("/v1/imports/:id", mayRead, async (request) =>
    describeImport(await imports.get(callerOf(request).organization, request.params.id)),
  );

  app.post<{ Params: { id: string } }>("/v1/imports/:id/events", mayWrite, async (request, reply) => {
    const { firstRow, rows } = read(chunkQuery, request.query, "invalid-import-chunk");
    const format = bodyFormatOf(request.headers["content-type"]);
    const chunk = { firstRow, rows, body: bodyOf(request), format };
    const receipt = await imports.takeChunk(callerOf(request), request.params.id, chunk);
    return reply.code(202).send({ ...describeReceipt(receipt), rowsDone: receipt.rowsDone });
  });

  app.post<{ Params: { id: string } }>("/v1/imports/:id/complete", mayWrite, async (request) =>
    describeImport(await imports.complete(callerOf(request), request.params.id)),
  );
}

/** @throws Refusal 400 */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    const detail = `Send a JSON body: ${(error as Error).message}`;
    throw new Refusal(makeProblem("body-not-json", 400, "The body is not JSON", detail));
  }
}

function read<T>(schema: z.ZodType<T>, value: unknown, slug: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const detail = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new Refusal(makeProblem(slug, 400, "The request is not valid", detail));
}

function describeImport(entry: StoredImport) {
  return {
    ...entry,
    createdAt: formatInstant(entry.createdAt),
    completedAt: entry.completedAt === undefined ? null : formatInstant(entry.completedAt),
  };
}

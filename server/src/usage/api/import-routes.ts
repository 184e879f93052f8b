import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { authenticated, callerOf } from "../../http/authentication.js";
import { formatInstant } from "../../kernel/instant.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { Services } from "../../services.js";
import type { StoredImport } from "../store/imports.js";
import { bodyFormatOf, bodyOf, describeReceipt } from "./event-routes.js";
import { read } from "./import-request.js";
import { fileTypes, isFileType, uploadImport } from "./import-upload.js";

const start = z.object({ name: z.string().min(1).max(256), fingerprint: z.string().min(1).max(256) });
const listQuery = z.object({
  after: z.string().min(1).max(256).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(200),
});
const chunkQuery = z.object({
  firstRow: z.coerce.number().int().nonnegative(),
  rows: z.coerce.number().int().positive().max(1_000_000),
});

/**
 * /v1/imports: named, resumable imports of history. POST of a file, as CSV or NDJSON, keeps it and takes it in
 * (import-upload.ts). POST {name, fingerprint} starts one whose rows the client sends, or finds it;
 * POST {id}/events?firstRow=&rows= takes a chunk, rows being the source rows that it covers; POST {id}/complete ends it.
 */
export function registerImportRoutes(app: FastifyInstance, services: Services): void {
  const { imports } = services.usage;
  const mayWrite = { preHandler: authenticated(services, "secret") };
  const mayRead = { preHandler: authenticated(services, "secret", "read") };

  app.get("/v1/imports", mayRead, async (request) => {
    const page = read(listQuery, request.query, "invalid-page");
    const found = await imports.list(callerOf(request).organization, { ...page, limit: page.limit + 1 });
    const shown = found.slice(0, page.limit);
    const next = found.length > page.limit ? (shown.at(-1)?.id ?? null) : null;
    return { imports: shown.map(describeImport), next };
  });

  // A scope of its own, since only here files are taken as they come.
  app.register(async (scope) => {
    scope.addContentTypeParser(fileTypes, (_request, payload, done) => done(null, payload));
    const options = { ...mayWrite, config: { isUpload: isFileType } };
    scope.post("/v1/imports", options, async (request, reply) => {
      const caller = callerOf(request);
      if (isFileType(request.headers["content-type"]))
        return reply.code(202).send(describeImport(await uploadImport(services, caller, request)));
      const input = read(start, parseJson(bodyOf(request)), "invalid-import");
      return describeImport(await imports.start(caller, input));
    });
  });

  app.get<{ Params: { id: string } }>("/v1/imports/:id", mayRead, async (request) => {
    const { organization } = callerOf(request);
    const found = await imports.get(organization, request.params.id);
    return { ...describeImport(found), rejections: await imports.rejections(organization, found.id) };
  });

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

function describeImport({ file, failure, ...entry }: StoredImport) {
  return {
    ...entry,
    file: file === undefined ? null : { bytes: file.bytes, bytesDone: file.bytesDone, run: file.run },
    failure: failure ?? null,
    createdAt: formatInstant(entry.createdAt),
    completedAt: entry.completedAt === undefined ? null : formatInstant(entry.completedAt),
  };
}

import type { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { authenticated, callerOf } from "../../http/authentication.js";
import { withDecodedBody } from "../../http/body.js";
import { formatInstant } from "../../kernel/instant.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { Services } from "../../services.js";
import { refuseSize } from "../file-refusals.js";
import type { SettlementFile } from "../settlement-files.js";

const query = z.strictObject({
  account: z.string().min(1).max(64),
  /** The file's own, for people. */
  name: z.string().min(1).max(256),
  format: z.string().min(1).max(64).optional(),
});

/**
 * POST /v1/settlement/files?account=&name=&format= keeps the body, of any type, as a file and has it read: 202, or 200 with
 * `alreadyLanded` for one that is there. GET /v1/settlement/files/{id} tells how far it is.
 */
export function registerSettlementRoutes(app: FastifyInstance, services: Services): void {
  const mayWrite = { preHandler: authenticated(services, "secret") };
  const mayRead = { preHandler: authenticated(services, "secret", "read") };

  // A scope of its own: here every body is taken as it comes.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    const options = { ...mayWrite, config: { isUpload: () => true } };
    scope.post("/v1/settlement/files", options, async (request, reply) => {
      const { account, name, format } = read(request.query);
      const { "content-encoding": encoding, "content-length": length } = request.headers;
      const { fileBytesMax } = services.config.settlement;
      if (encoding === undefined && Number(length) > fileBytesMax) throw refuseSize(fileBytesMax);
      if (request.body === undefined || request.body === null) throw noBody();
      const { file, isNew } = await withDecodedBody(
        request.body as Readable,
        encoding,
        services.config.ingest.bodyBytesMax,
        (body) => services.settlement.landing.land(callerOf(request), { account, name, format, body }),
      );
      return reply.code(isNew ? 202 : 200).send({ ...describeFile(file), alreadyLanded: !isNew });
    });
  });

  app.get<{ Params: { id: string } }>("/v1/settlement/files/:id", mayRead, async (request) =>
    describeFile(await services.settlement.files.get(callerOf(request).organization, request.params.id)),
  );
}

function describeFile(file: SettlementFile) {
  const { id, account, name, sha256, state, bytes, bytesDone, run, stopped, refusal } = file;
  const { records, repeated, matched, unmatched, posted, landedAt, endedAt } = file;
  return {
    id,
    account,
    name,
    sha256,
    state,
    bytes,
    bytesDone,
    format: file.format ?? file.askedFormat ?? null,
    records,
    repeated,
    matched,
    unmatched,
    posted,
    refusal: refusal ?? null,
    run: run ?? null,
    failure: stopped === undefined ? null : (stopped.error ?? stopped.state),
    landedAt: formatInstant(landedAt),
    endedAt: endedAt === undefined ? null : formatInstant(endedAt),
  };
}

/** @throws Refusal 400 naming each fault */
function read(given: unknown): z.infer<typeof query> {
  const parsed = query.safeParse(given);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({ field: path.join("."), message }));
  const detail = errors
    .map(({ field, message }) => `${field === "" ? "query" : field}: ${message}`)
    .join("; ");
  throw new Refusal(
    makeProblem("invalid-settlement-file", 400, "The query is not valid", detail, { errors }),
  );
}

function noBody(): Refusal {
  const detail = "Send the file as the body, with any content type.";
  return new Refusal(makeProblem("body-missing", 400, "There is no file", detail));
}

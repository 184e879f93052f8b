import type { Readable } from "node:stream";
import type { SourceFormat } from "@weir/sdk/files";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { withDecodedBody } from "../../http/body.js";
import type { Caller } from "../../identity/index.js";
import type { Services } from "../../services.js";
import { refuseSize } from "../file-imports/index.js";
import type { StoredImport } from "../store/imports.js";
import { read } from "./import-request.js";

const shapes: Readonly<Record<string, { readonly format: SourceFormat; readonly delimiter: string }>> = {
  "text/csv": { format: "csv", delimiter: "," },
  "text/tab-separated-values": { format: "csv", delimiter: "\t" },
  "application/x-ndjson": { format: "ndjson", delimiter: "," },
  "application/ndjson": { format: "ndjson", delimiter: "," },
  "application/jsonl": { format: "ndjson", delimiter: "," },
};

export const fileTypes = Object.keys(shapes);

/** Whether a content type is that of a file to be imported. */
export function isFileType(contentType: string | undefined): boolean {
  return shapes[mediaTypeOf(contentType)] !== undefined;
}

function mediaTypeOf(contentType: string | undefined): string {
  return contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

const text = z.string().min(1).max(2048);
const texts = z
  .union([text.transform((one) => [one]), z.array(text)])
  .pipe(z.array(text).max(1_000))
  .default([]);

/** The mapping of `weir events import`, by the same names. */
const query = z.strictObject({
  name: z.string().min(1).max(256),
  /** Part of the default ids and source; the name when left out. */
  file: z.string().min(1).max(256).optional(),
  type: text.optional(),
  subject: text.optional(),
  time: text.optional(),
  id: text.optional(),
  source: text.optional(),
  data: texts,
  forEachSubject: texts.refine((all) => new Set(all).size === all.length, "names a subject twice"),
});

/**
 * POST /v1/imports?name=&type=&time=&subject=&data=…: keeps the body as a file, from where it is taken in.
 * @throws Refusal 400, 409, 413, 415 or 429
 */
export async function uploadImport(
  services: Services,
  caller: Caller,
  request: FastifyRequest,
): Promise<StoredImport> {
  const { config, usage } = services;
  const { name, file, ...given } = read(query, request.query, "invalid-import");
  const shape = shapes[mediaTypeOf(request.headers["content-type"])];
  if (shape === undefined) throw new Error("an upload of a type that is none of a file");
  const { "content-encoding": encoding, "content-length": length } = request.headers;
  const { fileBytesMax } = config.imports;
  if (encoding === undefined && Number(length) > fileBytesMax) throw refuseSize(fileBytesMax);
  const mapping = { dataSet: file ?? name, ...given };
  const body = request.body as Readable;
  return withDecodedBody(body, encoding, config.ingest.bodyBytesMax, (decoded) =>
    usage.fileImports.upload(caller, { name, shape: { ...shape, mapping }, body: decoded }),
  );
}

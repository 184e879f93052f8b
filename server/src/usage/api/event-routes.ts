import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { authenticated, callerOf } from "../../http/authentication.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { Services } from "../../services.js";
import type { BodyFormat } from "../core/index.js";
import type { IngestReceipt } from "../ingest.js";

const formats: Readonly<Record<string, BodyFormat>> = {
  "application/cloudevents+json": "single",
  "application/cloudevents-batch+json": "batch",
  "application/json": "json",
  "text/json": "json",
  "application/x-ndjson": "ndjson",
  "application/ndjson": "ndjson",
  "application/jsonl": "ndjson",
};

/** The format that a content type names. @throws Refusal 415 listing those there are */
export function bodyFormatOf(contentType: string | undefined): BodyFormat {
  const mediaType = (contentType ?? "application/json").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const format = formats[mediaType];
  if (format !== undefined) return format;
  const detail = `"${mediaType}" is not a format of events. Send one of: ${Object.keys(formats).join(", ")}.`;
  throw new Refusal(makeProblem("unsupported-content-type", 415, "Unsupported content type", detail));
}

export function bodyOf(request: FastifyRequest): Uint8Array {
  return request.body instanceof Uint8Array ? request.body : new Uint8Array();
}

/** POST /v1/events: usage events in, counts out (202). POST /api/v1/events: the same as OpenMeter does it (204). */
export function registerEventRoutes(app: FastifyInstance, services: Services): void {
  const ingest = (request: FastifyRequest): Promise<IngestReceipt> => {
    const format = bodyFormatOf(request.headers["content-type"]);
    return services.usage.ingest.acceptBody(callerOf(request).organization, bodyOf(request), format);
  };
  const mayWrite = { preHandler: authenticated(services, "ingest", "secret") };

  app.post("/v1/events", mayWrite, async (request, reply) => {
    const receipt = await ingest(request);
    return reply.code(202).send(describeReceipt(receipt));
  });

  app.post("/api/v1/events", mayWrite, async (request, reply) => {
    const receipt = await ingest(request);
    return countInHeaders(reply, receipt).code(204).send();
  });
}

/** A receipt as JSON; lists are cut at 1,000 entries, counts are whole. */
export function describeReceipt(receipt: IngestReceipt) {
  return {
    accepted: receipt.accepted,
    duplicates: receipt.duplicates,
    conflicting: receipt.conflicts.length,
    unmetered: receipt.unmetered.length,
    ...(receipt.conflicts.length === 0 ? {} : { conflicts: receipt.conflicts.slice(0, 1000) }),
    ...(receipt.unmetered.length === 0 ? {} : { unmeteredEvents: receipt.unmetered.slice(0, 1000) }),
  };
}

function countInHeaders(reply: FastifyReply, receipt: IngestReceipt): FastifyReply {
  return reply.headers({
    "weir-accepted": receipt.accepted,
    "weir-duplicates": receipt.duplicates,
    "weir-conflicting": receipt.conflicts.length,
    "weir-unmetered": receipt.unmetered.length,
  });
}

import type { FastifyInstance, FastifyRequest } from "fastify";
import { authenticated, callerOf } from "../../http/authentication.js";
import { sendAnswer, type DirectRoute } from "../../http/direct-route.js";
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

const json_headers = { "content-type": "application/json; charset=utf-8" } as const;

/** The format that a content type names. @throws Refusal 415 listing those there are */
export function bodyFormatOf(contentType: string | undefined): BodyFormat {
  const plain = contentType === undefined ? undefined : formats[contentType];
  if (plain !== undefined) return plain;
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
export function eventRoutes(services: Services): DirectRoute[] {
  const { ingest } = services.usage;
  const kinds = ["ingest", "secret"] as const;
  return [
    {
      path: "/v1/events",
      kinds,
      async handle(caller, contentType, body) {
        const receipt = await ingest.acceptBody(caller.organization, body, bodyFormatOf(contentType));
        return { status: 202, headers: json_headers, body: JSON.stringify(describeReceipt(receipt)) };
      },
    },
    {
      path: "/api/v1/events",
      kinds,
      async handle(caller, contentType, body) {
        const receipt = await ingest.acceptBody(caller.organization, body, bodyFormatOf(contentType));
        return { status: 204, headers: countsAsHeaders(receipt) };
      },
    },
  ];
}

export function registerEventRoutes(app: FastifyInstance, services: Services): void {
  for (const route of eventRoutes(services)) {
    const mayWrite = { preHandler: authenticated(services, ...route.kinds) };
    app.post(route.path, mayWrite, async (request, reply) => {
      const contentType = request.headers["content-type"];
      return sendAnswer(reply, await route.handle(callerOf(request), contentType, bodyOf(request)));
    });
  }
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

function countsAsHeaders(receipt: IngestReceipt): Record<string, number> {
  return {
    "weir-accepted": receipt.accepted,
    "weir-duplicates": receipt.duplicates,
    "weir-conflicting": receipt.conflicts.length,
    "weir-unmetered": receipt.unmetered.length,
  };
}

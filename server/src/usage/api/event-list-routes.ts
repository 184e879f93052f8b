import type { FastifyInstance } from "fastify";
import { authenticated, callerOf } from "../../http/authentication.js";
import { formatInstant, parseInstant, type Instant } from "../../kernel/instant.js";
import type { Services } from "../../services.js";
import type { EventListRequest, StoredEvent } from "../store/find-events.js";
import { refuseQuery } from "../usage-query.js";

/** GET /v1/events and OpenMeter's GET /api/v1/events: events as they stand, newest first. */
export function registerEventListRoutes(app: FastifyInstance, services: Services): void {
  const { queries } = services.usage;
  const mayRead = { preHandler: authenticated(services, "secret", "read") };

  app.get("/v1/events", mayRead, async (request) => {
    const search = new URLSearchParams(request.url.split("?", 2)[1] ?? "");
    const page = await queries.events(callerOf(request).organization, readRequest(search, 1000));
    return { events: page.rows.map(describeEvent), next: page.next ?? null };
  });

  app.get("/api/v1/events", mayRead, async (request) => {
    const search = new URLSearchParams(request.url.split("?", 2)[1] ?? "");
    const page = await queries.events(callerOf(request).organization, readRequest(search, 100));
    return page.rows.map((event) => ({
      event: { specversion: "1.0", ...eventOf(event) },
      ingestedAt: formatInstant(event.receivedAt),
      storedAt: formatInstant(event.receivedAt),
    }));
  });
}

function readRequest(search: URLSearchParams, limit_max: number): EventListRequest {
  const instant = (name: string): Instant | undefined => {
    const text = search.get(name);
    if (text === null || text === "") return undefined;
    const parsed = parseInstant(text);
    if (parsed === undefined)
      throw refuseQuery(name, `"${text}" is not RFC 3339, such as 2026-01-31T00:00:00Z`);
    return parsed;
  };
  const limit = Number(search.get("limit") ?? "100");
  if (!Number.isInteger(limit) || limit < 1 || limit > limit_max)
    throw refuseQuery("limit", `give 1 to ${limit_max}`);
  const from = instant("from");
  const to = instant("to");
  const texts = ["type", "subject", "source", "id", "after"] as const;
  const given = texts.flatMap((name) => {
    const value = search.get(name);
    return value === null || value === "" ? [] : [[name, value] as const];
  });
  return {
    limit,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...Object.fromEntries(given),
  };
}

function eventOf(event: StoredEvent) {
  return {
    source: event.source,
    id: event.id,
    type: event.type,
    subject: event.subject,
    time: formatInstant(event.time),
    data: event.data === "" ? null : (JSON.parse(event.data) as unknown),
  };
}

/** An event as JSON, with what Weir knows of it. */
export function describeEvent(event: StoredEvent) {
  return {
    ...eventOf(event),
    receivedAt: formatInstant(event.receivedAt),
    revision: event.revision,
    voided: event.voided,
  };
}

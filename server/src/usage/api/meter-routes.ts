import type { FastifyInstance } from "fastify";
import { authenticated, callerOf } from "../../http/authentication.js";
import { idempotencyKeyOf } from "../../http/idempotency-key.js";
import type { Services } from "../../services.js";
import { bodyOf } from "./event-routes.js";
import { parseJson } from "./import-routes.js";
import { describeMeter, readMeterChange, readNewMeter } from "./meter-request.js";
import { parseUsageQuery, readQueryBody, readQueryString } from "./query-parameters.js";
import { describeUsage, sendUsageCsv } from "./usage-response.js";

interface OfMeter {
  Params: { meter: string };
}

/**
 * Meters and their usage: under /v1 as ours, under /api/v1 as OpenMeter's clients call them. They differ in two
 * things: ours writes quantities as exact decimal strings, OpenMeter's as JSON numbers; and ours can export.
 */
export function registerMeterRoutes(app: FastifyInstance, services: Services): void {
  const { meters, queries } = services.usage;
  const mayWrite = { preHandler: authenticated(services, "secret") };
  const mayRead = { preHandler: authenticated(services, "secret", "read") };

  for (const prefix of ["/v1", "/api/v1"] as const) {
    const numbers = prefix === "/api/v1" ? "json" : "text";

    app.get(`${prefix}/meters`, mayRead, async (request) => {
      const list = (await meters.list(callerOf(request).organization)).map(describeMeter);
      return prefix === "/v1" ? { meters: list } : list;
    });

    app.post(`${prefix}/meters`, mayWrite, async (request, reply) => {
      const meter = await meters.create(
        callerOf(request),
        readNewMeter(parseJson(bodyOf(request))),
        idempotencyKeyOf(request),
      );
      return reply.code(201).send(describeMeter(meter));
    });

    app.get<OfMeter>(`${prefix}/meters/:meter`, mayRead, async (request) =>
      describeMeter(await meters.get(callerOf(request).organization, request.params.meter)),
    );

    app.put<OfMeter>(`${prefix}/meters/:meter`, mayWrite, async (request) => {
      const change = readMeterChange(parseJson(bodyOf(request)));
      return describeMeter(
        await meters.change(callerOf(request), request.params.meter, change, idempotencyKeyOf(request)),
      );
    });

    app.delete<OfMeter>(`${prefix}/meters/:meter`, mayWrite, async (request, reply) => {
      await meters.archive(callerOf(request), request.params.meter, idempotencyKeyOf(request));
      return reply.code(204).send();
    });

    app.get<OfMeter>(`${prefix}/meters/:meter/query`, mayRead, async (request, reply) => {
      const search = new URLSearchParams(request.url.split("?", 2)[1] ?? "");
      const query = parseUsageQuery(request.params.meter, readQueryString(search));
      const { organization } = callerOf(request);
      const format = search.get("format") ?? request.headers.accept ?? "";
      if (/parquet/i.test(format)) {
        const bytes = await queries.exportParquet(organization, query);
        return reply.header("content-type", "application/vnd.apache.parquet").send(bytes);
      }
      const result = await queries.query(organization, query);
      if (/csv/i.test(format)) return sendUsageCsv(reply, result);
      return describeUsage(result, numbers);
    });

    app.post<OfMeter>(`${prefix}/meters/:meter/query`, mayRead, async (request) => {
      const body = parseJson(bodyOf(request));
      const raw = readQueryBody(
        body !== null && typeof body === "object" ? (body as Record<string, unknown>) : {},
      );
      const query = parseUsageQuery(request.params.meter, raw);
      return describeUsage(await queries.query(callerOf(request).organization, query), numbers);
    });

    app.get(`${prefix}/subjects`, mayRead, async (request) => {
      const subjects = await queries.subjects(callerOf(request).organization, { limit: 1000 });
      if (prefix === "/v1") return { subjects };
      return subjects.map((subject) => ({ id: subject.subject, key: subject.subject }));
    });
  }

  app.get<{ Params: { meter: string; dimension: string } }>(
    "/api/v1/meters/:meter/group-by/:dimension/values",
    mayRead,
    async (request) => {
      const { meter, dimension } = request.params;
      const search = new URLSearchParams(request.url.split("?", 2)[1] ?? "");
      const query = parseUsageQuery(meter, readQueryString(search));
      const result = await queries.query(callerOf(request).organization, { ...query, groupBy: [dimension] });
      return result.rows.map((row) => row.groupBy[dimension] ?? "");
    },
  );
}

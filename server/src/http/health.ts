import type { FastifyInstance } from "fastify";
import type { Services } from "../services.js";

/** /healthz: the process answers. /readyz: it takes work. /metrics: figures in Prometheus' text format. */
export function registerHealthRoutes(
  app: FastifyInstance,
  services: Services,
  shedding: { inFlight(): number; pressure(): string | undefined },
): void {
  app.get("/healthz", () => ({ status: "ok" }));

  app.get("/readyz", async (_request, reply) => {
    const reason = shedding.pressure() ?? services.usage.stats().unavailable;
    return reason === undefined ? { status: "ready" } : reply.code(503).send({ status: "busy", reason });
  });

  app.get("/metrics", async (_request, reply) => {
    const { stream, index } = services.usage.stats();
    const memory = process.memoryUsage();
    const lines = [
      ...figures("weir_stream", { signal: "usage" }, stream),
      ...figures("weir_identity_index", {}, index),
      ...figures("weir_webhooks", {}, { ...services.webhooks.stats() }),
      ...figures(
        "weir_process",
        {},
        {
          residentBytes: memory.rss,
          heapBytes: memory.heapUsed,
          uptimeSeconds: process.uptime(),
          requestsInFlight: shedding.inFlight(),
        },
      ),
    ];
    return reply.header("content-type", "text/plain; version=0.0.4").send(`${lines.join("\n")}\n`);
  });
}

function figures(
  prefix: string,
  labels: Record<string, string>,
  values: Readonly<Record<string, number>>,
): string[] {
  const label = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return Object.entries(values).flatMap(([name, value]) => {
    const metric = `${prefix}_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
    return [
      `# TYPE ${metric} gauge`,
      `${metric}${label.length === 0 ? "" : `{${label.join(",")}}`} ${value}`,
    ];
  });
}

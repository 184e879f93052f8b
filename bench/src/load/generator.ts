import { Connection } from "./connection.js";
import { makeTemplate, renumber } from "./event-batch.js";
import { answerQuestion } from "../answer-question.js";

/** What the generator process is told. */
export interface LoadRequest {
  readonly port: number;
  readonly path: string;
  readonly key: string;
  /** Six characters; ids begin with it. */
  readonly run: string;
  readonly connections: number;
  readonly eventsPerRequest: number;
  /** 0: as fast as the answers come. */
  readonly eventsPerSecond: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

/** What it answers. Counts and latencies are of the measured seconds, `acceptedInAll` with the warm-up. */
export interface LoadResult {
  readonly accepted: number;
  readonly acceptedInAll: number;
  readonly bytesPerEvent: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** Requests answered 429 or 503, each sent again. */
  readonly shed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly cpuSeconds: number;
}

async function load(request: LoadRequest): Promise<LoadResult> {
  const { port, path, key, eventsPerRequest, eventsPerSecond } = request;
  const batch = eventsPerRequest > 1;
  const type = batch ? "application/cloudevents-batch+json" : "application/cloudevents+json";
  const connections = await Promise.all(
    Array.from({ length: request.connections }, () => Connection.open(port)),
  );
  const started = performance.now();
  const measureFrom = started + request.warmupSeconds * 1000;
  const end = measureFrom + request.seconds * 1000;
  const latencies: number[] = [];
  let next = 0;
  let accepted = 0;
  let acceptedInAll = 0;
  let shed = 0;
  let bytesPerEvent = 0;
  let cpuBefore = process.cpuUsage();
  setTimeout(() => (cpuBefore = process.cpuUsage()), request.warmupSeconds * 1000);

  const run = async (connection: Connection, index: number): Promise<void> => {
    const template = makeTemplate(request.run, eventsPerRequest, index, batch);
    const head = Buffer.from(
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${key}\r\n` +
        `content-type: ${type}\r\ncontent-length: ${template.body.length}\r\n\r\n`,
    );
    bytesPerEvent = template.body.length / eventsPerRequest;
    for (;;) {
      const first = next;
      next += eventsPerRequest;
      if (eventsPerSecond > 0) {
        const due = started + (first / eventsPerSecond) * 1000;
        const wait = due - performance.now();
        if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
      }
      if (performance.now() >= end) return;
      renumber(template, first);
      for (;;) {
        const sent = performance.now();
        const status = await connection.send(head, template.body);
        const answered = performance.now();
        if (status === 202 || status === 204) {
          acceptedInAll += eventsPerRequest;
          if (answered >= measureFrom && answered <= end) {
            accepted += eventsPerRequest;
            latencies.push(answered - sent);
          }
          break;
        }
        if (status !== 429 && status !== 503) throw new Error(`${path} answered ${status}`);
        shed += 1;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };
  await Promise.all(connections.map(run));
  for (const connection of connections) connection.close();
  const cpu = process.cpuUsage(cpuBefore);
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number =>
    sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  return {
    accepted,
    acceptedInAll,
    bytesPerEvent,
    seconds: request.seconds,
    eventsPerSecond: accepted / request.seconds,
    shed,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  };
}

answerQuestion<LoadRequest>(load);

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { StripeSimulator, type StripeSimulatorOptions } from "./simulator.js";

export interface StripeSimulatorServerOptions extends Omit<StripeSimulatorOptions, "pagesUrl"> {
  /** 0 takes a free one. */
  readonly port: number;
  /** The loopback address when not given: who reaches it can make it do anything. */
  readonly host?: string;
}

export interface RunningStripeSimulator {
  readonly simulator: StripeSimulator;
  /** Such as "http://127.0.0.1:12111". */
  readonly url: string;
  stop(): Promise<void>;
}

const body_bytes_max = 256 * 1024;
const connections_max = 4_096;

/** Starts a simulator that is reached over HTTP. Without a clock of the caller's, time is real. */
export async function startStripeSimulator(
  options: StripeSimulatorServerOptions,
): Promise<RunningStripeSimulator> {
  const host = options.host ?? "127.0.0.1";
  const simulator = new StripeSimulator({ ...options, now: options.now ?? Date.now });
  if (options.now === undefined) simulator.followRealTime();
  const server = createServer((request, response) => {
    answer(simulator, request, response).catch((error: unknown) => {
      process.emitWarning(
        `the Stripe simulator failed: ${error instanceof Error ? error.stack : String(error)}`,
      );
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { "content-type": "application/json" }).end(internal_error);
    });
  });
  server.keepAliveTimeout = 60_000;
  server.maxConnections = connections_max;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  simulator.pagesUrl = url;
  return {
    simulator,
    url,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await simulator.stop();
    },
  };
}

const internal_error = JSON.stringify({
  error: { type: "api_error", message: "The simulator itself failed; see its output." },
});

async function answer(
  simulator: StripeSimulator,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) {
    const message = `The body is larger than ${body_bytes_max} bytes.`;
    response
      .writeHead(413, { "content-type": "application/json", connection: "close" })
      .end(JSON.stringify({ error: { type: "invalid_request_error", message } }));
    return;
  }
  const reply = await simulator.handle({
    method: request.method ?? "GET",
    path: request.url ?? "/",
    headers: single(request.headers),
    body,
  });
  if (reply === "dropped") request.socket.destroy();
  // A reply that never comes: the client ends the connection, or the end of the simulator does.
  if (typeof reply === "string") return;
  response.writeHead(reply.status, { ...reply.headers, "content-length": Buffer.byteLength(reply.body) });
  response.end(reply.body);
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > body_bytes_max) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function single(headers: IncomingMessage["headers"]): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}

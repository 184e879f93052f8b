import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach } from "vitest";
import { Weir } from "../../src/index.js";

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly authorization: string;
  readonly idempotencyKey: string;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections();
});

/** A server that gives these answers, one a request; and what it was asked. */
export async function serverOf(...answers: Answer[]) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const { authorization = "", "idempotency-key": idempotencyKey = "" } = headers;
      asked.push({ method, url, body, authorization, idempotencyKey: String(idempotencyKey) });
      const answer = answers[Math.min(asked.length, answers.length) - 1];
      answer?.(request, response, body);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { asked, weir: new Weir({ baseUrl: `http://127.0.0.1:${port}`, apiKey: "k", attempts: 3 }) };
}

export const json =
  (status: number, value: unknown, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
  };

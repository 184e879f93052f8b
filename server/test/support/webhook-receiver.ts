import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";

/** A request as it came in. */
export interface Received {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly method: string;
  readonly path: string;
  readonly servername: string | undefined;
  readonly at_ms: number;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly delay_ms?: number;
  /** Whether the body never ends. */
  readonly isEndless?: boolean;
}

/** hang: never answers; reset: closes the connection. */
export type Behaviour = (received: Received, count: number) => Answer | "hang" | "reset";

/** A receiver of webhooks on a free port, that answers as it is told to. */
export interface WebhookReceiver {
  readonly port: number;
  readonly url: string;
  readonly received: Received[];
  /** The most that were at work at once. */
  readonly atOnceMax: number;
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

export async function startWebhookReceiver(
  behaviour: Behaviour = () => ({ status: 204 }),
  {
    tls,
    host = "127.0.0.1",
    port = 0,
  }: { tls?: { cert: string; key: string }; host?: string; port?: number } = {},
): Promise<WebhookReceiver> {
  const received: Received[] = [];
  let behave = behaviour;
  let atOnce = 0;
  let atOnceMax = 0;
  const answer = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    atOnce += 1;
    atOnceMax = Math.max(atOnceMax, atOnce);
    response.once("close", () => (atOnce -= 1));
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const one: Received = {
      headers: request.headers as Record<string, string>,
      body: Buffer.concat(chunks).toString("utf8"),
      method: request.method ?? "",
      path: request.url ?? "",
      servername: (request.socket as TLSSocket & { servername?: string | false }).servername || undefined,
      at_ms: Date.now(),
    };
    received.push(one);
    const how = behave(one, received.length);
    if (how === "hang") return;
    if (how === "reset") {
      request.socket.destroy();
      return;
    }
    if (how.delay_ms !== undefined) await new Promise((resolve) => setTimeout(resolve, how.delay_ms));
    response.writeHead(how.status, how.headers);
    if (how.isEndless === true) response.write(how.body ?? "");
    else response.end(how.body);
  };
  const listener: http.RequestListener = (request, response) => {
    answer(request, response).catch(() => undefined);
  };
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  server.listen(port, host);
  await once(server, "listening");
  const bound = (server.address() as AddressInfo).port;
  return {
    port: bound,
    url: `${tls === undefined ? "http" : "https"}://${host}:${bound}/hooks`,
    received,
    get atOnceMax() {
      return atOnceMax;
    },
    behave(next) {
      behave = next;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

import type Stripe from "stripe";
import { isLiveKey, LiveKeyRefused } from "./api/secret-key.js";
import type { SimulatorReply } from "./api/request-handler.js";
import type { StripeSimulator } from "./simulator.js";

/** An HTTP client for the official SDK that needs no socket: `new Stripe(key, { httpClient: inProcessClient(simulator) })`. */
export function inProcessClient(simulator: StripeSimulator): Stripe.HttpClient {
  return {
    getClientName: () => "weir-stripe-simulator",
    async makeRequest(_host, _port, path, method, headers, requestData): Promise<Stripe.HttpClientResponse> {
      const reply = await simulator.handle({
        method,
        path,
        headers: lowerCased(headers),
        body: requestData ?? "",
      });
      return asResponse(reply);
    },
  };
}

/**
 * What the SDK needs to talk to a simulator over HTTP: `new Stripe(key, connectionTo(url, key))`.
 * @throws LiveKeyRefused
 */
export function connectionTo(
  url: string,
  key: string,
): { readonly host: string; readonly port: number; readonly protocol: "http" } {
  if (isLiveKey(key)) throw new LiveKeyRefused();
  const { hostname, port, protocol } = new URL(url);
  if (protocol !== "http:") throw new TypeError(`a simulator speaks http, not ${protocol} (${url})`);
  return { host: hostname, port: port === "" ? 80 : Number(port), protocol: "http" };
}

function lowerCased(headers: Readonly<Record<string, unknown>>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
}

function asResponse(reply: SimulatorReply): Stripe.HttpClientResponse {
  return {
    getStatusCode: () => reply.status,
    getHeaders: () => ({ ...reply.headers }),
    getRawResponse: () => ({ statusCode: reply.status, headers: reply.headers }),
    toStream: (done) => {
      done();
      return reply.body;
    },
    toJSON: async () => JSON.parse(reply.body) as unknown,
  };
}

import type Stripe from "stripe";
import type { SimulatorReply } from "./api/request-handler.js";
import { isLiveKey, LiveKeyRefused } from "./api/secret-key.js";
import type { StripeSimulator } from "./simulator.js";

/**
 * An HTTP client for the official SDK that needs no socket: `new Stripe(key, { httpClient: inProcessClient(simulator) })`.
 * A dropped connection is ECONNRESET, which the SDK tries once more whatever its settings are; a reply that never comes
 * is the SDK's timeout, at once, since nobody waits for simulated time.
 */
export function inProcessClient(simulator: StripeSimulator): Stripe.HttpClient {
  return {
    getClientName: () => "weir-stripe-simulator",
    async makeRequest(_host, _port, path, method, headers, requestData): Promise<Stripe.HttpClientResponse> {
      const answer = await simulator.handle({
        method,
        path,
        headers: lowerCased(headers),
        body: requestData ?? "",
      });
      if (answer === "dropped") throw connectionError("ECONNRESET", "socket hang up");
      if (answer === "hung") throw connectionError("ETIMEDOUT", "ETIMEDOUT");
      return asResponse(answer);
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

function connectionError(code: string, message: string): Error {
  return Object.assign(new TypeError(message), { code });
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

import Stripe from "stripe";
import type { ProviderAccount } from "../../provider.js";

/** How Stripe is reached: its SDK's own way when left out. */
export interface StripeTransport {
  readonly httpClient?: Stripe.HttpClient;
}

const timeout_ms = 30_000;
const clients_max = 200;

export type ClientOf = (account: ProviderAccount) => Stripe;

/** A client of Stripe's SDK for each account, kept while its key and address stay. */
export class StripeClients {
  readonly #transport: StripeTransport;
  readonly #clients = new Map<string, { readonly made: string; readonly client: Stripe }>();

  constructor(transport: StripeTransport) {
    this.#transport = transport;
  }

  of({ id, settings, secrets }: ProviderAccount): Stripe {
    const made = `${secrets["secretKey"] ?? ""} ${settings["apiBase"] ?? ""}`;
    const known = this.#clients.get(id);
    if (known?.made === made) return known.client;
    const client = new Stripe(secrets["secretKey"] ?? "", {
      maxNetworkRetries: 0,
      timeout: timeout_ms,
      telemetry: false,
      ...(this.#transport.httpClient === undefined ? {} : { httpClient: this.#transport.httpClient }),
      ...addressOf(settings["apiBase"]),
    });
    const oldest = this.#clients.keys().next().value;
    if (this.#clients.size >= clients_max && oldest !== undefined) this.#clients.delete(oldest);
    this.#clients.set(id, { made, client });
    return client;
  }
}

function addressOf(base: string | undefined): Pick<Stripe.StripeConfig, "host" | "port" | "protocol"> {
  if (base === undefined) return {};
  const { hostname, port, protocol } = new URL(base);
  const scheme = protocol === "https:" ? "https" : "http";
  return {
    host: hostname,
    port: port === "" ? (scheme === "https" ? 443 : 80) : Number(port),
    protocol: scheme,
  };
}

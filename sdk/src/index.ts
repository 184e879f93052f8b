import { Catalog } from "./catalog.js";
import { Events } from "./events.js";
import { GraphQL } from "./graphql.js";
import { Imports } from "./imports.js";
import { Meters } from "./meters.js";
import { Transport, type WeirOptions } from "./transport.js";
import { Usage } from "./usage.js";

/**
 * Weir's client.
 *
 *     const weir = new Weir({ baseUrl: "http://127.0.0.1:8080", apiKey: "weir_secret_…" });
 *     await weir.events.send([{ id: "1", source: "api", type: "llm.request", subject: "acme", data: { tokens: 12 } }]);
 *     const { data } = await weir.usage.query("tokens", { windowSize: "DAY" });
 */
export class Weir {
  readonly events: Events;
  readonly meters: Meters;
  readonly usage: Usage;
  readonly imports: Imports;
  readonly catalog: Catalog;
  readonly graphql: GraphQL;
  readonly #transport: Transport;

  constructor(options: WeirOptions) {
    this.#transport = new Transport(options);
    this.events = new Events(this.#transport);
    this.meters = new Meters(this.#transport);
    this.usage = new Usage(this.#transport);
    this.imports = new Imports(this.#transport);
    this.catalog = new Catalog(this.#transport);
    this.graphql = new GraphQL(this.#transport);
  }

  /** The server's configuration, without secrets. */
  config(): Promise<Record<string, unknown>> {
    return this.#transport.json("/v1/config");
  }
}

export type { ApplyOptions, CatalogChange, CatalogReport } from "./catalog.js";
export type { Correction, EventFilter, Receipt, StoredEvent, UsageEvent } from "./events.js";
export type { Import } from "./imports.js";
export type { Aggregation, Meter, MeterFilter, NewMeter } from "./meters.js";
export type { UsageQuery, UsageResult, UsageRow } from "./usage.js";
export { WeirError, type Problem } from "./problem.js";
export type { WeirOptions } from "./transport.js";

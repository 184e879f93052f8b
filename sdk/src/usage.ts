import type { Transport } from "./transport.js";

export interface UsageQuery {
  readonly from?: string;
  readonly to?: string;
  readonly windowSize?: "MINUTE" | "HOUR" | "DAY" | "MONTH";
  /** IANA name; where days and months begin. */
  readonly timeZone?: string;
  readonly subjects?: readonly string[];
  /** Ids or keys. */
  readonly customers?: readonly string[];
  /** "subject" and names of dimensions. */
  readonly groupBy?: readonly string[];
  readonly filters?: Readonly<Record<string, readonly string[]>>;
  readonly top?: number;
}

export interface UsageRow {
  /** Exact decimal text. */
  readonly value: string | null;
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly subject: string | null;
  readonly groupBy: Readonly<Record<string, string>>;
}

export interface UsageResult {
  readonly meter: string;
  readonly aggregation: string;
  readonly from?: string;
  readonly to: string;
  /** False while the meter's history is still being measured. */
  readonly complete: boolean;
  readonly data: readonly UsageRow[];
}

/** Usage by meter, window, subject, customer and dimension. */
export class Usage {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  query(meter: string, query: UsageQuery = {}): Promise<UsageResult> {
    return this.#transport.json(pathOf(meter), { query: parametersOf(query) });
  }

  async csv(meter: string, query: UsageQuery = {}): Promise<string> {
    const parameters = parametersOf(query);
    parameters.set("format", "csv");
    return (await this.#transport.send(pathOf(meter), { query: parameters })).text();
  }

  async parquet(meter: string, query: UsageQuery = {}): Promise<Uint8Array> {
    const parameters = parametersOf(query);
    parameters.set("format", "parquet");
    return new Uint8Array(
      await (await this.#transport.send(pathOf(meter), { query: parameters })).arrayBuffer(),
    );
  }
}

function pathOf(meter: string): string {
  return `/v1/meters/${encodeURIComponent(meter)}/query`;
}

function parametersOf(query: UsageQuery): URLSearchParams {
  const parameters = new URLSearchParams();
  if (query.from !== undefined) parameters.set("from", query.from);
  if (query.to !== undefined) parameters.set("to", query.to);
  if (query.windowSize !== undefined) parameters.set("windowSize", query.windowSize);
  if (query.timeZone !== undefined) parameters.set("windowTimeZone", query.timeZone);
  if (query.top !== undefined) parameters.set("top", String(query.top));
  for (const subject of query.subjects ?? []) parameters.append("subject", subject);
  for (const customer of query.customers ?? []) parameters.append("customer", customer);
  for (const name of query.groupBy ?? []) parameters.append("groupBy", name);
  for (const [name, values] of Object.entries(query.filters ?? {})) {
    for (const value of values) parameters.append(`filterGroupBy[${name}]`, value);
  }
  return parameters;
}

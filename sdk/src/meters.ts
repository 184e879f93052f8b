import type { Transport } from "./transport.js";

export type Aggregation =
  | "SUM"
  | "COUNT"
  | "UNIQUE_COUNT"
  | "MIN"
  | "MAX"
  | "AVG"
  | "LATEST"
  | "WEIGHTED_SUM";

export interface MeterFilter {
  readonly property: string;
  readonly operator:
    | "equals"
    | "not_equals"
    | "in"
    | "not_in"
    | "exists"
    | "not_exists"
    | "gt"
    | "gte"
    | "lt"
    | "lte";
  readonly value?: string;
  readonly values?: readonly string[];
}

export interface NewMeter {
  readonly slug: string;
  readonly name?: string;
  readonly description?: string;
  readonly eventType: string;
  readonly aggregation: Aggregation;
  /** Property path such as "$.tokens"; none for COUNT. */
  readonly valueProperty?: string;
  /** Dimension name → property path. */
  readonly groupBy?: Readonly<Record<string, string>>;
  readonly filters?: readonly MeterFilter[];
}

export interface Meter extends NewMeter {
  readonly id: string;
  readonly version: number;
  readonly versionId: string;
  readonly backfill: { readonly state: "pending" | "running" | "done"; readonly events: number };
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Meters: how events become quantities. */
export class Meters {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async list(): Promise<Meter[]> {
    return (await this.#transport.json<{ meters: Meter[] }>("/v1/meters")).meters;
  }

  get(idOrSlug: string): Promise<Meter> {
    return this.#transport.json(`/v1/meters/${encodeURIComponent(idOrSlug)}`);
  }

  /** History is measured too, by a backfill that goes on in the background. */
  create(meter: NewMeter): Promise<Meter> {
    return this.#transport.json("/v1/meters", { method: "POST", json: meter });
  }

  /** Renames a meter; a change of what it measures makes a new version. */
  change(idOrSlug: string, change: Partial<Omit<NewMeter, "slug">>): Promise<Meter> {
    return this.#transport.json(`/v1/meters/${encodeURIComponent(idOrSlug)}`, {
      method: "PUT",
      json: change,
    });
  }

  async archive(idOrSlug: string): Promise<void> {
    await this.#transport.send(`/v1/meters/${encodeURIComponent(idOrSlug)}`, {
      method: "DELETE",
      repeatable: true,
    });
  }
}

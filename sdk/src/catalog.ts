import type { Transport } from "./transport.js";

/** What applying a catalog file does to one thing in it. */
export interface CatalogChange {
  /** The file's section: "plans". */
  readonly section: string;
  readonly key: string;
  readonly action: "create" | "new_version" | "change" | "archive" | "none";
  readonly version?: number;
  readonly effectiveFrom?: string;
  /** JSON text before and after, by path. */
  readonly differences: readonly {
    readonly path: string;
    readonly before?: string;
    readonly after?: string;
  }[];
}

export interface CatalogReport {
  readonly dryRun: boolean;
  readonly changes: readonly CatalogChange[];
}

export interface ApplyOptions {
  /** Says what would change, and changes nothing. */
  readonly dryRun?: boolean;
  /** RFC 3339: from when new plan versions are in force that name no instant themselves; now when left out. */
  readonly effectiveFrom?: string;
  readonly idempotencyKey?: string;
}

/** The catalog as a file: products, plans, add-ons, coupons and tax rates in one YAML text. */
export class Catalog {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Makes what the file describes, all or nothing; what it does not name stays. Applied again, it changes nothing.
   * @throws WeirError whose problem's `errors` name every fault's line, column and path
   */
  apply(yaml: string, options: ApplyOptions = {}): Promise<CatalogReport> {
    const query = new URLSearchParams();
    if (options.dryRun === true) query.set("dryRun", "true");
    if (options.effectiveFrom !== undefined) query.set("effectiveFrom", options.effectiveFrom);
    const { idempotencyKey } = options;
    return this.#transport.json("/v1/catalog/apply", {
      method: "POST",
      query,
      body: yaml,
      headers: {
        "content-type": "application/yaml",
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      },
      repeatable: true,
    });
  }

  /** The catalog as YAML; applied where it came from, it changes nothing. */
  async export(): Promise<string> {
    return (await this.#transport.send("/v1/catalog")).text();
  }
}

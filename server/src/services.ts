import type { Config } from "./config.js";
import type { Columnar } from "./engines/columnar/index.js";
import type { Postgres } from "./engines/postgres/index.js";
import type { Billing } from "./billing/index.js";
import type { Catalog, CatalogFiles } from "./catalog/index.js";
import type { Identity } from "./identity/index.js";
import type { Clock } from "./kernel/clock.js";
import type { Log } from "./kernel/log.js";
import type { Taxes } from "./tax/index.js";
import type { Usage } from "./usage/index.js";

/** Everything a request may reach; built once, in wire.ts. */
export interface Services {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly postgres: Postgres;
  readonly columnar: Columnar;
  readonly identity: Identity;
  readonly usage: Usage;
  readonly catalog: Catalog;
  readonly catalogFiles: CatalogFiles;
  readonly billing: Billing;
  readonly tax: Taxes;
}

import type { Config } from "./config.js";
import type { Columnar } from "./engines/columnar/index.js";
import type { Postgres } from "./engines/postgres/index.js";
import type { Secrets } from "./engines/secrets/index.js";
import type { Billing } from "./billing/index.js";
import type { Credits } from "./credits/index.js";
import type { Catalog, CatalogFiles } from "./catalog/index.js";
import type { Identity } from "./identity/index.js";
import type { Workflows } from "./engines/workflow/index.js";
import type { Clock, Clocks } from "./kernel/clock.js";
import type { Log } from "./kernel/log.js";
import type { Runs } from "./runs/index.js";
import type { Mails } from "./mail/index.js";
import type { Settlement } from "./settlement/index.js";
import type { Taxes } from "./tax/index.js";
import type { Payments } from "./payments/index.js";
import type { Prepaid } from "./prepaid/index.js";
import type { Books, Ledger } from "./ledger/index.js";
import type { TestClocks, Wakes } from "./time/index.js";
import type { Usage } from "./usage/index.js";
import type { Webhooks } from "./webhooks/index.js";

/** Everything a request may reach; built once, in wire.ts. */
export interface Services {
  readonly config: Config;
  /** Where this server is reached from outside, without a slash at its end: what links to it begin with. */
  readonly publicUrl: () => string;
  /** Real time. */
  readonly clock: Clock;
  /** Each organization's time. */
  readonly clocks: Clocks;
  readonly workflows: Workflows;
  readonly runs: Runs;
  readonly wakes: Wakes;
  readonly testClocks: TestClocks;
  readonly log: Log;
  readonly postgres: Postgres;
  readonly columnar: Columnar;
  /** What rests encrypted. */
  readonly secrets: Secrets;
  readonly identity: Identity;
  readonly usage: Usage;
  readonly catalog: Catalog;
  readonly catalogFiles: CatalogFiles;
  readonly billing: Billing;
  readonly tax: Taxes;
  readonly ledger: Ledger;
  readonly books: Books;
  readonly credits: Credits;
  readonly settlement: Settlement;
  readonly payments: Payments;
  readonly prepaid: Prepaid;
  readonly webhooks: Webhooks;
  readonly mail: Mails;
}

import { Customers, openBilling, usagePortOf, type Billing } from "./billing/index.js";
import { Catalog } from "./catalog/index.js";
import type { Postgres } from "./engines/postgres/index.js";
import { Taxes } from "./tax/index.js";
import { Ledger } from "./ledger/index.js";
import type { Clock, Clocks } from "./kernel/clock.js";
import type { SubjectsOfCustomers, Usage } from "./usage/index.js";

export interface MoneyOptions {
  readonly postgres: Postgres;
  readonly clock: Clock;
  readonly clocks: Clocks;
  /** The usage domain, which itself needs to know who owns which subject: so it is asked for late. */
  readonly usage: () => Usage;
}

export interface Money {
  readonly catalog: Catalog;
  readonly billing: Billing;
  readonly tax: Taxes;
  readonly ledger: Ledger;
  readonly subjectsOfCustomers: SubjectsOfCustomers;
}

/** Opens catalog and billing, and ties them to usage by the ports that each of them declares. */
export function openMoney({ postgres, clock, clocks, usage }: MoneyOptions): Money {
  const port = usagePortOf(usage);
  const tax = new Taxes({ postgres, clock });
  const ledger = new Ledger({ postgres, clock });
  const catalog = new Catalog({ postgres, meters: port, clock, clocks });
  const customers = new Customers({ postgres, clock, clocks });
  const billing = openBilling({ postgres, catalog, usage: port, customers, clock, clocks });
  const subjectsOfCustomers: SubjectsOfCustomers = (organization, idsOrKeys) =>
    customers.spansOf(organization, idsOrKeys);
  return { catalog, billing, tax, ledger, subjectsOfCustomers };
}

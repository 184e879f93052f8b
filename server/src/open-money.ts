import { Customers, openBilling, usagePortOf, type Billing } from "./billing/index.js";
import { Catalog, CatalogFiles, type CatalogMeters } from "./catalog/index.js";
import type { Postgres } from "./engines/postgres/index.js";
import type { Clock } from "./kernel/clock.js";
import { Taxes } from "./tax/index.js";
import type { SubjectsOfCustomers, Usage } from "./usage/index.js";

export interface MoneyOptions {
  readonly postgres: Postgres;
  readonly clock: Clock;
  /** The usage domain, which itself needs to know who owns which subject: so it is asked for late. */
  readonly usage: () => Usage;
}

export interface Money {
  readonly catalog: Catalog;
  readonly catalogFiles: CatalogFiles;
  readonly billing: Billing;
  readonly tax: Taxes;
  readonly subjectsOfCustomers: SubjectsOfCustomers;
}

/** Opens catalog and billing, and ties them to usage by the ports that each of them declares. */
export function openMoney({ postgres, clock, usage }: MoneyOptions): Money {
  const port = usagePortOf(usage);
  const tax = new Taxes({ postgres, clock });
  const meters = catalogMetersOf(usage);
  const catalog = new Catalog({ postgres, meters, clock });
  // Another domain adds its section of catalog.yaml here.
  const catalogFiles = new CatalogFiles({ postgres, meters, clock, sections: [] });
  const customers = new Customers({ postgres, clock });
  const billing = openBilling({ postgres, catalog, usage: port, customers, clock });
  const subjectsOfCustomers: SubjectsOfCustomers = (organization, idsOrKeys) =>
    customers.spansOf(organization, idsOrKeys);
  return { catalog, catalogFiles, billing, tax, subjectsOfCustomers };
}

/** The usage domain's meters as the catalog sees them. */
function catalogMetersOf(usage: () => Pick<Usage, "meters">): CatalogMeters {
  return {
    async findMeter(organization, idOrSlug) {
      const found = await usage().meters.find(organization, idOrSlug);
      if (found === undefined) return undefined;
      const dimensions = found.groupBy.map((dimension) => dimension.name);
      return { meter: found.meter, slug: found.slug, dimensions };
    },
    list: (organization) => usage().meters.list(organization),
    async create(caller, meter) {
      await usage().meters.create(caller, meter);
    },
  };
}

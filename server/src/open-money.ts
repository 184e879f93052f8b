import {
  billingWakes,
  Customers,
  openBilling,
  registerInvoiceRuns,
  usagePortOf,
  type Billing,
} from "./billing/index.js";
import { Credits, noteExpiryBy, registerCreditExpiry } from "./credits/index.js";
import type { Workflows } from "./engines/workflow/index.js";
import type { Wakes } from "./time/index.js";
import { Catalog, CatalogFiles, type CatalogMeters } from "./catalog/index.js";
import type { Postgres } from "./engines/postgres/index.js";
import { Taxes, taxRatesSection } from "./tax/index.js";
import { noteMonthEndBy, openBooks, registerRecognition, type Books, type Ledger } from "./ledger/index.js";
import type { Log } from "./kernel/log.js";
import type { Clock, Clocks } from "./kernel/clock.js";
import type { SubjectsOfCustomers, Usage } from "./usage/index.js";

export interface MoneyOptions {
  readonly postgres: Postgres;
  readonly clock: Clock;
  readonly clocks: Clocks;
  readonly workflows: Workflows;
  readonly wakes: Wakes;
  readonly log: Log;
  /** The usage domain, which itself needs to know who owns which subject: so it is asked for late. */
  readonly usage: () => Usage;
}

export interface Money {
  readonly catalog: Catalog;
  readonly catalogFiles: CatalogFiles;
  readonly billing: Billing;
  readonly tax: Taxes;
  readonly ledger: Ledger;
  readonly books: Books;
  readonly credits: Credits;
  readonly subjectsOfCustomers: SubjectsOfCustomers;
}

/** Opens catalog and billing, and ties them to usage by the ports that each of them declares. */
export function openMoney({ postgres, clock, clocks, workflows, wakes, log, usage }: MoneyOptions): Money {
  const port = usagePortOf(usage);
  const meters = catalogMetersOf(usage);
  const tax = new Taxes({ postgres, clock });
  const books = openBooks({ postgres, clock, clocks, log, monthEndNoted: noteMonthEndBy(wakes) });
  const { ledger, revenue } = books;
  registerRecognition(revenue, { workflows, wakes });
  const catalog = new Catalog({ postgres, meters, clock, clocks });
  const sections = [taxRatesSection];
  const catalogFiles = new CatalogFiles({ postgres, meters, clock, clocks, sections });
  const billingSchedule = billingWakes(wakes);
  const { subscriptionChanged } = billingSchedule;
  const customers = new Customers({ postgres, clock, clocks, subscriptionChanged });
  const credits = new Credits({ postgres, ledger, customers, clocks, noteExpiry: noteExpiryBy(wakes) });
  registerCreditExpiry(credits, { workflows, wakes });
  const billing = openBilling({
    postgres,
    catalog,
    usage: port,
    customers,
    clock,
    clocks,
    tax,
    ledger,
    credits,
    revenue,
    wakes: billingSchedule,
  });
  registerInvoiceRuns(billing.dueInvoices, { workflows, wakes });
  const subjectsOfCustomers: SubjectsOfCustomers = (organization, idsOrKeys) =>
    customers.spansOf(organization, idsOrKeys);
  return { catalog, catalogFiles, billing, tax, ledger, books, credits, subjectsOfCustomers };
}

/** The usage domain's meters as the catalog sees them. */
function catalogMetersOf(usage: () => Pick<Usage, "meters">): CatalogMeters {
  return {
    async findMeter(organization, idOrSlug) {
      const found = await usage().meters.find(organization, idOrSlug);
      if (found === undefined) return undefined;
      const dimensions = found.groupBy.map((dimension) => dimension.name);
      return { meter: found.meter, slug: found.slug, aggregation: found.aggregation, dimensions };
    },
    list: (organization) => usage().meters.list(organization),
    async create(caller, meter) {
      await usage().meters.create(caller, meter);
    },
  };
}

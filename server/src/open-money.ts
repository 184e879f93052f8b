import { Customers } from "./billing/customers.js";
import { Catalog } from "./catalog/index.js";
import type { Postgres } from "./engines/postgres/index.js";
import type { Clock } from "./kernel/clock.js";
import type { SubjectSpan, SubjectsOfCustomers, Usage } from "./usage/index.js";

export interface MoneyOptions {
  readonly postgres: Postgres;
  readonly clock: Clock;
  /** The usage domain, which itself needs to know who owns which subject: so it is asked for late. */
  readonly usage: () => Usage;
}

/** Opens catalog and billing, and ties them to usage by the ports that each of them declares. */
export function openMoney({ postgres, clock, usage }: MoneyOptions) {
  const meters = {
    findMeter: async (...[organization, idOrSlug]: Parameters<Usage["meters"]["find"]>) => usage().meters.find(organization, idOrSlug),
  };
  const catalog = new Catalog({ postgres, meters, clock });
  const customers = new Customers({ postgres, clock });
  const subjectsOfCustomers: SubjectsOfCustomers = async (organization, idsOrKeys) => {
    const spans: SubjectSpan[] = [];
    for (const idOrKey of idsOrKeys) {
      const customer = await customers.get(organization, idOrKey);
      spans.push(...(await customers.subjectsOf(organization, customer.id)));
    }
    return spans;
  };
  return { catalog, billing: { customers }, subjectsOfCustomers };
}

import type { Sql } from "../engines/postgres/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import { CatalogFaults, checkMeter, type FoundMeter } from "./core/index.js";
import { lockCatalog } from "./store/catalog-lock.js";
import { readPricesOfMeter } from "./store/prices.js";

/**
 * Why prices could not be charged by a meter as it is to be: each names its plan, version and price. In the transaction
 * that changes the meter: no price comes in between.
 */
export async function findMeterMisfits(
  sql: Sql,
  organization: OrganizationId,
  meter: FoundMeter,
): Promise<string[]> {
  await lockCatalog(sql, organization);
  return (await readPricesOfMeter(sql, meter.meter)).flatMap(({ price, owner, version }) => {
    const faults = new CatalogFaults();
    checkMeter(price, meter, faults);
    return faults.found.map(
      ({ message }) => `price "${price.key}" of "${owner}", version ${version}: ${message}`,
    );
  });
}

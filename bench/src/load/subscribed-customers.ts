import type { Services } from "./seeded-organization.js";

/** Customers 1 to `customers`, each with a subject of its own and a monthly subscription to one plan version. */
export interface SubscribedCustomers {
  readonly organization: string;
  /** Seven letters of base32 for the organization, so that ids of two do not meet. */
  readonly mark: string;
  readonly customers: number;
  readonly planVersion: string;
  /** Milliseconds of a first of a month. */
  readonly startedAt: number;
}

export function seededId(prefix: string, mark: string, number: number): string {
  return `${prefix}_${mark}${String(number).padStart(19, "0")}`;
}

/** Writes them as the API would have left them: 100,000 in some seconds. */
export async function insertSubscribedCustomers(
  { postgres }: Services,
  { organization, mark, customers, planVersion, startedAt }: SubscribedCustomers,
): Promise<void> {
  await postgres.setUp(async (sql) => {
    await sql`SELECT set_config('weir.maintenance', 'on', true)`;
    const id = (prefix: string) => `'${prefix}_${mark}' || lpad(n::text, 19, '0')`;
    const from = new Date(startedAt).toISOString();
    const range = `generate_series(1, ${customers}) AS n`;
    await sql.unsafe(`
      INSERT INTO customers (organization, id, key, name, time_zone, address, created_at)
      SELECT '${organization}', ${id("cus")}, 'c' || n, 'Customer ' || n, 'UTC', '{"country":"DE"}'::jsonb, '${from}' FROM ${range};
      INSERT INTO customer_subjects (organization, customer, subject, valid_from)
      SELECT '${organization}', ${id("cus")}, 's' || n, '2000-01-01' FROM ${range};
      INSERT INTO subscriptions (organization, id, customer, currency, anchor_day, time_zone, started_at, revision, created_at)
      SELECT '${organization}', ${id("sub")}, ${id("cus")}, 'EUR', 1, 'UTC', '${from}', 1, '${from}' FROM ${range};
      INSERT INTO subscription_changes (organization, subscription, revision, action, effective_at, details, actor, recorded_at)
      SELECT '${organization}', ${id("sub")}, 1, 'create', '${from}', '{}', 'system', '${from}' FROM ${range};
      INSERT INTO subscription_phases (organization, subscription, valid_from, plan_version, billing_interval, overrides, added_in)
      SELECT '${organization}', ${id("sub")}, '${from}', '${planVersion}', 'month', '{}', 1 FROM ${range};`);
  });
}

import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";

/**
 * Makes a run the one that delivers the organization's mails, and holds that until the transaction ends.
 * @param hold_seconds for how long it stays so without being heard of
 * @returns false while another one does
 */
export async function holdDelivery(
  sql: Sql,
  organization: OrganizationId,
  run: string,
  hold_seconds: number,
): Promise<boolean> {
  const held = await sql`
    INSERT INTO mail_deliveries AS d (organization, run, held_until)
    VALUES (${organization}, ${run}, clock_timestamp() + make_interval(secs => ${hold_seconds}))
    ON CONFLICT (organization) DO UPDATE SET run = excluded.run, held_until = excluded.held_until
    WHERE d.run = excluded.run OR d.held_until < clock_timestamp()
    RETURNING 1`;
  return held.length === 1;
}

export async function releaseDelivery(sql: Sql, run: string): Promise<void> {
  await sql`DELETE FROM mail_deliveries WHERE run = ${run}`;
}

import type { Log } from "../../../kernel/log.js";
import { connect } from "../connect.js";
import type { ConnectionTarget } from "../connection-target.js";

const name = "weir";

/**
 * Makes the role and the database that Weir works with. The role is no superuser, as it need not be one on a server
 * of yours, so that both kinds of server treat our migrations and queries alike.
 */
export async function prepareDatabase(superuser: ConnectionTarget, log: Log): Promise<ConnectionTarget> {
  const sql = connect(superuser, { connectionsMax: 1, log });
  try {
    const roles = await sql`SELECT FROM pg_roles WHERE rolname = ${name}`;
    if (roles.length === 0) await sql.unsafe(`CREATE ROLE ${name} LOGIN NOSUPERUSER NOBYPASSRLS CREATEROLE`);
    const databases = await sql`SELECT FROM pg_database WHERE datname = ${name}`;
    if (databases.length === 0) await sql.unsafe(`CREATE DATABASE ${name} OWNER ${name}`);
  } finally {
    await sql.end({ timeout: 1 });
  }
  return { ...superuser, user: name, database: name };
}

import type postgres from "postgres";
import { schema_name } from "./connect.js";
import { UnusableDatabase } from "./unusable-database.js";

export const application_roles = ["weir_app", "weir_system"] as const;

const version_min = 150_000;
/** Held, per transaction, by whoever prepares or migrates the database: "weir" in ASCII. */
export const migration_lock = 0x77656972;

interface Situation {
  readonly version: number;
  readonly version_text: string;
  readonly encoding: string;
  readonly login: string;
  readonly is_super: boolean;
  readonly may_create_roles: boolean;
  readonly may_create_schema: boolean;
  readonly database: string;
  readonly schema_exists: boolean;
  readonly may_create_tables: boolean;
}

/**
 * Makes sure that the application roles and the schema exist and that this login may take the roles.
 * @throws UnusableDatabase with the SQL to run, when this login lacks the right to do it itself
 */
export async function prepareRoles(pool: postgres.Sql): Promise<void> {
  await pool.begin(async (sql) => {
    await sql`SELECT pg_advisory_xact_lock(${migration_lock})`;
    const [situation] = await sql<Situation[]>`
      SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS version_text,
             current_setting('server_encoding') AS encoding, current_user AS login,
             r.rolsuper AS is_super, r.rolsuper OR r.rolcreaterole AS may_create_roles,
             has_database_privilege(current_database(), 'CREATE') AS may_create_schema, current_database() AS database,
             n.oid IS NOT NULL AS schema_exists, coalesce(has_schema_privilege(n.oid, 'CREATE'), false) AS may_create_tables
      FROM pg_roles r LEFT JOIN pg_namespace n ON n.nspname = ${schema_name}
      WHERE r.rolname = current_user`;
    if (situation === undefined) throw new UnusableDatabase("The login role is not in pg_roles.");
    if (situation.version < version_min) {
      throw new UnusableDatabase(`PostgreSQL 15 or later is needed, this is ${situation.version_text}.`);
    }
    if (situation.encoding !== "UTF8") {
      throw new UnusableDatabase(
        `The database's encoding must be UTF8, it is ${situation.encoding}: create another database.`,
      );
    }
    const memberships = await sql<{ role: string; present: boolean; member: boolean }[]>`
      SELECT wanted.role, r.oid IS NOT NULL AS present, coalesce(pg_has_role(current_user, r.oid, 'MEMBER'), false) AS member
      FROM unnest(${[...application_roles]}::text[]) AS wanted (role) LEFT JOIN pg_roles r ON r.rolname = wanted.role`;
    const remedies = remediesFor(situation, memberships);
    if (remedies.length > 0) {
      const message = `The role "${situation.login}" may not set up Weir in database "${situation.database}".`;
      throw new UnusableDatabase(message, remedies.join("\n"));
    }
    for (const { role, present, member } of memberships) {
      if (!present) {
        // Roles belong to the whole server, the lock to this database: another Weir's may be starting on the next one.
        await sql.unsafe(`
          DO $$ BEGIN CREATE ROLE ${role} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB;
          EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`);
      }
      if (!present || !member) await sql.unsafe(`GRANT ${role} TO ${quoteIdentifier(situation.login)}`);
    }
    if (!situation.schema_exists) await sql.unsafe(`CREATE SCHEMA ${schema_name}`);
  });
}

/** What an administrator must run before this login can go on; nothing when it can do all of it itself. */
function remediesFor(
  situation: Situation,
  memberships: readonly { role: string; present: boolean; member: boolean }[],
): string[] {
  const login = quoteIdentifier(situation.login);
  const remedies: string[] = [];
  if (!situation.may_create_roles) {
    for (const { role, present, member } of memberships) {
      if (!present) remedies.push(`CREATE ROLE ${role} NOLOGIN NOSUPERUSER NOBYPASSRLS;`);
      if (!member) remedies.push(`GRANT ${role} TO ${login};`);
    }
  }
  if (!situation.schema_exists && !situation.may_create_schema) {
    remedies.push(`GRANT CREATE ON DATABASE ${quoteIdentifier(situation.database)} TO ${login};`);
  }
  if (situation.schema_exists && !situation.may_create_tables) {
    remedies.push(`ALTER SCHEMA ${schema_name} OWNER TO ${login};`);
  }
  return remedies;
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

import type postgres from "postgres";
import { application_roles, quoteIdentifier } from "./prepare-roles.js";
import { schema_name } from "./connect.js";
import { UnusableDatabase } from "./unusable-database.js";

interface RoleFault {
  readonly role: string;
  readonly is_super: boolean;
  readonly bypasses: boolean;
  readonly powers: readonly string[];
  readonly owned: readonly string[];
}

/**
 * Checks that row-level security really binds the application roles: they are neither superuser nor BYPASSRLS, own no
 * table, cannot become a role that does, and every table with an organization has forced row-level security.
 *
 * @throws UnusableDatabase with the SQL that fixes it
 */
export async function verifyIsolation(pool: postgres.Sql): Promise<void> {
  const faults: string[] = [];
  const remedies: string[] = [];
  const roles = await pool<RoleFault[]>`
    SELECT r.rolname AS role, r.rolsuper AS is_super, r.rolbypassrls AS bypasses,
           ARRAY(SELECT s.rolname::text FROM pg_roles s
                 WHERE NOT r.rolsuper AND s.oid <> r.oid AND pg_has_role(r.oid, s.oid, 'MEMBER')
                   AND (s.rolsuper OR s.rolbypassrls OR s.rolname = ANY (${[...application_roles]})
                        OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = ${schema_name}::regnamespace AND c.relowner = s.oid))
                ) AS powers,
           ARRAY(SELECT c.relname::text FROM pg_class c
                 WHERE c.relnamespace = ${schema_name}::regnamespace AND c.relkind IN ('r', 'p') AND c.relowner = r.oid) AS owned
    FROM pg_roles r WHERE r.rolname = ANY (${[...application_roles]})`;
  for (const { role, is_super, bypasses, powers, owned } of roles) {
    if (is_super) {
      faults.push(`${role} is a superuser`);
      remedies.push(`ALTER ROLE ${role} NOSUPERUSER;`);
    }
    if (bypasses) {
      faults.push(`${role} has BYPASSRLS`);
      remedies.push(`ALTER ROLE ${role} NOBYPASSRLS;`);
    }
    for (const power of powers) {
      faults.push(`${role} is a member of ${power}`);
      remedies.push(`REVOKE ${quoteIdentifier(power)} FROM ${role};`);
    }
    for (const table of owned) {
      faults.push(`${role} owns ${table}`);
      remedies.push(`ALTER TABLE ${schema_name}.${quoteIdentifier(table)} OWNER TO CURRENT_USER;`);
    }
  }
  const open = await pool<{ table: string }[]>`
    SELECT c.relname AS table FROM pg_class c
    WHERE c.relnamespace = ${schema_name}::regnamespace AND c.relkind IN ('r', 'p')
      AND (c.relname = 'organizations'
           OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'organization' AND NOT a.attisdropped))
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity)`;
  for (const { table } of open) {
    faults.push(`${table} is without forced row-level security`);
    remedies.push(
      `ALTER TABLE ${schema_name}.${quoteIdentifier(table)} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;`,
    );
  }
  if (faults.length === 0) return;
  throw new UnusableDatabase(
    `Organizations would not be kept apart: ${faults.join("; ")}.`,
    remedies.join("\n"),
  );
}

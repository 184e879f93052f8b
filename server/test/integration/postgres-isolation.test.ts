import postgresJs from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Postgres, Sql } from "../../src/engines/postgres/index.js";
import type { OrganizationId } from "../../src/kernel/ids.js";
import { openTestPostgres, type SuperuserAccess } from "./embedded-postgres.js";

let postgres: Postgres;
let remove: () => Promise<void>;
let access: SuperuserAccess;
const [a, b] = [
  "org_00000000000000000000000001" as OrganizationId,
  "org_00000000000000000000000002" as OrganizationId,
];

const organization = (id: OrganizationId, slug: string) => (sql: Sql) =>
  sql`INSERT INTO organizations (id, slug, name, mode, created_at) VALUES (${id}, ${slug}, ${slug}, 'live', now())`;
const idempotencyKey = (id: OrganizationId, key: string) => (sql: Sql) =>
  sql`INSERT INTO idempotency_keys (organization, key, request_hash, expires_at) VALUES (${id}, ${key}, 'h', now() + interval '1 day')`;
const keysSeenBy = async (id: OrganizationId) =>
  (
    await postgres.inOrganization(
      id,
      (sql) => sql<{ key: string }[]>`SELECT key FROM idempotency_keys ORDER BY key`,
    )
  ).map((row) => row.key);
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    (value) => value,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

beforeAll(async () => {
  ({ postgres, remove, superuser: access } = await openTestPostgres());
  await postgres.asSystem(organization(a, "a"));
  await postgres.asSystem(organization(b, "b"));
  await postgres.inOrganization(a, idempotencyKey(a, "of-a"));
  await postgres.inOrganization(b, idempotencyKey(b, "of-b"));
});
afterAll(() => remove());

test("an organization sees its own rows and no other's, whatever it asks for", async () => {
  expect(await keysSeenBy(a)).toEqual(["of-a"]);
  expect(await keysSeenBy(b)).toEqual(["of-b"]);
  const asked = await postgres.inOrganization(
    a,
    (sql) => sql`SELECT * FROM idempotency_keys WHERE organization = ${b} OR true`,
  );
  expect(asked).toHaveLength(1);
  const organizations = await postgres.inOrganization(a, (sql) => sql`SELECT slug FROM organizations`);
  expect(organizations).toEqual([{ slug: "a" }]);
});

test("writing under another organization's id fails: insert, update into it, update and delete of its rows", async () => {
  expect(await outcome(postgres.inOrganization(a, idempotencyKey(b, "forged")))).toMatch(
    /row-level security/,
  );
  expect(
    await outcome(postgres.inOrganization(a, (sql) => sql`UPDATE idempotency_keys SET organization = ${b}`)),
  ).toMatch(/row-level security/);
  const changed = await postgres.inOrganization(
    a,
    (sql) => sql`UPDATE idempotency_keys SET request_hash = 'x' WHERE key = 'of-b'`,
  );
  const deleted = await postgres.inOrganization(
    a,
    (sql) => sql`DELETE FROM idempotency_keys WHERE key = 'of-b'`,
  );
  expect([changed.count, deleted.count]).toEqual([0, 0]);
  expect(
    await outcome(
      postgres.inOrganization(a, (sql) => sql`INSERT INTO organizations SELECT * FROM organizations`),
    ),
  ).toMatch(/permission denied/);
  expect(await keysSeenBy(b)).toEqual(["of-b"]);
});

test("without an organization nothing is seen, and there is no working without one", async () => {
  await expect(postgres.inOrganization("" as OrganizationId, keysAll)).rejects.toThrow(RangeError);
  expect(await postgres.inOrganization("org_nobody" as OrganizationId, keysAll)).toEqual([]);
});
const keysAll = (sql: Sql) => sql`SELECT key FROM idempotency_keys`;

test("the organization is bound to its transaction: pooled connections do not carry it on, failed ones neither", async () => {
  const mixed = Array.from({ length: 200 }, (_, index) => (index % 3 === 0 ? a : b));
  const seen = await Promise.all(
    mixed.map(async (id, index) => {
      if (index % 7 === 0) await outcome(postgres.inOrganization(id, (sql) => sql`SELECT 1 / 0`));
      return keysSeenBy(id);
    }),
  );
  expect(seen).toEqual(mixed.map((id) => (id === a ? ["of-a"] : ["of-b"])));
});

test("a transaction cannot step out of its role", async () => {
  const role = await postgres.inOrganization(
    a,
    (sql) => sql`SELECT current_user AS role, current_setting('is_superuser') AS super`,
  );
  expect(role).toEqual([{ role: "weir_app", super: "off" }]);
  for (const statement of [
    "ALTER TABLE idempotency_keys DISABLE ROW LEVEL SECURITY",
    "DROP POLICY organization_isolation ON idempotency_keys",
    "CREATE TABLE mine (x int)",
    "SELECT weir_protect('idempotency_keys')",
    "SET row_security = off; SELECT * FROM idempotency_keys",
    "COPY idempotency_keys FROM PROGRAM 'id'",
  ]) {
    expect(
      await outcome(postgres.inOrganization(a, (sql) => sql.unsafe(statement).simple())),
      statement,
    ).toMatch(/must be owner|must be superuser|permission denied|row-level security/);
  }
});

test("the system role sees organizations and keys, and of other tables only what it was granted", async () => {
  expect(await postgres.asSystem((sql) => sql`SELECT slug FROM organizations ORDER BY slug`)).toEqual([
    { slug: "a" },
    { slug: "b" },
  ]);
  expect(await postgres.asSystem(keysAll)).toEqual([]); // expired ones only
  expect(await outcome(postgres.asSystem((sql) => sql`SELECT * FROM audit_log`))).toMatch(
    /permission denied/,
  );
});

test("the audit log is append-only for everybody, superusers included", async () => {
  await postgres.inOrganization(
    a,
    (sql) =>
      sql`INSERT INTO audit_log (organization, id, at, actor, action, target) VALUES (${a}, 'aud_1', now(), 'system', 'a.b', 't')`,
  );
  const superuser = postgresJs({ ...access, max: 1 });
  for (const statement of [
    "UPDATE weir.audit_log SET actor = 'nobody'",
    "DELETE FROM weir.audit_log",
    "TRUNCATE weir.audit_log",
    "SET session_replication_role = replica; DELETE FROM weir.audit_log",
  ]) {
    expect(await outcome(superuser.unsafe(statement).simple()), statement).toMatch(
      /audit_log refused: the table is append-only/,
    );
  }
  await superuser.end();
});

test("a failed transaction leaves nothing", async () => {
  const failed = postgres.inOrganization(a, async (sql) => {
    await idempotencyKey(a, "half")(sql);
    throw new Error("changed my mind");
  });
  await expect(failed).rejects.toThrow("changed my mind");
  expect(await keysSeenBy(a)).toEqual(["of-a"]);
});

describe("every table of every domain", () => {
  interface Table {
    table: string;
    forced: boolean;
    first_key: string;
    policies: string[];
    /** Has an organization, or is their table. */
    owned: boolean;
    /** By weir_app, in any way. */
    reachable: boolean;
  }
  let tables: Table[];
  beforeAll(async () => {
    tables = await postgres.asSystem(
      (sql) => sql<Table[]>`
        SELECT c.relname AS table, c.relrowsecurity AND c.relforcerowsecurity AS forced,
               (SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
                WHERE i.indrelid = c.oid AND i.indisprimary) AS first_key,
               ARRAY(SELECT polname::text FROM pg_policy p WHERE p.polrelid = c.oid) AS policies,
               EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'organization')
                 OR c.relname = 'organizations' AS owned,
               has_table_privilege('weir_app', c.oid, 'SELECT, INSERT, UPDATE, DELETE') AS reachable
        FROM pg_class c WHERE c.relnamespace = 'weir'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'migrations' ORDER BY 1`,
    );
  });

  test("has forced row-level security, the isolating policy, and the organization first in its key, or is Weir's alone", () => {
    expect(tables.length).toBeGreaterThan(4);
    expect(tables.filter(({ owned }) => owned).length).toBeGreaterThan(4);
    for (const { table, forced, first_key, policies, owned, reachable } of tables) {
      if (!owned) {
        // What belongs to processes, not to organizations: no request may reach it.
        expect(reachable, table).toBe(false);
        continue;
      }
      expect({ table, forced, first_key }).toEqual({
        table,
        forced: true,
        first_key: table === "organizations" ? "id" : "organization",
      });
      expect(policies, table).toContain("organization_isolation");
    }
  });

  test("refers to other tables within its organization only", async () => {
    const foreign = await postgres.asSystem(
      (sql) => sql<{ name: string; columns: string[]; target: string }[]>`
        SELECT k.conrelid::regclass || '.' || k.conname AS name, k.confrelid::regclass::text AS target,
               ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)) AS columns
        FROM pg_constraint k WHERE k.contype = 'f' AND k.connamespace = 'weir'::regnamespace`,
    );
    expect(foreign.length).toBeGreaterThan(2);
    for (const { name, columns } of foreign) expect(columns, name).toContain("organization");
  });

  test("a reference to another organization's row fails", async () => {
    const key = (organization: OrganizationId, id: string) => (sql: Sql) =>
      sql`INSERT INTO imports (organization, id, name, fingerprint, status, created_at, updated_at)
          VALUES (${organization}, ${id}, ${id}, 'f', 'running', now(), now())`;
    await postgres.inOrganization(b, key(b, "imp_b"));
    expect(await outcome(postgres.inOrganization(a, key("org_nobody" as OrganizationId, "imp_a")))).toMatch(
      /row-level security/,
    );
    const meterVersion = (sql: Sql) => sql`
      INSERT INTO meter_versions (organization, id, meter, version, definition, created_at, live_from, backfill_state)
      VALUES (${a}, 'mtv_a', 'mtr_b', 1, '{}', now(), '{}', 'pending')`;
    await postgres.inOrganization(b, async (sql) => {
      await sql`SET CONSTRAINTS ALL DEFERRED`;
      await sql`INSERT INTO meters (organization, id, slug, name, current_version, created_at, updated_at) VALUES (${b}, 'mtr_b', 'b', 'b', 'mtv_b', now(), now())`;
      await sql`INSERT INTO meter_versions (organization, id, meter, version, definition, created_at, live_from, backfill_state) VALUES (${b}, 'mtv_b', 'mtr_b', 1, '{}', now(), '{}', 'pending')`;
    });
    expect(await outcome(postgres.inOrganization(a, meterVersion))).toMatch(
      /violates foreign key constraint/,
    );
  });
});

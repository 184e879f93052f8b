import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgresJs from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { migrationsFolder, openPostgres, type Postgres } from "../../src/engines/postgres/index.js";
import { silentLog } from "../../src/kernel/log.js";
import { openTestPostgres, type SuperuserAccess } from "./embedded-postgres.js";

// One embedded server; each test has a database of its own on it, reached as DATABASE_URL would be.
let server: Postgres;
let remove: () => Promise<void>;
let superuser: postgresJs.Sql;
let access: SuperuserAccess;
let folder: string;
let database: string;
let number = 0;
const opened: Postgres[] = [];

beforeAll(async () => {
  ({ postgres: server, remove, superuser: access } = await openTestPostgres());
  superuser = postgresJs({ ...access, database: "postgres", onnotice: () => {} });
});
afterAll(async () => {
  await superuser.end();
  await remove();
});
beforeEach(async () => {
  number += 1;
  database = `d${number}`;
  await superuser.unsafe(`CREATE ROLE l${number} LOGIN CREATEROLE IN ROLE weir_app, weir_system`);
  await superuser.unsafe(`CREATE DATABASE ${database} OWNER l${number}`);
  folder = await mkdtemp(join(tmpdir(), "weir-test-migrations-"));
  await cp(migrationsFolder(), folder, { recursive: true });
});
afterEach(async () => {
  for (const postgres of opened.splice(0)) await postgres.close();
  await rm(folder, { recursive: true, force: true });
});

const urlFor = (user: string, name = database) => {
  const [folder, port] = access.path.split("/.s.PGSQL.");
  return `postgresql://${user}@localhost:${port}/${name}?host=${encodeURIComponent(folder!)}`;
};
const admin = (name = database) => postgresJs({ ...access, database: name, max: 1, onnotice: () => {} });

async function open(user = `l${number}`): Promise<Postgres> {
  const postgres = await openPostgres({
    dataDir: folder,
    url: urlFor(user),
    log: silentLog,
    migrations: folder,
  });
  opened.push(postgres);
  return postgres;
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => "nothing failed",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

async function asAdmin<T extends object = object>(statement: string, name = database): Promise<T[]> {
  const sql = admin(name);
  try {
    return [...(await sql.unsafe<T[]>(statement).simple())];
  } finally {
    await sql.end();
  }
}

describe("migrations", () => {
  test("two processes that start at once on an empty database both succeed, and each migration is applied once", async () => {
    const [one, two] = await Promise.all([open(), open()]);
    await writeFile(
      join(folder, "999998_later.sql"),
      "CREATE TABLE later (organization text PRIMARY KEY); SELECT weir_protect('later');",
    );
    await Promise.all([open(), open(), open()]);
    const rows = (await asAdmin<{ name: string }>("SELECT name FROM weir.migrations ORDER BY name")).map(
      (row) => row.name,
    );
    expect(rows).toHaveLength(new Set(rows).size);
    expect(rows.at(-1)).toBe("999998_later.sql");
    expect(await one.asSystem((sql) => sql`SELECT count(*)::int AS n FROM organizations`)).toEqual([
      { n: 0 },
    ]);
    expect(await two.asSystem((sql) => sql`SELECT count(*)::int AS n FROM organizations`)).toEqual([
      { n: 0 },
    ]);
  });

  test("an applied migration that was changed is refused by name; line ends do not count", async () => {
    await open();
    const file = join(folder, "000003_audit_log.sql");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replaceAll("\n", "\r\n"));
    await open();
    await writeFile(file, `${text}-- changed\n`);
    expect(await failure(open())).toMatch(/changed afterwards: 000003_audit_log\.sql.*add a new migration/);
  });

  test("a database that a newer Weir migrated is refused", async () => {
    await writeFile(join(folder, "999999_newer.sql"), "SELECT 1;");
    await open();
    await rm(join(folder, "999999_newer.sql"));
    expect(await failure(open())).toMatch(/another, probably newer Weir \(it has 999999_newer\.sql\)/);
  });

  test("a migration that fails leaves nothing of itself, and says in which line", async () => {
    await writeFile(join(folder, "999999_bad.sql"), "CREATE TABLE half (x int);\n\nSELECT nonsense;\n");
    expect(await failure(open())).toMatch(
      /Migration 999999_bad\.sql failed at line 3: column "nonsense" does not exist/,
    );
    expect(await asAdmin("SELECT 1 FROM pg_tables WHERE tablename = 'half'")).toEqual([]);
    await writeFile(join(folder, "999999_bad.sql"), "SELECT 1;");
    await open();
  });

  test("a migration that changes rows reaches those of every organization, though the owner sees none otherwise", async () => {
    const postgres = await open();
    await postgres.asSystem(
      (sql) =>
        sql`INSERT INTO organizations (id, slug, name, mode, created_at) VALUES ('org_a', 'a', 'A', 'live', now()), ('org_b', 'b', 'B', 'live', now())`,
    );
    await writeFile(join(folder, "999999_rename.sql"), "UPDATE organizations SET name = name || ' renamed';");
    await open();
    const names = await postgres.asSystem((sql) => sql`SELECT name FROM organizations ORDER BY slug`);
    expect(names).toEqual([{ name: "A renamed" }, { name: "B renamed" }]);
    const owner = postgresJs({ ...access, user: `l${number}`, database, max: 1 });
    expect(await owner`SELECT count(*)::int AS n FROM weir.api_keys`).toEqual([{ n: 0 }]);
    expect((await owner`DELETE FROM weir.api_keys`).count).toBe(0);
    await owner.end();
  });

  test("a table that forgets its tenancy stops the start, with the remedy", async () => {
    await writeFile(
      join(folder, "999999_open.sql"),
      "CREATE TABLE open_table (organization text, id text, PRIMARY KEY (organization, id));",
    );
    expect(await failure(open())).toMatch(
      /open_table is without forced row-level security[\s\S]*ALTER TABLE weir\."open_table" ENABLE ROW/,
    );
    await writeFile(
      join(folder, "999999_open.sql"),
      "CREATE TABLE t (id text PRIMARY KEY, organization text); SELECT weir_protect('t');",
    );
    await asAdmin("DROP SCHEMA weir CASCADE");
    expect(await failure(open())).toMatch(/primary key of t must begin with organization/);
  });

  test("names that do not sort, and numbers given twice, are refused", async () => {
    await writeFile(join(folder, "12_short.sql"), "SELECT 1;");
    expect(await failure(open())).toMatch(/named NNNNNN_name\.sql, not 12_short\.sql/);
    await rm(join(folder, "12_short.sql"));
    await writeFile(join(folder, "000003_again.sql"), "SELECT 1;");
    expect(await failure(open())).toMatch(/Two migrations have one number/);
  });
});

describe("a server of one's own, by DATABASE_URL", () => {
  test("works for a login that is no superuser, and stops no server on close", async () => {
    const postgres = await open();
    expect(await postgres.asSystem((sql) => sql`SELECT current_user AS role, session_user AS login`)).toEqual(
      [{ role: "weir_system", login: `l${number}` }],
    );
    expect(postgres.url).toBe(urlFor(`l${number}`));
    opened.splice(0);
    await postgres.close();
    expect(await server.asSystem((sql) => sql`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
  });

  test("a login without rights is told the SQL that an administrator must run, and that SQL is enough", async () => {
    await superuser.unsafe(`CREATE ROLE poor${number} LOGIN`);
    const message = await failure(open(`poor${number}`));
    expect(message).toMatch(/may not set up Weir in database "d\d+"/);
    expect(message).toContain(`GRANT weir_app TO "poor${number}";`);
    expect(message).toContain(`GRANT CREATE ON DATABASE "${database}" TO "poor${number}";`);
    await asAdmin(message.slice(message.indexOf("\n\n")));
    await open(`poor${number}`);
  });

  test.each([
    ["ALTER ROLE weir_app BYPASSRLS", "ALTER ROLE weir_app NOBYPASSRLS", /weir_app has BYPASSRLS/],
    ["ALTER ROLE weir_app SUPERUSER", "ALTER ROLE weir_app NOSUPERUSER", /weir_app is a superuser/],
    ["ALTER TABLE weir.audit_log OWNER TO weir_app", "", /weir_app owns audit_log/],
    [
      "GRANT weir_system TO weir_app",
      'REVOKE "weir_system" FROM weir_app',
      /weir_app is a member of weir_system/,
    ],
    [
      "ALTER TABLE weir.api_keys NO FORCE ROW LEVEL SECURITY",
      "",
      /api_keys is without forced row-level security/,
    ],
  ])("an unsafe application role is refused: %s", async (fault, remedy, expected) => {
    await open();
    await asAdmin(fault);
    try {
      const message = await failure(open());
      expect(message).toMatch(expected);
      expect(message).toContain(remedy);
      await asAdmin(message.slice(message.indexOf("\n\n")).replaceAll("CURRENT_USER", `l${number}`));
      await open();
    } finally {
      await asAdmin("ALTER ROLE weir_app NOSUPERUSER NOBYPASSRLS; REVOKE weir_system FROM weir_app");
    }
  });

  test("a database that is not UTF-8, a wrong URL and a server that is away are each said plainly", async () => {
    await superuser.unsafe(
      `CREATE DATABASE latin${number} OWNER l${number} ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0`,
    );
    const openAt = (url: string) =>
      failure(openPostgres({ dataDir: folder, url, log: silentLog, migrations: folder }));
    expect(await openAt(urlFor(`l${number}`, `latin${number}`))).toMatch(
      /encoding must be UTF8, it is LATIN1/,
    );
    expect(await openAt("not a url")).toMatch(/DATABASE_URL is not a URL/);
    expect(await openAt("mysql://a@b/c")).toMatch(/must begin with postgresql:/);
    expect(await openAt("postgresql://user:hunter2@localhost")).toMatch(/names no database/);
    const wrong = await openAt(urlFor("nobody_here"));
    expect(wrong).toMatch(/Cannot connect to nobody_here@.*role "nobody_here" does not exist/);
  });
});

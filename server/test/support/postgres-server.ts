import postgresJs from "postgres";

/**
 * A PostgreSQL server that is not the embedded one, as `npm run test:postgres` starts it: its superuser's URL, on a
 * Unix socket. With it, tests that open PostgreSQL or a whole Weir do so by DATABASE_URL, each on a database of its own.
 */
export const postgresServer = process.env["WEIR_TEST_POSTGRES"];

export interface TestDatabase {
  /** For a login that owns the database and is no superuser; TCP, with a password. */
  readonly url: string;
  readonly name: string;
  readonly login: string;
  /** Drops the database; connections to it are ended. */
  drop(): Promise<void>;
}

let made = 0;

/** A database with a login of its own. */
export async function createTestDatabase(): Promise<TestDatabase> {
  made += 1;
  const name = `t${process.pid}_${made}`;
  await asSuperuser((sql) => sql.unsafe(`CREATE ROLE ${name} LOGIN CREATEROLE PASSWORD 'a secret/${name}'`));
  const roles = ["weir_app", "weir_system"];
  // What another database's Weir made before, this login cannot grant itself; an administrator would, as the refusal says.
  for (const role of roles) {
    await asSuperuser((sql) =>
      sql.unsafe(
        `DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN GRANT ${role} TO ${name}; END IF; END $$`,
      ),
    );
  }
  await asSuperuser((sql) =>
    sql.unsafe(`CREATE DATABASE ${name} OWNER ${name} ENCODING 'UTF8' TEMPLATE template0`),
  );
  const { port } = new URL(requireServer());
  const password = encodeURIComponent(`a secret/${name}`);
  return {
    name,
    login: name,
    url: `postgresql://${name}:${password}@127.0.0.1:${port}/${name}`,
    drop: async () => {
      await asSuperuser((sql) => sql.unsafe(`DROP DATABASE ${name} WITH (FORCE)`));
    },
  };
}

/** Runs statements as the server's superuser, in a database. */
export async function asSuperuser<T>(
  work: (sql: postgresJs.Sql) => Promise<T>,
  database = "postgres",
): Promise<T> {
  const url = new URL(requireServer());
  const sql = postgresJs({
    path: `${url.searchParams.get("host")}/.s.PGSQL.${url.port}`,
    user: "postgres",
    database,
    max: 1,
    onnotice: () => {},
  });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}

function requireServer(): string {
  if (postgresServer === undefined)
    throw new Error("WEIR_TEST_POSTGRES is not set: npm run test:postgres sets it");
  return postgresServer;
}

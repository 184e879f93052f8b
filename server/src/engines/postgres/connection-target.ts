import { UnusableDatabase } from "./unusable-database.js";

/** Where a PostgreSQL server answers and as whom; what postgres.js takes as options. */
export interface ConnectionTarget {
  readonly host: string; // a name, an address, or the folder of a Unix socket
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** sslmode and further server settings of the URL's query */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Reads a libpq URL: `postgresql://user:password@host:port/database?sslmode=require`. A Unix socket's folder may stand as
 * `?host=/folder` or as a percent-encoded host, as libpq, pg and DBOS have it; postgres.js understands neither.
 *
 * @throws UnusableDatabase naming what is missing, never the password
 */
export function parseConnectionUrl(text: string): ConnectionTarget {
  const complete = text.replace(/^([a-z]+:\/\/[^/?]*@)(?=[/?])/, "$1localhost"); // user@/database is libpq's, not a URL
  if (!URL.canParse(complete))
    throw new UnusableDatabase(
      "DATABASE_URL is not a URL like postgresql://user:password@host:5432/database.",
    );
  const url = new URL(complete);
  if (url.protocol !== "postgres:" && url.protocol !== "postgresql:") {
    throw new UnusableDatabase(
      `DATABASE_URL must begin with postgresql://, it begins with ${url.protocol}//.`,
    );
  }
  const { host, port, user, password, dbname, ...settings } = Object.fromEntries(url.searchParams);
  const database = dbname ?? decodeURIComponent(url.pathname.slice(1));
  const login = user ?? decodeURIComponent(url.username);
  if (database === "")
    throw new UnusableDatabase("DATABASE_URL names no database: postgresql://user@host/database.");
  if (login === "")
    throw new UnusableDatabase("DATABASE_URL names no user: postgresql://user@host/database.");
  return {
    host: host ?? (decodeURIComponent(url.hostname) || "localhost"),
    port: Number(port ?? (url.port || "5432")),
    database,
    user: login,
    password: password ?? decodeURIComponent(url.password),
    settings,
  };
}

/** The libpq URL of a target on a Unix socket or without a password; for other clients of the same server. */
export function formatConnectionUrl(target: ConnectionTarget): string {
  const login =
    encodeURIComponent(target.user) +
    (target.password === "" ? "" : `:${encodeURIComponent(target.password)}`);
  const query = new URLSearchParams(target.settings);
  const isSocket = target.host.startsWith("/");
  if (isSocket) query.set("host", target.host);
  const authority = `${isSocket ? "localhost" : target.host}:${target.port}`;
  const search = query.size === 0 ? "" : `?${query.toString()}`;
  return `postgresql://${login}@${authority}/${encodeURIComponent(target.database)}${search}`;
}

/** For messages: who, where, without the password. */
export function describeTarget(target: ConnectionTarget): string {
  return `${target.user}@${target.host}:${target.port}/${target.database}`;
}

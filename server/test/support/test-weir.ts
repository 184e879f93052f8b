import { loadConfig } from "../../src/config.js";
import { silentLog } from "../../src/kernel/log.js";
import { startWeir, type RunningWeir } from "../../src/wire.js";
import { unlessShed } from "./graphql-operations.js";
import { createTestDatabase, postgresServer } from "./postgres-server.js";
import { temporaryFolder } from "./temporary-folder.js";

/** A whole Weir in this process, on a folder of its own and any free port. */
export interface TestWeir {
  readonly weir: RunningWeir;
  readonly url: string;
  readonly key: string;
  readonly dir: string;
  fetch(pathname: string, init?: RequestInit & { key?: string }): Promise<Response>;
  /** A GraphQL operation's data. @throws Error with the errors' messages */
  graphql<T = Record<string, unknown>>(query: string, variables?: object, key?: string): Promise<T>;
  /** Waits until everything accepted so far shows in queries. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export const testKey = "test-bootstrap-key-0123456789";

export async function startTestWeir(name: string, env: Record<string, string> = {}): Promise<TestWeir> {
  const folder = await temporaryFolder(name);
  const database = postgresServer === undefined ? undefined : await createTestDatabase();
  const config = loadConfig({
    WEIR_DATA_DIR: folder.dir,
    WEIR_HTTP_PORT: "0",
    WEIR_DEMO: "off",
    WEIR_BOOTSTRAP_KEY: testKey,
    WEIR_SEAL_AGE_MS: "50",
    WEIR_INSERT_INTERVAL_MS: "50",
    ...(database === undefined ? {} : { DATABASE_URL: database.url }),
    ...env,
  });
  const weir = await startWeir(config, silentLog);
  const fetchFrom: TestWeir["fetch"] = (pathname, { key = testKey, headers, ...init } = {}) =>
    fetch(new URL(pathname, weir.url), {
      ...init,
      headers: { authorization: `Bearer ${key}`, ...(headers as Record<string, string>) },
    });
  return {
    weir,
    url: weir.url,
    key: testKey,
    dir: folder.dir,
    fetch: fetchFrom,
    async graphql<T>(query: string, variables: object = {}, key = testKey) {
      const response = await unlessShed(() =>
        fetchFrom("/graphql", {
          method: "POST",
          key,
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ query, variables }),
        }),
      );
      const { data, errors } = (await response.json()) as { data?: T; errors?: { message: string }[] };
      if (errors !== undefined || data === undefined)
        throw new Error(errors?.map((error) => error.message).join("; ") ?? "no data");
      return data;
    },
    settled: () => weir.services.usage.settled(),
    async close() {
      await weir.stop();
      await database?.drop();
      await folder.remove();
    },
  };
}

import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "./config.js";
import { migrateColumnar, openColumnar } from "./engines/columnar/index.js";
import { openDataDirectory } from "./engines/data-directory/index.js";
import { openPostgres } from "./engines/postgres/index.js";
import { systemClock } from "./kernel/clock.js";
import type { Log } from "./kernel/log.js";
import type { Opens, RunningServices } from "./open-services.js";

/** A Weir that runs, and how to stop it. */
export interface RunningWeir extends RunningServices {
  /** Finishes what was accepted, then lets go of everything; within 10 s. */
  stop(): Promise<void>;
}

const migrations = fileURLToPath(new URL("../migrations/clickhouse", import.meta.url));

/** Opens the engines, then the domains, then the port; undoes what was opened when a later step fails. */
export async function startWeir(config: Config, log: Log): Promise<RunningWeir> {
  const clock = systemClock;
  const opened: { name: string; close: () => Promise<void> }[] = [];
  const opens: Opens = (name, value, close) => {
    opened.push({ name, close: () => close(value) });
    return value;
  };
  const stop = async () => {
    for (const { name, close } of opened.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        log.error(`closing ${name} failed`, { error: String(error) });
      }
    }
  };

  try {
    const dataDirectory = opens("data directory", await openDataDirectory(config.dataDir), (held) =>
      held.release(),
    );
    // The two stores start side by side: they need nothing of one another.
    const starting = [
      openPostgres({
        dataDir: dataDirectory.dir,
        log,
        ...(config.databaseUrl === undefined ? {} : { url: config.databaseUrl }),
      }).then((postgres) => opens("PostgreSQL", postgres, (store) => store.close())),
      openColumnar({
        dir: path.join(dataDirectory.dir, "clickhouse"),
        memoryBytesMax: config.columnar.memoryBytesMax,
        log,
        ...(config.clickhouseUrl === undefined ? {} : { url: config.clickhouseUrl }),
      }).then(async (columnar) => {
        opens("ClickHouse", columnar, (store) => store.close());
        await migrateColumnar(columnar, migrations);
        return columnar;
      }),
    ] as const;
    // Most of the code, and its libraries, loads while they do.
    const loading = import("./open-services.js");
    await Promise.allSettled([...starting, loading]);
    const [postgres, columnar] = await Promise.all(starting);

    const { openServices } = await loading;
    const running = await openServices({ dataDirectory, postgres, columnar }, { config, clock, log, opens });
    return { ...running, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

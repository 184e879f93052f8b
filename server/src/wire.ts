import path from "node:path";
import { fileURLToPath } from "node:url";
import { deleteExpiredIdempotencyKeys } from "./audit/index.js";
import type { Config } from "./config.js";
import { migrateColumnar, openColumnar } from "./engines/columnar/index.js";
import { openDataDirectory } from "./engines/data-directory/index.js";
import { openWorkflows } from "./engines/workflow/index.js";
import { openPostgres } from "./engines/postgres/index.js";
import { listen } from "./http/listen.js";
import { createHttpServer } from "./http/server.js";
import { openIdentity } from "./identity/index.js";
import { systemClock } from "./kernel/clock.js";
import type { Log } from "./kernel/log.js";
import { startDemo } from "./demo/index.js";
import { refuseTestClock } from "./billing/index.js";
import { openMoney } from "./open-money.js";
import type { Services } from "./services.js";
import { OrganizationClocks, openTime } from "./time/index.js";
import { RunRetention, Runs } from "./runs/index.js";
import { openUsage } from "./usage/index.js";

/** A Weir that runs, and how to stop it. */
export interface RunningWeir {
  readonly url: string;
  readonly services: Services;
  /** The first secret key, on the start that made it. */
  readonly firstKey: string | undefined;
  /** A key of the demo's organization, while the demo runs. */
  readonly demoKey: string | undefined;
  /** Finishes what was accepted, then lets go of everything; within 10 s. */
  stop(): Promise<void>;
}

const migrations = fileURLToPath(new URL("../migrations/clickhouse", import.meta.url));
const close_connections_ms = 2_000;
const forget_keys_every_ms = 60_000;

/** Opens the engines, then the domains, then the port; undoes what was opened when a later step fails. */
export async function startWeir(config: Config, log: Log): Promise<RunningWeir> {
  const clock = systemClock;
  const opened: { name: string; close: () => Promise<void> }[] = [];
  const opens = <T>(name: string, value: T, close: (value: T) => Promise<void>): T => {
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
    await Promise.allSettled(starting);
    const [postgres, columnar] = await Promise.all(starting);

    const identity = openIdentity({ postgres, clock });
    const { secret: firstKey } = await identity.bootstrap(config.bootstrapKey);
    const clocks = opens("clocks", new OrganizationClocks({ postgres, clock, log }), async (all) =>
      all.stop(),
    );
    await clocks.load();
    const executor = dataDirectory.writer;
    const workflows = opens("workflows", openWorkflows({ postgres, executor, log }), (engine) =>
      engine.close(),
    );
    const time = openTime({ postgres, workflows, clocks, clock, log, usageSettled: () => usage.settled() });
    const { wakes, testClocks } = time;
    testClocks.refuseWhen(refuseTestClock);
    const money = openMoney({ postgres, clock, clocks, workflows, wakes, usage: () => usage });
    const usage = opens(
      "usage",
      await openUsage({
        dataDirectory,
        config,
        postgres,
        columnar,
        clock,
        clocks,
        workflows,
        wakes,
        log,
        subjectsOfCustomers: money.subjectsOfCustomers,
      }),
      (domain) => domain.close(),
    );
    const services: Services = {
      config,
      clock,
      clocks,
      log,
      postgres,
      columnar,
      workflows,
      runs: new Runs({ postgres, workflows, clock }),
      wakes,
      testClocks,
      identity,
      usage,
      ...money,
    };
    const retention = new RunRetention({
      postgres,
      workflows,
      clock,
      log,
      days: config.runRetentionDays,
      holders: [(sql, runs) => wakes.runsInUse(sql, runs), (sql, runs) => usage.imports.runsInUse(sql, runs)],
    });
    const forgetting = setInterval(() => {
      deleteExpiredIdempotencyKeys(postgres).catch((error: unknown) =>
        log.warn("deleting expired idempotency keys failed", { error: String(error) }),
      );
    }, forget_keys_every_ms);
    opens("housekeeping", forgetting.unref(), async (timer) => clearInterval(timer));
    // Ends before what its steps work with.
    opens("time", time, async (running) => {
      await retention.stop();
      await running.stop();
      await workflows.close();
    });

    const app = opens("HTTP", await createHttpServer(services), async (server) => {
      // Streams that a client holds open would keep the server from closing.
      const impatient = setTimeout(() => server.server.closeAllConnections(), close_connections_ms);
      await server.close();
      clearTimeout(impatient);
    });
    const url = await listen(app, config.host, config.httpPort);
    time.start();
    retention.start();
    const demo = config.demo
      ? opens("demo", await startDemo(services, url), (running) => running.stop())
      : undefined;
    return { url, services, firstKey, demoKey: demo?.key, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

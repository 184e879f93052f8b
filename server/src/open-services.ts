import path from "node:path";
import { deleteExpiredIdempotencyKeys } from "./audit/index.js";
import { late_usage_days, refuseTestClock } from "./billing/index.js";
import { findMeterMisfits } from "./catalog/index.js";
import type { Config } from "./config.js";
import { startDemo } from "./demo/index.js";
import type { Columnar } from "./engines/columnar/index.js";
import type { DataDirectory } from "./engines/data-directory/index.js";
import type { Postgres } from "./engines/postgres/index.js";
import { FolderObjects } from "./engines/objects/index.js";
import { openSecrets } from "./engines/secrets/index.js";
import { openWorkflows } from "./engines/workflow/index.js";
import { listen } from "./http/listen.js";
import { createHttpServer } from "./http/server.js";
import { openIdentity } from "./identity/index.js";
import type { Clock } from "./kernel/clock.js";
import type { Log } from "./kernel/log.js";
import { openMoney } from "./open-money.js";
import { RunRetention, Runs } from "./runs/index.js";
import type { Services } from "./services.js";
import { OrganizationClocks, openTime } from "./time/index.js";
import { openUsage } from "./usage/index.js";
import { openWebhooks } from "./webhooks/index.js";

/** What stands when the domains open. */
export interface Engines {
  readonly dataDirectory: DataDirectory;
  readonly postgres: Postgres;
  readonly columnar: Columnar;
}

/** Notes what is open and how it is closed: the last first. */
export type Opens = <T>(name: string, value: T, close: (value: T) => Promise<void>) => T;

export interface RunningServices {
  readonly url: string;
  readonly services: Services;
  /** The first secret key, on the start that made it. */
  readonly firstKey: string | undefined;
  /** A key of the demo's organization, while the demo runs. */
  readonly demoKey: string | undefined;
}

const close_connections_ms = 2_000;
const forget_keys_every_ms = 60_000;

/** Opens the domains on their engines, then the port, and begins with what runs by itself. */
export async function openServices(
  { dataDirectory, postgres, columnar }: Engines,
  {
    config,
    clock,
    log,
    opens,
  }: { readonly config: Config; readonly clock: Clock; readonly log: Log; readonly opens: Opens },
): Promise<RunningServices> {
  let listeningAt = `http://${config.host}:${config.httpPort}`;
  const publicUrl = () => config.publicUrl ?? listeningAt;
  const secrets = await openSecrets({
    masterKeys: config.masterKeys,
    dataDir: dataDirectory.dir,
    postgres,
    log,
  });
  const identity = openIdentity({ postgres, clock });
  const { secret: firstKey } = await identity.bootstrap(config.bootstrapKey);
  const clocks = opens("clocks", new OrganizationClocks({ postgres, clock, log }), async (all) => all.stop());
  await clocks.load();
  const executor = dataDirectory.writer;
  const workflows = opens("workflows", openWorkflows({ postgres, executor, log }), (engine) =>
    engine.close(),
  );
  // What an advance bills, and what it looks at: usage that was accepted before it.
  const usageSettled = async () => {
    await usage.settled();
    await usageLooks.settled();
  };
  const time = openTime({ postgres, workflows, clocks, clock, log, usageSettled });
  const { wakes, testClocks } = time;
  testClocks.refuseWhen(refuseTestClock);
  const webhooks = opens(
    "webhooks",
    openWebhooks({ postgres, secrets, clock, clocks, log, executor, sending: config.webhooks }),
    (running) => running.stop(),
  );
  const objects = new FolderObjects({
    dir: path.join(dataDirectory.dir, "objects"),
    secrets,
    diskFreeBytesMin: config.stream.diskFreeBytesMin,
  });
  await objects.open();
  const money = openMoney({
    postgres,
    clock,
    clocks,
    workflows,
    wakes,
    secrets,
    webhooks,
    mail: config.mail,
    objects,
    log,
    writer: dataDirectory.writer,
    settlementLimits: config.settlement,
    balanceLookMinutes: config.prepaid.lookMinutes,
    publicUrl,
    usage: () => usage,
  });
  const { usageLooks } = money.prepaid;
  opens("balance looks", usageLooks, (running) => running.stop());
  opens("settlement", money.settlement, (domain) => domain.close());
  const { sealer } = money.books;
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
      meterMisfits: findMeterMisfits,
      billedAgainDays: late_usage_days,
    }),
    (domain) => domain.close(),
  );
  opens(
    "usage arrivals",
    usage.onArrival((organizations) => usageLooks.arrived(organizations)),
    async (stop) => stop(),
  );
  const services: Services = {
    config,
    publicUrl,
    clock,
    clocks,
    log,
    postgres,
    columnar,
    secrets,
    workflows,
    runs: new Runs({ postgres, workflows, clock }),
    wakes,
    testClocks,
    identity,
    usage,
    webhooks,
    ...money,
  };
  const retention = new RunRetention({
    postgres,
    workflows,
    clock,
    log,
    days: config.runRetentionDays,
    holders: [
      (sql, runs) => wakes.runsInUse(sql, runs),
      (sql, runs) => usage.imports.runsInUse(sql, runs),
      (sql, runs) => money.settlement.files.runsInUse(sql, runs),
    ],
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
    await sealer.stop();
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
  listeningAt = url.replace(/\/+$/, "");
  time.start();
  usageLooks
    .start()
    .catch((error: unknown) => log.warn("balances were not looked at", { error: String(error) }));
  webhooks.start();
  retention.start();
  sealer.start();
  const demo = config.demo
    ? opens("demo", await startDemo(services, url), (running) => running.stop())
    : undefined;
  return { url, services, firstKey, demoKey: demo?.key };
}

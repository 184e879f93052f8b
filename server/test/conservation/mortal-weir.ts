import os from "node:os";
import path from "node:path";
import { mkdtemp, rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import postgresJs from "postgres";
import { FolderObjects, type Objects } from "../../src/engines/objects/index.js";
import type { Postgres } from "../../src/engines/postgres/index.js";
import { openSecrets, type Secrets } from "../../src/engines/secrets/index.js";
import { openWorkflows, type Workflows } from "../../src/engines/workflow/index.js";
import { openIdentity, type Identity } from "../../src/identity/index.js";
import { systemClock } from "../../src/kernel/clock.js";
import type { OrganizationId } from "../../src/kernel/ids.js";
import { silentLog, type Log } from "../../src/kernel/log.js";
import { openMoney, type Money } from "../../src/open-money.js";
import { stripeProvider } from "../../src/payments/index.js";
import { openTime, OrganizationClocks, type Time } from "../../src/time/index.js";
import { openWebhooks, type Webhooks } from "../../src/webhooks/index.js";
import type { Usage } from "../../src/usage/index.js";
import { openTestPostgres, type SuperuserAccess } from "../integration/embedded-postgres.js";
import type { Boundaries } from "./boundaries.js";
import { BusyRuns } from "./busy-runs.js";
import { postgresDoor, providerDoor, workflowsDoor, type ProviderDoor } from "./doors.js";
import { Life } from "./life.js";

/** What of a Weir moves money, as wire.ts and open-services.ts open it, over the doors of one life. */
export interface LivingWeir {
  readonly life: Life;
  readonly busy: BusyRuns;
  readonly identity: Identity;
  readonly clocks: OrganizationClocks;
  readonly time: Time;
  readonly webhooks: Webhooks;
  readonly money: Money;
}

export interface MortalWeirOptions {
  readonly boundariesOf: (organization: OrganizationId) => Boundaries | undefined;
  readonly providerOf: ProviderDoor;
  /** Told of each death, before the next life begins. */
  readonly onDeath: (life: Life) => void;
  readonly log?: Log;
}

const executor = "conservation";

/**
 * A Weir that dies and is started again, in this process and on one real PostgreSQL: a life's logins are shut out and its
 * connections cut when it dies, its transactions are undone, and what it awaits never comes. The next life takes its runs up.
 */
export class MortalWeir {
  readonly #on: MortalWeirOptions;
  readonly #opened: Awaited<ReturnType<typeof openTestPostgres>>;
  readonly #superuser: postgresJs.Sql;
  readonly #secrets: Secrets;
  readonly #objects: Objects;
  readonly #objectsDir: string;
  readonly #ended: Promise<unknown>[] = [];
  #living: Promise<LivingWeir>;
  #lives = 0;
  #isClosed = false;

  private constructor(
    options: MortalWeirOptions,
    opened: Awaited<ReturnType<typeof openTestPostgres>>,
    secrets: Secrets,
    objects: Objects,
    objectsDir: string,
  ) {
    this.#on = options;
    this.#opened = opened;
    this.#superuser = connect(opened.superuser);
    this.#secrets = secrets;
    this.#objects = objects;
    this.#objectsDir = objectsDir;
    this.#living = this.#open([]);
    this.#living.catch(() => undefined);
  }

  static async open(options: MortalWeirOptions): Promise<MortalWeir> {
    const opened = await openTestPostgres();
    const log = options.log ?? silentLog;
    const { postgres, superuser } = opened;
    const once = connect(superuser);
    // A process that dies loses nothing that it committed; that a machine that dies does not either is not asked here.
    await once.unsafe(`ALTER DATABASE "${superuser.database}" SET synchronous_commit = off`);
    await once.end();
    const secrets = await openSecrets({
      masterKeys: [randomBytes(32)],
      dataDir: opened.dataDir,
      postgres,
      log,
    });
    const dir = await mkdtemp(path.join(os.tmpdir(), "weir-conservation-"));
    const objects = new FolderObjects({ dir, secrets, diskFreeBytesMin: 0 });
    await objects.open();
    return new MortalWeir(options, opened, secrets, objects, dir);
  }

  /** The database itself, which nobody's death closes. */
  get postgres(): Postgres {
    return this.#opened.postgres;
  }

  /** The database without any of its rules. */
  get superuser(): postgresJs.Sql {
    return this.#superuser;
  }

  /** The life that goes on, or the next one. */
  living(): Promise<LivingWeir> {
    return this.#living;
  }

  get lives(): number {
    return this.#lives;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    (await this.#living.catch(() => undefined))?.life.die("the end");
    await Promise.allSettled(this.#ended);
    await this.#superuser.end();
    await this.#opened.remove();
    await rm(this.#objectsDir, { recursive: true, force: true });
  }

  async #open(unfinished: ConstructorParameters<typeof BusyRuns>[0]): Promise<LivingWeir> {
    this.#lives += 1;
    const { boundariesOf, providerOf, log = silentLog } = this.#on;
    const login = `life_${this.#lives}`;
    const url = new URL(this.#opened.postgres.url);
    const owner = url.username;
    await this.#superuser.unsafe(`CREATE ROLE ${login} LOGIN IN ROLE ${owner}`);
    await this.#superuser.unsafe(`ALTER ROLE ${login} SET role = ${owner}`);
    url.username = login;
    const life = new Life(this.#lives, (one) => {
      this.#on.onDeath(one);
      if (!this.#isClosed) {
        this.#living = this.#succeed(living, login);
        this.#living.catch(() => undefined);
      } else this.#ended.push(this.#bury(living, login));
    });
    const busy = new BusyRuns(unfinished);
    const postgres = postgresDoor(this.#opened.postgres, url.href, life, boundariesOf);
    const clock = systemClock;
    const engine = openWorkflows({ postgres, executor, log });
    const workflows = workflowsDoor(engine, life, boundariesOf, busy);
    const clocks = new OrganizationClocks({ postgres: this.#opened.postgres, clock, log });
    await clocks.load();
    const time = openTime({ postgres, workflows, clocks, clock, log, usageSettled: () => Promise.resolve() });
    const webhooks = openWebhooks({
      postgres,
      secrets: this.#secrets,
      clock,
      clocks,
      log,
      executor,
      sending: { allowPrivate: true },
    });
    const money = openMoney({
      mail: undefined,
      postgres,
      clock,
      clocks,
      workflows,
      wakes: time.wakes,
      secrets: this.#secrets,
      webhooks,
      objects: this.#objects,
      log,
      writer: executor,
      balanceLookMinutes: 1_440,
      publicUrl: () => "http://localhost",
      settlementLimits: { fileBytesMax: 1, filesMax: 1, filesBytesMax: 1 },
      providers: [stripeProvider({ httpClient: providerDoor(providerOf, life, boundariesOf) })],
      // A provider that was left alone is tried again after 15 ms: nobody waits for real time here.
      gate: { now_ms: () => performance.now() * 1_000 },
      usage: noUsage,
    });
    const living: LivingWeir = {
      life,
      busy,
      identity: openIdentity({ postgres, clock }),
      clocks,
      time,
      webhooks,
      money,
    };
    this.#engines.set(life, engine);
    await engine.ready();
    return living;
  }

  readonly #engines = new Map<Life, Workflows>();

  async #succeed(before: LivingWeir, login: string): Promise<LivingWeir> {
    await this.#bury(before, login);
    const rows = await this.#superuser<{ organization: OrganizationId; run: string }[]>`
      SELECT authenticated_user AS organization, substr(workflow_uuid, length(authenticated_user) + 2) AS run
      FROM weir_workflow.workflow_status WHERE status IN ('PENDING', 'ENQUEUED', 'DELAYED')`;
    return this.#open(rows);
  }

  /** Cuts a life's connections, so that the engine's library can write nothing more, and waits until its transactions are undone. */
  async #bury({ life, clocks, money }: LivingWeir, login: string): Promise<void> {
    await this.#superuser.unsafe(`ALTER ROLE ${login} NOLOGIN`);
    await this.#superuser`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ${login}`;
    await life.whenQuiet();
    clocks.stop();
    await money.settlement.close();
    const engine = this.#engines.get(life);
    this.#engines.delete(life);
    // Takes some seconds, in which it can do nothing: nobody waits for it.
    if (engine !== undefined) this.#ended.push(engine.close().catch(() => undefined));
  }
}

function connect({ path: socket, user, database }: SuperuserAccess): postgresJs.Sql {
  return postgresJs({ path: socket, user, database, max: 1, onnotice: () => {} });
}

/** There are no meters here: invoices are of flat fees. */
function noUsage(): Usage {
  return {
    meters: { find: () => Promise.resolve(undefined), list: () => Promise.resolve([]) },
  } as unknown as Usage;
}

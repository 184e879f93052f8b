import { AsyncLocalStorage } from "node:async_hooks";
import type { Pool } from "pg";
import type { OrganizationId } from "../../kernel/ids.js";
import { msOf, type Instant } from "../../kernel/instant.js";
import type { JsonValue } from "../../kernel/json.js";
import type { Log } from "../../kernel/log.js";
import { StoreUnavailable } from "../../kernel/problem.js";
import type { Postgres, Sql } from "../postgres/index.js";
import { messageOf, WorkflowUnknown } from "./errors.js";
import { openLibraryPool } from "./library-pool.js";
import { library_schema, setUpLibrarySchema } from "./library-schema.js";
import { loadLibrary, plainJson, type Library } from "./load-library.js";
import { RunContext } from "./run-context.js";
import { SignalNudges } from "./signal-nudges.js";
import { StepActivity } from "./step-activity.js";
import { StepLimit } from "./step-limit.js";
import { deleteEnded, selectEnded, selectOrganizationsWithEnded } from "./store/ended-runs.js";
import { adoptRuns, markGone, markSeen } from "./store/executors.js";
import {
  cancelRun,
  countBusyRuns,
  findKinds,
  findRun,
  findState,
  retryRun,
  selectFailedSince,
  selectRuns,
  selectRunsOf,
  selectSteps,
} from "./store/runs.js";
import { insertSignal } from "./store/signals.js";
import type {
  EndedRun,
  NewRun,
  Run,
  RunDetails,
  RunFilter,
  RunOutcome,
  RunState,
  Signal,
  StartOutcome,
  StepOutput,
  WorkflowDefinition,
  Workflows,
} from "./workflow.js";

export interface WorkflowsOptions {
  readonly postgres: Postgres;
  /** Unique among the processes on one database, and the same after a restart: its runs are taken up again. */
  readonly executor: string;
  readonly log: Log;
}

/** What the library keeps as a run's one argument. */
interface Dispatch {
  readonly organization: OrganizationId;
  readonly run: string;
  readonly kind: string;
  readonly version: number;
  readonly input: JsonValue;
}

// Of code, not of a release: with the library's default, a hash of the source, an upgrade would strand what is in flight.
// Which code a run goes on with is said by its own version.
const application_version = "weir-1";
// How many steps of a queue are at work at once: PostgreSQL's pool has 16 connections, which requests share.
const steps_at_once_max = 3;
const library_connections_max = 6;
// A run that takes its process down with it is tried so often before it counts as failed.
const recoveries_max = 200;
const seen_every_ms = 5_000;
const dead_after_seconds = 30;
const launch_again_ms_max = 10_000;
const stop_ms_max = 5_000;
const run_id_length_max = 400;
export const steps_shown_max = 1_000;

type StartRun = (dispatch: Dispatch) => Promise<StepOutput>;

interface Launched {
  readonly library: Library;
  readonly startRun: StartRun;
}

/**
 * Durable execution by DBOS on the same PostgreSQL, in a schema of its own. It comes up with the first call that needs
 * it, once every workflow is registered: wire.ts asks for it after the port is open, so that a start does not wait for it.
 */
export function openWorkflows(options: WorkflowsOptions): Workflows {
  return new DbosWorkflows(options);
}

class DbosWorkflows implements Workflows {
  readonly #on: WorkflowsOptions;
  readonly #definitions = new Map<string, Map<number, WorkflowDefinition>>();
  readonly #limits = new Map<string, StepLimit>();
  readonly #activity = new StepActivity();
  readonly #nudges: SignalNudges;
  #launching: Promise<Launched> | undefined;
  #closing: Promise<void> | undefined;
  // Whoever starts a run may stand inside a step of another, which the library does not allow.
  readonly #outside = AsyncLocalStorage.snapshot();
  #library: Library | undefined;
  #pool: Pool | undefined;
  #beat: NodeJS.Timeout | undefined;
  #active = 0;

  constructor(options: WorkflowsOptions) {
    this.#on = options;
    this.#nudges = new SignalNudges(options.postgres, options.log);
  }

  get active(): number {
    return this.#active;
  }

  register<Input extends JsonValue, Output extends StepOutput>(
    definition: WorkflowDefinition<Input, Output>,
  ): void {
    const { kind, version } = definition;
    if (!/^[a-z][a-z0-9-]{0,63}$/.test(kind) || !Number.isInteger(version) || version < 1)
      throw new RangeError(
        `a workflow is named like invoice-run and has a version from 1, not ${kind}, ${version}`,
      );
    const versions = this.#definitions.get(kind) ?? new Map<number, WorkflowDefinition>();
    if (versions.has(version)) throw new RangeError(`workflow ${kind} has a version ${version} already`);
    versions.set(version, definition as unknown as WorkflowDefinition);
    this.#definitions.set(kind, versions);
  }

  async start(organization: OrganizationId, run: NewRun, sql?: Sql): Promise<"started" | "exists"> {
    const [outcome = "exists"] = await this.startAll(organization, [run], sql);
    if (typeof outcome === "object") throw outcome.error;
    return outcome;
  }

  async startAll(
    organization: OrganizationId,
    runs: readonly NewRun[],
    sql?: Sql,
  ): Promise<readonly StartOutcome[]> {
    const launched = await this.#launched();
    const ids = runs.map(({ id }) => id);
    const kinds = await this.#within(organization, sql, (inside) => findKinds(inside, ids));
    const outcomes: StartOutcome[] = [];
    const waiting = runs.entries();
    const work = async () => {
      for (const [index, run] of waiting)
        outcomes[index] = await this.#startOne(launched, organization, run, kinds.get(run.id)).catch(
          (error: unknown) => ({ error }),
        );
    };
    await Promise.all(Array.from({ length: library_connections_max }, work));
    return outcomes;
  }

  async #startOne(
    { library, startRun }: Launched,
    organization: OrganizationId,
    { kind, id, input }: NewRun,
    kindOfExisting: string | undefined,
  ): Promise<"started" | "exists"> {
    if (id.length === 0 || id.length > run_id_length_max)
      throw new RangeError(`a run's id has 1 to ${run_id_length_max} characters, not ${id.length}`);
    const version = Math.max(...(this.#definitions.get(kind)?.keys() ?? [0]));
    if (version < 1) throw new WorkflowUnknown(kind, 1);
    if (kindOfExisting !== undefined) {
      if (kindOfExisting !== kind) throw new RangeError(`run ${id} is a ${kindOfExisting}, not a ${kind}`);
      return "exists";
    }
    const dispatch: Dispatch = { organization, run: id, kind, version, input };
    await this.#outside(() =>
      library.withAuthedContext(organization, [], () =>
        library.startWorkflow(startRun, {
          workflowID: `${organization}/${id}`,
          workflowAttributes: { kind, version },
        })(dispatch),
      ),
    );
    return "started";
  }

  async signal(
    organization: OrganizationId,
    signal: Signal,
    sql?: Sql,
  ): Promise<"sent" | "unknown" | "ended"> {
    await this.ready();
    const outcome = await this.#within(organization, sql, async (inside) => {
      const run = await findState(inside, signal.run);
      if (run === undefined) return "unknown";
      if (run.state === "succeeded") return "ended";
      await insertSignal(inside, organization, signal);
      return "sent";
    });
    if (outcome === "sent" && sql === undefined) this.#nudges.nudge(organization, signal.run);
    return outcome;
  }

  /** In the transaction that is open, or in one of its own. */
  #within<T>(organization: OrganizationId, sql: Sql | undefined, work: (sql: Sql) => Promise<T>): Promise<T> {
    return sql === undefined ? this.#on.postgres.inOrganization(organization, work) : work(sql);
  }

  async list(organization: OrganizationId, filter: RunFilter): Promise<readonly Run[]> {
    await this.ready();
    return this.#on.postgres.inOrganization(organization, (sql) => selectRuns(sql, filter));
  }

  async inspect(organization: OrganizationId, id: string): Promise<RunDetails | undefined> {
    await this.ready();
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const run = await findRun(sql, id);
      if (run === undefined) return undefined;
      const steps = await selectSteps(sql, id, steps_shown_max + 1);
      return { ...run, steps: steps.slice(0, steps_shown_max), hasMoreSteps: steps.length > steps_shown_max };
    });
  }

  async outcomes(
    organization: OrganizationId,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, RunOutcome>> {
    if (ids.length === 0) return new Map();
    await this.ready();
    const runs = await this.#on.postgres.inOrganization(organization, (sql) => selectRunsOf(sql, ids));
    return new Map(runs.map((run) => [run.id, run]));
  }

  async cancel(sql: Sql, organization: OrganizationId, id: string): Promise<RunState | undefined> {
    this.#checkLaunched();
    const run = await findState(sql, id);
    if (run !== undefined && (await cancelRun(sql, id))) this.#nudges.nudgeSoon(organization, id);
    return run?.state;
  }

  async retry(sql: Sql, _organization: OrganizationId, id: string): Promise<RunState | undefined> {
    this.#checkLaunched();
    const run = await findState(sql, id);
    if (run !== undefined) await retryRun(sql, id);
    return run?.state;
  }

  async organizationsWithEnded(page: {
    before: Instant;
    after: OrganizationId | undefined;
    limit: number;
  }): Promise<readonly OrganizationId[]> {
    await this.ready();
    const { before, ...rest } = page;
    return this.#on.postgres.asSystem((sql) =>
      selectOrganizationsWithEnded(sql, { ...rest, before_ms: msOf(before) }),
    );
  }

  listEnded(
    sql: Sql,
    { before, ...rest }: { before: Instant; after: EndedRun | undefined; limit: number },
  ): Promise<readonly EndedRun[]> {
    return selectEnded(sql, { ...rest, before_ms: msOf(before) });
  }

  forget(sql: Sql, ids: readonly string[], before: Instant): Promise<number> {
    return deleteEnded(sql, ids, msOf(before));
  }

  async countBusy(organization: OrganizationId, exceptKind?: string): Promise<number> {
    await this.ready();
    return this.#on.postgres.inOrganization(organization, (sql) => countBusyRuns(sql, exceptKind));
  }

  async failedSince(organization: OrganizationId, since_ms: number): Promise<readonly Run[]> {
    await this.ready();
    return this.#on.postgres.inOrganization(organization, (sql) => selectFailedSince(sql, since_ms, 10));
  }

  async ready(): Promise<void> {
    await this.#launched();
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    clearInterval(this.#beat);
    this.#nudges.stop();
    await this.#activity.stop(stop_ms_max);
    if (this.#launching === undefined) return;
    await this.#launching.catch(() => undefined);
    await this.#library?.shutdown();
    await this.#pool?.end();
    await this.#on.postgres
      .asSystem((sql) => markGone(sql, this.#on.executor))
      .catch((error: unknown) => this.#on.log.debug("leaving failed", { error: messageOf(error) }));
  }

  /**
   * Inside a transaction nobody may wait for the launch: at the very first one the library builds indexes concurrently, which
   * waits for every transaction that is open.
   */
  #checkLaunched(): void {
    if (this.#library === undefined) throw new StoreUnavailable("workflows do not run yet");
  }

  #launched(): Promise<Launched> {
    return (this.#launching ??= this.#launch());
  }

  async #launch(): Promise<Launched> {
    for (let wait_ms = 250; ; wait_ms = Math.min(wait_ms * 2, launch_again_ms_max)) {
      if (this.#activity.stopping) throw new Error("Weir stops");
      const library = loadLibrary();
      const { postgres, log } = this.#on;
      const pool = openLibraryPool({ url: postgres.url, connectionsMax: library_connections_max, log });
      try {
        const launched = await this.#launchOnce(library, pool);
        this.#pool = pool;
        return launched;
      } catch (error) {
        log.warn("workflows do not run yet", { error: messageOf(error) });
        await library.shutdown().catch(() => undefined);
        await pool.end();
        await new Promise((resolve) => setTimeout(resolve, wait_ms));
      }
    }
  }

  async #launchOnce(library: Library, pool: Pool): Promise<Launched> {
    const { postgres, executor, log } = this.#on;
    library.setConfig({
      name: "weir",
      systemDatabaseUrl: postgres.url,
      systemDatabaseSchemaName: library_schema,
      systemDatabasePool: pool,
      runAdminServer: false,
      enableOTLP: false,
      tracingEnabled: false,
      useListenNotify: false,
      schedulerPollingIntervalMs: 3_600_000, // none of its schedules are used
      applicationVersion: application_version,
      executorID: executor,
      serializer: plainJson,
      logger: {
        debug: () => undefined,
        info: (entry) => log.debug(`DBOS: ${String(entry)}`),
        warn: (entry) => log.debug(`DBOS: ${String(entry)}`),
        error: (entry) => log.debug(`DBOS: ${String(entry)}`),
      },
    });
    const startRun = library.registerWorkflow((dispatch: Dispatch) => this.#execute(library, dispatch), {
      name: "run",
      maxRecoveryAttempts: recoveries_max,
    });
    await postgres.asSystem((sql) => markSeen(sql, executor));
    await library.launch();
    await postgres.setUp(setUpLibrarySchema);
    this.#library = library;
    this.#beat = setInterval(() => void this.#tick(), seen_every_ms);
    this.#beat.unref();
    await this.#adopt();
    return { library, startRun };
  }

  async #tick(): Promise<void> {
    try {
      await this.#on.postgres.asSystem((sql) => markSeen(sql, this.#on.executor));
      await this.#adopt();
    } catch (error) {
      this.#on.log.warn("looking after the runs of other processes failed", { error: messageOf(error) });
    }
  }

  /** Takes over the runs of processes that are gone. Should one only have been slow, its transactions still happen once. */
  async #adopt(): Promise<void> {
    if (this.#activity.stopping) return;
    const runs = await this.#on.postgres.asSystem((sql) =>
      adoptRuns(sql, this.#on.executor, dead_after_seconds),
    );
    if (runs > 0) this.#on.log.info("took over runs of processes that are gone", { runs });
  }

  async #execute(library: Library, dispatch: Dispatch): Promise<StepOutput> {
    const { organization, run, kind, version, input } = dispatch;
    const definition = this.#definitions.get(kind)?.get(version);
    if (definition === undefined) throw new WorkflowUnknown(kind, version);
    const context = new RunContext({
      library,
      postgres: this.#on.postgres,
      log: this.#on.log,
      activity: this.#activity,
      limit: this.#limitOf(definition.queue ?? "default", definition.stepsAtOnce),
      retry: definition.retry,
      organization,
      run,
      kind,
      version,
      nudged: (wait_ms) => this.#nudges.wait(organization, run, wait_ms),
    });
    this.#active += 1;
    try {
      return await definition.run(context, input);
    } catch (error) {
      this.#on.log.warn("a run ended with an error", { run, error: messageOf(error) });
      throw error;
    } finally {
      this.#active -= 1;
    }
  }

  #limitOf(queue: string, stepsAtOnce = steps_at_once_max): StepLimit {
    const existing = this.#limits.get(queue);
    if (existing !== undefined) return existing;
    const limit = new StepLimit(stepsAtOnce);
    this.#limits.set(queue, limit);
    return limit;
  }
}

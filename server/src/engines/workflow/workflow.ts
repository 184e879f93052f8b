import type { OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { JsonValue } from "../../kernel/json.js";
import type { Sql } from "../postgres/index.js";

/** How often a step is tried, and how long after a failure. */
export interface RetryPolicy {
  /** Attempts in all. */
  readonly attemptsMax: number;
  /** After the first failure; doubled after each, up to `wait_ms_max`, and shortened by chance by up to a half. */
  readonly wait_ms: number;
  readonly wait_ms_max: number;
}

export interface StepOptions {
  readonly retry?: RetryPolicy;
}

/** What a step gives back is kept as JSON: decimals, bigints and instants travel as text or numbers. */
export type StepOutput = JsonValue | undefined | void;

/**
 * What a workflow may do besides computing. Everything here is a named step with a place in the run's history: after a crash
 * the function is run again from its beginning, and steps that have ended give their recorded output. So between
 * steps a workflow is deterministic: it asks no clock, no random number and no store.
 */
export interface WorkflowContext {
  readonly organization: OrganizationId;
  /** The run's business id. */
  readonly run: string;

  /** Does something outside of PostgreSQL, at least once: it may be done again after a crash, so it carries its own key. */
  step<T extends StepOutput>(name: string, work: () => Promise<T>, options?: StepOptions): Promise<T>;

  /**
   * Changes the organization's rows exactly once: the writes and the step's checkpoint commit together. Row-level
   * security binds `sql` to the organization, as in Postgres.inOrganization.
   */
  transaction<T extends StepOutput>(
    name: string,
    work: (sql: Sql) => Promise<T>,
    options?: StepOptions,
  ): Promise<T>;

  /**
   * Asks something outside of PostgreSQL, and changes the organization's rows by the answer, as one step: what two would record
   * in two transactions. Asked is at least once, also again after what came of it was written, so it carries its own key; the
   * writes happen exactly once, as in `transaction`. Whoever needs the answer to survive a write that fails asks in a `step`.
   */
  exchange<Answer, T extends StepOutput>(
    name: string,
    ask: () => Promise<Answer>,
    write: (sql: Sql, answer: Answer) => Promise<T>,
    options?: StepOptions,
  ): Promise<T>;

  /** Technical back-off in real time, kept over a restart. To wait in the organization's time, write a wake. */
  sleep(duration_ms: number): Promise<void>;

  /**
   * Waits for a signal, sent before or after, each taken once and in the order sent; its payload, or "timeout" after
   * `timeout_ms` of real time. A run that waits holds no connection.
   */
  waitForSignal(
    name: string,
    options?: { readonly timeout_ms?: number },
  ): Promise<{ readonly payload: JsonValue } | "timeout">;
}

/**
 * A kind of workflow in one version. A run keeps to the version that it began with for as long as that is registered:
 * an incompatible change is a new version beside the old one. New runs take the highest.
 */
export interface WorkflowDefinition<
  Input extends JsonValue = JsonValue,
  Output extends StepOutput = StepOutput,
> {
  /** a-z, 0-9 and dashes: invoice-run */
  readonly kind: string;
  /** From 1. */
  readonly version: number;
  /** Steps of one queue share a limit on how many are at work at once in this process. */
  readonly queue?: string;
  /** How many steps of its queue are at work at once; 3 when left out. The first workflow of a queue decides. */
  readonly stepsAtOnce?: number;
  readonly retry?: RetryPolicy;
  run(context: WorkflowContext, input: Input): Promise<Output>;
}

export const run_states = ["queued", "running", "waiting", "succeeded", "failed", "canceled"] as const;
export type RunState = (typeof run_states)[number];

/** A run as an operator sees it. */
export interface Run {
  /** The business id, unique in the organization. */
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly state: RunState;
  /** The signal that it waits for. */
  readonly waitsFor: string | undefined;
  readonly error: string | undefined;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly endedAt: Instant | undefined;
}

/** What became of a run. */
export type RunOutcome = Pick<Run, "state" | "error" | "endedAt">;

/** A run that is over: it succeeded or was canceled. */
export interface EndedRun {
  readonly id: string;
  readonly kind: string;
  readonly ended_ms: number;
}

export interface RunStep {
  readonly position: number;
  readonly name: string;
  readonly state: "succeeded" | "failed" | "retrying" | "waiting";
  readonly attempts: number;
  readonly error: string | undefined;
  readonly startedAt: Instant;
  readonly endedAt: Instant | undefined;
  readonly nextAttemptAt: Instant | undefined;
}

export interface RunDetails extends Run {
  readonly input: JsonValue;
  readonly output: JsonValue;
  readonly steps: readonly RunStep[];
  /** Whether there are more steps than `steps_shown_max`. */
  readonly hasMoreSteps: boolean;
}

export interface RunFilter {
  readonly state?: RunState | undefined;
  readonly kind?: string | undefined;
  /** The id of the last run of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface NewRun {
  readonly kind: string;
  readonly id: string;
  readonly input: JsonValue;
}

export type StartOutcome = "started" | "exists" | { readonly error: unknown };

export interface Signal {
  readonly run: string;
  readonly name: string;
  /** The same key again changes nothing. */
  readonly key: string;
  readonly payload: JsonValue;
}

/** Durable execution. Written so that the same workflow files run on another engine: nothing of the library shows. */
export interface Workflows {
  /** @throws RangeError when kind and version are taken, or the name is not valid */
  register<Input extends JsonValue, Output extends StepOutput>(
    definition: WorkflowDefinition<Input, Output>,
  ): void;

  /**
   * Starts a run; "exists" when there is one of this id, which is left as it is, whatever became of it.
   * Durable when it resolves. Not to be called inside a transaction before `ready`: write a wake there.
   *
   * @param sql  the organization's transaction that the caller has open, if any: one that waited for a second connection
   *   would wait forever once as many as there are connections do
   */
  start(organization: OrganizationId, run: NewRun, sql?: Sql): Promise<"started" | "exists">;

  /**
   * Starts many, a few at a time, each as `start` does: what became of each, in order. One that cannot be started keeps no other
   * from it.
   */
  startAll(
    organization: OrganizationId,
    runs: readonly NewRun[],
    sql?: Sql,
  ): Promise<readonly StartOutcome[]>;

  /**
   * Sends a signal; "unknown" when there is no such run, "ended" when it can take none any more.
   *
   * @param sql  as of `start`; it is sent when that commits, and noticed within a second
   */
  signal(organization: OrganizationId, signal: Signal, sql?: Sql): Promise<"sent" | "unknown" | "ended">;

  /** Newest first. */
  list(organization: OrganizationId, filter: RunFilter): Promise<readonly Run[]>;
  inspect(organization: OrganizationId, id: string): Promise<RunDetails | undefined>;

  /** What became of these runs, by id; those that there are none of are left out. */
  outcomes(organization: OrganizationId, ids: readonly string[]): Promise<ReadonlyMap<string, RunOutcome>>;

  /**
   * Ends a run before its next step; a step at work is not interrupted. One that failed is given up. In the caller's
   * transaction.
   * @returns the state before; undefined when there is no such run
   * @throws StoreUnavailable before `ready`
   */
  cancel(sql: Sql, organization: OrganizationId, id: string): Promise<RunState | undefined>;
  /**
   * Goes on with a failed or canceled run: what succeeded stays, what failed last is done again. In the caller's
   * transaction. @returns the state before; undefined when there is no such run
   * @throws StoreUnavailable before `ready`
   */
  retry(sql: Sql, organization: OrganizationId, id: string): Promise<RunState | undefined>;

  /** Organizations with runs that are over since before an instant of real time, in the order of their ids. */
  organizationsWithEnded(page: {
    readonly before: Instant;
    readonly after: OrganizationId | undefined;
    readonly limit: number;
  }): Promise<readonly OrganizationId[]>;
  /** Their runs that are over, longest first. Those that failed are not: something is undone. */
  listEnded(
    sql: Sql,
    page: { readonly before: Instant; readonly after: EndedRun | undefined; readonly limit: number },
  ): Promise<readonly EndedRun[]>;
  /**
   * Deletes those of these runs that are over since before an instant, with everything that is kept of them: an id may then
   * be started anew. In the caller's transaction. @returns how many
   */
  forget(sql: Sql, ids: readonly string[], before: Instant): Promise<number>;

  /** How many runs of the organization could go on by themselves: neither ended nor waiting for a signal. */
  countBusy(organization: OrganizationId, exceptKind?: string): Promise<number>;
  /** Runs that failed since a moment of real time, oldest first, at most 10. */
  failedSince(organization: OrganizationId, since_ms: number): Promise<readonly Run[]>;
  /** Runs that are at work in this process. */
  readonly active: number;

  /**
   * Brings the engine up, which takes up what was in flight: register every workflow before. Resolves once it runs; tries
   * again while PostgreSQL is away.
   */
  ready(): Promise<void>;
  /** Steps at work may finish (5 s); everything else goes on at the next start, here or in another process. */
  close(): Promise<void>;
}

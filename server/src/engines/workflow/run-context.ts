import type { OrganizationId } from "../../kernel/ids.js";
import type { JsonValue } from "../../kernel/json.js";
import type { Log } from "../../kernel/log.js";
import type { Postgres, Sql } from "../postgres/index.js";
import { backOff, default_retry } from "./back-off.js";
import { isFinal, messageOf, RunCanceled, WorkflowChanged } from "./errors.js";
import type { Library } from "./load-library.js";
import { recordFailedAttempt } from "./store/attempts.js";
import { findCheckpoint, insertCheckpoint, type StepPlace } from "./store/checkpoints.js";
import { findState } from "./store/runs.js";
import { deleteWait, recordWait, takeSignal } from "./store/signals.js";
import type { StepActivity } from "./step-activity.js";
import type { StepLimit } from "./step-limit.js";
import type { RetryPolicy, StepOptions, StepOutput, WorkflowContext } from "./workflow.js";

export interface RunContextOptions {
  readonly library: Library;
  readonly postgres: Postgres;
  readonly log: Log;
  readonly activity: StepActivity;
  readonly limit: StepLimit;
  readonly retry: RetryPolicy | undefined;
  readonly organization: OrganizationId;
  readonly run: string;
  readonly kind: string;
  readonly version: number;
  /** Resolves when a signal may be there, or after so long. */
  readonly nudged: (wait_ms: number) => Promise<void>;
}

// A signal of another process, and a cancellation, are seen after so long at the latest.
const look_again_ms = 15_000;
const name_length_max = 100;
// setTimeout takes 31 bits.
const timer_ms_max = 2 ** 31 - 1;

/** One execution of a run: gives each step its place in the history, and does it unless it was done. */
export class RunContext implements WorkflowContext {
  readonly organization: OrganizationId;
  readonly run: string;
  readonly #on: RunContextOptions;
  readonly #names = new Map<string, number>();
  #position = 0;

  constructor(options: RunContextOptions) {
    this.#on = options;
    this.organization = options.organization;
    this.run = options.run;
  }

  step<T extends StepOutput>(name: string, work: () => Promise<T>, options?: StepOptions): Promise<T> {
    return this.#perform(name, options, () => work());
  }

  transaction<T extends StepOutput>(
    name: string,
    work: (sql: Sql) => Promise<T>,
    options?: StepOptions,
  ): Promise<T> {
    return this.#perform(name, options, (place, label) => this.#commit(place, label, work));
  }

  exchange<Answer, T extends StepOutput>(
    name: string,
    ask: () => Promise<Answer>,
    write: (sql: Sql, answer: Answer) => Promise<T>,
    options?: StepOptions,
  ): Promise<T> {
    // When the write is tried again, what was answered stands.
    let answered: { readonly answer: Answer } | undefined;
    return this.#perform(name, options, async (place, label) => {
      const { answer } = (answered ??= { answer: await ask() });
      return this.#commit(place, label, (sql) => write(sql, answer));
    });
  }

  /** Writes and the step's checkpoint, in one transaction and once. */
  #commit<T extends StepOutput>(place: StepPlace, label: string, work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#on.postgres.inOrganization(this.organization, async (sql) => {
      const done = await findCheckpoint(sql, place);
      if (done !== undefined) {
        if (done.name !== label) throw this.#changed(place.position, done.name, label);
        return done.output as T;
      }
      const output = await work(sql);
      await insertCheckpoint(sql, place, label, JSON.stringify(output ?? null));
      return output;
    });
  }

  async sleep(duration_ms: number): Promise<void> {
    // Recorded is when it ends, so that a restart sleeps on and not anew.
    const until_ms = await this.#perform("sleep", undefined, () => Promise.resolve(Date.now() + duration_ms));
    for (let left = until_ms - Date.now(); left > 0; left = until_ms - Date.now()) {
      await delay(Math.min(left, timer_ms_max));
    }
  }

  waitForSignal(
    name: string,
    options: { readonly timeout_ms?: number } = {},
  ): Promise<{ readonly payload: JsonValue } | "timeout"> {
    if (this.#on.activity.stopping) return forever();
    const { place, label } = this.#next(`wait for ${name}`);
    return this.#checked(place, label, () =>
      this.#on.library.runStep(() => this.#wait(place, name, options.timeout_ms), { name: label }),
    );
  }

  async #wait(
    place: StepPlace,
    name: string,
    timeout_ms: number | undefined,
  ): Promise<{ payload: JsonValue } | "timeout"> {
    const deadline = timeout_ms === undefined ? undefined : new Date(Date.now() + timeout_ms);
    for (let failures = 0; ; ) {
      if (this.#on.activity.stopping) return forever();
      try {
        const outcome = await this.#on.postgres.inOrganization(this.organization, async (sql) => {
          const taken = await takeSignal(sql, place, name);
          if (taken !== undefined) return taken;
          if ((await findState(sql, this.run))?.state === "canceled") {
            await deleteWait(sql, place);
            return "canceled";
          }
          if (!(await recordWait(sql, place, name, deadline))) return undefined;
          await deleteWait(sql, place);
          return "timeout";
        });
        if (outcome === "canceled") throw new RunCanceled(`the run was canceled while it waited for ${name}`);
        if (outcome !== undefined) return outcome;
        failures = 0;
        const left = deadline === undefined ? look_again_ms : deadline.getTime() - Date.now();
        await this.#on.nudged(Math.min(Math.max(left, 10), look_again_ms));
      } catch (error) {
        if (isFinal(error)) throw error;
        // An outage of PostgreSQL does not end a wait.
        failures += 1;
        this.#on.log.warn("waiting for a signal failed, and goes on", {
          run: this.run,
          error: messageOf(error),
        });
        await delay(backOff(default_retry, failures, Math.random()));
      }
    }
  }

  #perform<T extends StepOutput>(
    name: string,
    options: StepOptions | undefined,
    work: (place: StepPlace, label: string) => Promise<T>,
  ): Promise<T> {
    const { activity, library } = this.#on;
    if (activity.stopping) return forever();
    const { place, label } = this.#next(name);
    const retry = options?.retry ?? this.#on.retry ?? default_retry;
    const doing = activity.begin();
    return this.#checked(place, label, () =>
      library.runStep(() => this.#attempt(place, label, retry, doing, () => work(place, label)), {
        name: label,
      }),
    ).finally(() => doing.end());
  }

  /** Tries until it succeeds or the policy ends. A place in the queue is held while at work, not while waiting. */
  async #attempt<T>(
    place: StepPlace,
    label: string,
    retry: RetryPolicy,
    doing: { atWork(now: boolean): void },
    work: () => Promise<T>,
  ): Promise<T> {
    const { activity, limit, log } = this.#on;
    for (let attempt = 1; ; attempt += 1) {
      const leave = await limit.enter();
      const startedAt = new Date();
      let wait_ms: number;
      try {
        if (activity.stopping) return await forever();
        doing.atWork(true);
        return await work();
      } catch (error) {
        const last = isFinal(error) || attempt >= retry.attemptsMax;
        wait_ms = backOff(retry, attempt, Math.random());
        const nextAt = last ? undefined : new Date(Date.now() + wait_ms);
        const failure = { name: label, error: messageOf(error), startedAt, nextAt };
        log.warn("a step failed", { run: this.run, step: label, attempt, last, error: failure.error });
        await this.#on.postgres
          .inOrganization(this.organization, (sql) => recordFailedAttempt(sql, place, failure))
          .catch((cause: unknown) =>
            log.warn("a failed attempt was not recorded", { error: messageOf(cause) }),
          );
        if (last) throw error;
      } finally {
        leave();
      }
      doing.atWork(false);
      await delay(wait_ms);
      if (await this.#isCanceled())
        throw new RunCanceled("the run was canceled while a step of it was tried again");
    }
  }

  async #isCanceled(): Promise<boolean> {
    try {
      const state = await this.#on.postgres.inOrganization(this.organization, (sql) =>
        findState(sql, this.run),
      );
      return state?.state === "canceled";
    } catch {
      return false; // the next attempt will tell
    }
  }

  /** Names a replay that does not fit in our words; everything else is the step's own error. */
  async #checked<T>(place: StepPlace, label: string, perform: () => Promise<T>): Promise<T> {
    try {
      return await perform();
    } catch (error) {
      const recorded = error instanceof Error ? recordedNameOf(error) : undefined;
      if (recorded !== undefined) throw this.#changed(place.position, recorded, label);
      throw error;
    }
  }

  #changed(position: number, recorded: string, found: string): WorkflowChanged {
    return new WorkflowChanged(this.#on.kind, this.#on.version, position, recorded, found);
  }

  #next(name: string): { place: StepPlace; label: string } {
    if (name.length === 0 || name.length > name_length_max)
      throw new RangeError(`a step's name has 1 to ${name_length_max} characters, not ${name.length}`);
    const count = (this.#names.get(name) ?? 0) + 1;
    this.#names.set(name, count);
    const label = count === 1 ? name : `${name} #${count}`;
    const place = { organization: this.organization, run: this.run, position: this.#position };
    this.#position += 1;
    return { place, label };
  }
}

function recordedNameOf(error: Error): string | undefined {
  return /, function (.*) was recorded when .* was expected\./s.exec(error.message)?.[1];
}

function delay(duration_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration_ms));
}

/** For a process that stops: what is not begun any more is done after the next start. */
function forever(): Promise<never> {
  return new Promise(() => {});
}

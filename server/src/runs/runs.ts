import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { Run, RunDetails, RunFilter, RunState, Workflows } from "../engines/workflow/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import type { OrganizationId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";

export interface RunsOptions {
  readonly postgres: Postgres;
  readonly workflows: Workflows;
  /** Real time: an audit entry says when somebody did something. */
  readonly clock: Clock;
}

/** An organization's workflow runs as people see and handle them. Every change is audited. */
export class Runs {
  readonly #on: RunsOptions;

  constructor(options: RunsOptions) {
    this.#on = options;
  }

  /** Newest first. */
  list(organization: OrganizationId, filter: RunFilter): Promise<readonly Run[]> {
    return this.#on.workflows.list(organization, filter);
  }

  find(organization: OrganizationId, id: string): Promise<RunDetails | undefined> {
    return this.#on.workflows.inspect(organization, id);
  }

  /**
   * Goes on with a run that failed or was canceled: what succeeded stays, what failed last is done again.
   * @throws Refusal 404, or 409 for a run that has not ended so
   */
  retry(caller: Caller, id: string, idempotencyKey?: string): Promise<RunDetails> {
    return this.#change(caller, { action: "run.retry", id, idempotencyKey }, ["failed", "canceled"]);
  }

  /**
   * Ends a run before its next step; a step at work is not interrupted. One that failed is given up: it is deleted in time.
   * @throws Refusal 404, or 409 for a run that has ended otherwise
   */
  cancel(caller: Caller, id: string, idempotencyKey?: string): Promise<RunDetails> {
    return this.#change(caller, { action: "run.cancel", id, idempotencyKey }, [
      "queued",
      "running",
      "waiting",
      "failed",
    ]);
  }

  async #change(
    caller: Caller,
    { action, id, idempotencyKey }: ChangeRequest,
    states: readonly RunState[],
  ): Promise<RunDetails> {
    const { organization } = caller;
    const { postgres, workflows, clock } = this.#on;
    await workflows.ready();
    await postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action, input: { run: id } };
      await runOnce(sql, request, async () => {
        const before = await (action === "run.retry"
          ? workflows.retry(sql, organization, id)
          : workflows.cancel(sql, organization, id));
        if (before === undefined) throw unknownRun(id);
        // Refusing undoes what was done: it is this transaction's.
        if (!states.includes(before)) throw wrongState(action, id, before, states);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action,
          target: id,
          before: { state: before },
          after: undefined,
          at: clock.now(),
        });
        return id;
      });
    });
    const run = await this.find(organization, id);
    if (run === undefined) throw unknownRun(id);
    return run;
  }
}

interface ChangeRequest {
  readonly action: "run.retry" | "run.cancel";
  readonly id: string;
  readonly idempotencyKey: string | undefined;
}

function unknownRun(id: string): Refusal {
  return new Refusal(makeProblem("run-not-found", 404, "No such run", `There is no run "${id}".`));
}

function wrongState(
  action: ChangeRequest["action"],
  id: string,
  state: RunState,
  states: readonly RunState[],
): Refusal {
  const verb = action === "run.retry" ? "retried" : "canceled";
  const detail = `Run "${id}" is ${state}; only one that is ${states.join(" or ")} can be ${verb}.`;
  return new Refusal(makeProblem("run-state", 409, `The run cannot be ${verb}`, detail, { state }));
}

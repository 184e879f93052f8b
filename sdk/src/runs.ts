import { nodesOf, pageInfo } from "./connection.js";
import type { GraphQL, Repeatable } from "./graphql.js";

/** waiting: for a signal. canceled: it ends before its next step. */
export type RunState = "queued" | "running" | "waiting" | "succeeded" | "failed" | "canceled";

/** A durable run of a workflow. Its id is the business's name for what it does. Instants are in real time. */
export interface Run {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly state: RunState;
  /** The signal that it waits for. */
  readonly waitsFor: string | null;
  readonly error: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly endedAt: string | null;
}

/** One named step of a run; what it gave is kept, and it is not done again. */
export interface RunStep {
  readonly position: number;
  readonly name: string;
  readonly state: "waiting" | "retrying" | "succeeded" | "failed";
  readonly attempts: number;
  readonly error: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly nextAttemptAt: string | null;
}

export interface RunDetails {
  readonly run: Run;
  readonly input: unknown;
  readonly output: unknown;
  readonly steps: readonly RunStep[];
  /** There are more than are listed. */
  readonly hasMoreSteps: boolean;
}

const selection = "{ id kind version state waitsFor error createdAt updatedAt endedAt }";
const detailsSelection = `{ run ${selection} input output hasMoreSteps steps { position name state attempts error startedAt endedAt nextAttemptAt } }`;

/** Workflow runs: what Weir does by itself, step by step. */
export class Runs {
  readonly #graphql: GraphQL;

  constructor(graphql: GraphQL) {
    this.#graphql = graphql;
  }

  /**
   * Newest first, page by page.
   * @param filter.kind of a workflow: "invoice-run"
   */
  list(
    filter: { state?: RunState | undefined; kind?: string | undefined } = {},
  ): AsyncGenerator<Run, void, void> {
    return nodesOf(
      this.#graphql,
      `query ($state: RunState, $kind: String, $after: String) { connection: runs(state: $state, kind: $kind, first: 100, after: $after) { nodes ${selection} ${pageInfo} } }`,
      { state: filter.state ?? null, kind: filter.kind ?? null },
    );
  }

  async find(id: string): Promise<RunDetails | null> {
    const { run } = await this.#graphql.run<{ run: RunDetails | null }>(
      `query ($id: ID!) { run(id: $id) ${detailsSelection} }`,
      { id },
    );
    return run;
  }

  /**
   * Goes on with a run that failed or was canceled: what succeeded stays.
   * @throws WeirError run-not-found; run-state for one in another state
   */
  retry(id: string, options: Repeatable = {}): Promise<RunDetails> {
    return this.#graphql.mutate("retryRun", { id: ["ID!", id] }, detailsSelection, options);
  }

  /**
   * Ends a run before its next step.
   * @throws WeirError run-not-found; run-state for one that has ended
   */
  cancel(id: string, options: Repeatable = {}): Promise<RunDetails> {
    return this.#graphql.mutate("cancelRun", { id: ["ID!", id] }, detailsSelection, options);
  }
}

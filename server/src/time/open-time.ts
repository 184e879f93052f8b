import type { Postgres } from "../engines/postgres/index.js";
import type { Workflows } from "../engines/workflow/index.js";
import type { Clock } from "../kernel/clock.js";
import type { Log } from "../kernel/log.js";
import type { OrganizationClocks } from "./organization-clocks.js";
import { TestClocks } from "./test-clocks.js";
import { Wakes } from "./wakes.js";

export interface TimeOptions {
  readonly postgres: Postgres;
  readonly workflows: Workflows;
  readonly clocks: OrganizationClocks;
  readonly clock: Clock;
  readonly log: Log;
  readonly usageSettled: () => Promise<void>;
}

/** Wakes and test clocks: what acts on the passing of an organization's time. */
export interface Time {
  readonly wakes: Wakes;
  readonly testClocks: TestClocks;
  /** When every domain has registered its workflows and wakes: begins to act on what is due. */
  start(): void;
  stop(): Promise<void>;
}

export function openTime(options: TimeOptions): Time {
  const wakes = new Wakes(options);
  const testClocks = new TestClocks({ ...options, wakes });
  return {
    wakes,
    testClocks,
    start() {
      wakes.start();
      // Also takes up the runs that were in flight.
      options.workflows
        .ready()
        .then(() => testClocks.resume())
        .catch((error: unknown) => options.log.warn("advances were not resumed", { error: String(error) }));
    },
    stop: () => wakes.stop(),
  };
}

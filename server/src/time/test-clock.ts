import type { Instant } from "../kernel/instant.js";

/** The clock of an organization in test mode. */
export interface TestClockState {
  /** Where it stands. */
  readonly now: Instant;
  /** When it was started, in real time. */
  readonly startedAt: Instant;
  /** stopped: an advance ended early, because of a run. */
  readonly state: "idle" | "advancing" | "stopped";
  /** Of the advance under way, or the last. */
  readonly target: Instant | undefined;
  /** How many advances there were. */
  readonly advance: number;
  /** The run because of which an advance stopped. */
  readonly stoppedBy: string | undefined;
  readonly reason: string | undefined;
}

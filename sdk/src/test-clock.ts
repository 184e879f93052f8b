import type { GraphQL, Repeatable } from "./graphql.js";

/** The clock of an organization in test mode: it stands still until it is advanced. */
export interface TestClockState {
  readonly now: string;
  /** stopped: an advance ended early, because of the run `stoppedBy`. */
  readonly state: "idle" | "advancing" | "stopped";
  /** Of the advance under way, or the last. */
  readonly target: string | null;
  readonly stoppedBy: string | null;
  readonly reason: string | null;
  /** In real time. */
  readonly startedAt: string;
}

const selection = "{ now state target stoppedBy reason startedAt }";

/** The organization's test clock: a year of billing in seconds. */
export class TestClock {
  readonly #graphql: GraphQL;

  constructor(graphql: GraphQL) {
    this.#graphql = graphql;
  }

  /** null in live mode, where time is real. */
  async show(): Promise<TestClockState | null> {
    const { testClock } = await this.#graphql.run<{ testClock: TestClockState | null }>(
      `{ testClock ${selection} }`,
    );
    return testClock;
  }

  /**
   * Puts the organization into test mode, for good, before it has subscriptions.
   * @param at RFC 3339, where the clock stands at first
   * @throws WeirError clock-not-startable; invalid-clock
   */
  start(at: string, options: Repeatable = {}): Promise<TestClockState> {
    return this.#graphql.mutate("startTestClock", { at: ["Instant!", at] }, selection, options);
  }

  /**
   * Moves the clock forward by way of everything that falls due, and waits until it stands again: at `to`, idle, or
   * stopped before, at a run that failed. Mend its cause, retry the run, and advance again.
   * @param to RFC 3339, at most five years ahead
   * @param onProgress is told every 5 s at the latest how far it is
   * @throws WeirError no-test-clock; clock-goes-back; clock-too-far; clock-advancing to another instant
   */
  async advance(to: string, onProgress?: (clock: TestClockState) => void): Promise<TestClockState> {
    for (;;) {
      // An answer says how far it is after 5 s; asked again for the same instant, the server joins the advance.
      const clock = await this.#graphql.mutate<TestClockState>(
        "advanceTestClock",
        { to: ["Instant!", to] },
        selection,
        { repeatable: true },
      );
      if (clock.state !== "advancing") return clock;
      onProgress?.(clock);
    }
  }
}

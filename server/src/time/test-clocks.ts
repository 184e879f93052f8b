import { recordAudit } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { WorkflowContext, Workflows } from "../engines/workflow/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import type { OrganizationId } from "../kernel/ids.js";
import { day, formatInstant, parseInstant, type Instant } from "../kernel/instant.js";
import type { Log } from "../kernel/log.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { OrganizationClocks } from "./organization-clocks.js";
import {
  beginAdvance,
  databaseTime_ms,
  endAdvance,
  findTestClock,
  insertTestClock,
  lockTestClock,
  moveTestClock,
  selectAdvancing,
} from "./store/test-clocks.js";
import type { TestClockState } from "./test-clock.js";
import type { Wakes } from "./wakes.js";

/** Why an organization cannot have a test clock any more; undefined when a domain has nothing against it. */
export type TestClockCheck = (sql: Sql, organization: OrganizationId) => Promise<string | undefined>;

export interface TestClocksOptions {
  readonly postgres: Postgres;
  readonly workflows: Workflows;
  readonly wakes: Wakes;
  readonly clocks: OrganizationClocks;
  /** Real time. */
  readonly clock: Clock;
  readonly log: Log;
  /** Resolves when all usage that was accepted shows in queries: it is part of what the advance bills. */
  readonly usageSettled: () => Promise<void>;
}

export const advance_kind = "clock-advance";
const advance_span_max = 5 * 366 * day;
const earliest = parseInstant("2000-01-01T00:00:00Z") as Instant;
const latest = parseInstant("2200-01-01T00:00:00Z") as Instant;
// A step of an advance goes on for so long, then is recorded.
const step_ms_max = 2_000;
// Rounds of acting on wakes at one instant, each of which made new ones for the same instant.
const rounds_max = 10_000;
const look_ms = 20;
const look_ms_max = 200;

/** Test clocks: starting one, and advancing it from wake to wake while waiting for what each of them sets going. */
export class TestClocks {
  readonly #on: TestClocksOptions;
  readonly #checks: TestClockCheck[] = [];

  constructor(options: TestClocksOptions) {
    this.#on = options;
    options.workflows.register({
      kind: advance_kind,
      version: 1,
      queue: advance_kind,
      run: (context, input: { advance: number }) => this.#advance(context, input.advance),
    });
  }

  /** A domain's reason not to start a test clock. */
  refuseWhen(check: TestClockCheck): void {
    this.#checks.push(check);
  }

  find(organization: OrganizationId): Promise<TestClockState | undefined> {
    return this.#on.postgres.inOrganization(organization, findTestClock);
  }

  /**
   * Puts the organization into test mode, with a clock that stands at an instant. For good. The same instant again
   * changes nothing.
   * @throws Refusal 400 for an instant out of range, 409 when it has a clock, or when time has had consequences already
   */
  async start(caller: Caller, at: Instant): Promise<TestClockState> {
    const { organization } = caller;
    if (at < earliest || at > latest) {
      const detail = `A test clock starts between ${formatInstant(earliest)} and ${formatInstant(latest)}, not at ${formatInstant(at)}.`;
      throw new Refusal(makeProblem("invalid-clock", 400, "The instant is out of range", detail));
    }
    const state = await this.#on.postgres.inOrganization(organization, async (sql) => {
      const existing = await lockTestClock(sql);
      if (existing?.now === at && existing.advance === 0) return existing;
      const reasons: string[] = [];
      if (existing !== undefined)
        reasons.push(`it has a test clock, which stands at ${formatInstant(existing.now)}`);
      else {
        for (const check of this.#checks) {
          const reason = await check(sql, organization);
          if (reason !== undefined) reasons.push(reason);
        }
      }
      const startedAt = this.#on.clock.now();
      if (reasons.length > 0 || !(await insertTestClock(sql, organization, { now: at, startedAt }))) {
        const detail = `The organization cannot be given a test clock: ${reasons.join("; ") || "another request just did"}.`;
        throw new Refusal(makeProblem("clock-not-startable", 409, "No test clock here", detail));
      }
      const after = { mode: "test", now: formatInstant(at) };
      await recordAudit(sql, {
        organization,
        actor: caller,
        action: "clock.start",
        target: organization,
        before: { mode: "live" },
        after,
        at: startedAt,
      });
      return mustFind(await findTestClock(sql));
    });
    this.#on.clocks.set(organization, state.now);
    return state;
  }

  /**
   * Moves the clock to an instant, by way of every wake before it, in order, each time waiting until what was woken has
   * ended. Asking for the same target again joins the advance, or goes on with one that was stopped.
   *
   * @param wait_ms  how long to wait for the end before answering with how far it is
   * @throws Refusal 404 without a test clock; 409 for an instant in the past, or while it advances to another; 400 for more
   *         than 5 years at once
   */
  async advance(caller: Caller, to: Instant, wait_ms = 0): Promise<TestClockState> {
    const { organization } = caller;
    await this.#on.workflows.ready();
    const state = await this.#on.postgres.inOrganization(organization, async (sql) => {
      const clock = mustFind(await lockTestClock(sql));
      if (clock.state === "advancing" && clock.target === to) return clock;
      if (clock.state === "idle" && clock.now === to) return clock;
      checkTarget(clock, to);
      await beginAdvance(sql, to);
      await recordAudit(sql, {
        organization,
        actor: caller,
        action: "clock.advance",
        target: organization,
        before: { now: formatInstant(clock.now) },
        after: { target: formatInstant(to) },
        at: this.#on.clock.now(),
      });
      return mustFind(await findTestClock(sql));
    });
    if (state.state !== "advancing") return state;
    await this.#begin(organization, state.advance);
    return this.#wait(organization, wait_ms);
  }

  /** Takes up the advances that a process left under way between its commit and the run. */
  async resume(): Promise<void> {
    const left = await this.#on.postgres.asSystem(selectAdvancing);
    for (const { organization, advance } of left) await this.#begin(organization, advance);
  }

  async #begin(organization: OrganizationId, advance: number): Promise<void> {
    const { workflows } = this.#on;
    const id = `${advance_kind}:${advance}`;
    if ((await workflows.start(organization, { kind: advance_kind, id, input: { advance } })) === "started")
      return;
    // One that was canceled, or failed by itself, goes on when it is asked for again.
    await this.#on.postgres.inOrganization(organization, (sql) => workflows.retry(sql, organization, id));
  }

  async #wait(organization: OrganizationId, wait_ms: number): Promise<TestClockState> {
    const until = performance.now() + wait_ms;
    for (let pause = look_ms; ; pause = Math.min(pause * 1.5, look_ms_max)) {
      const state = mustFind(await this.find(organization));
      if (state.state !== "advancing" || performance.now() >= until) return state;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async #advance(context: WorkflowContext, advance: number): Promise<void> {
    const { organization } = context;
    const since_ms = await context.step("begin", async () => {
      await this.#on.usageSettled();
      return this.#on.postgres.inOrganization(organization, databaseTime_ms);
    });
    while (await context.step("advance", () => this.#goOn(organization, advance, since_ms))) {
      // Each step goes some way; a restart repeats the last of them, which finds the clock where it had come to.
    }
  }

  /** @returns whether there is more to do */
  async #goOn(organization: OrganizationId, advance: number, since_ms: number): Promise<boolean> {
    const { postgres, clocks, wakes } = this.#on;
    const began = performance.now();
    while (performance.now() - began < step_ms_max) {
      const clock = mustFind(await this.find(organization));
      if (clock.state !== "advancing" || clock.advance !== advance || clock.target === undefined)
        return false;
      clocks.set(organization, clock.now);
      const { target } = clock;
      const stopped = await this.#settle(organization, clock.now, since_ms);
      if (stopped !== undefined || clock.now === target) {
        await postgres.inOrganization(organization, (sql) => endAdvance(sql, advance, stopped));
        return false;
      }
      const now = await postgres.inOrganization(organization, async (sql) => {
        const next = (await wakes.lookAhead(sql, clock.now, target)).next ?? target;
        return (await moveTestClock(sql, advance, next)) ? next : undefined;
      });
      if (now !== undefined) clocks.set(organization, now);
    }
    return true;
  }

  /**
   * Acts on what is due and waits until nothing is left to do at this instant. While the clock advances nobody else acts on
   * the organization's wakes: so when no run is busy, and then no wake is due, nothing can go on by itself.
   */
  async #settle(
    organization: OrganizationId,
    now: Instant,
    since_ms: number,
  ): Promise<{ by: string | undefined; reason: string } | undefined> {
    const { postgres, wakes, workflows } = this.#on;
    let rounds = 0;
    for (let pause = look_ms; ; ) {
      const acted = await wakes.dispatch(organization, { advancing: true });
      const busy = await workflows.countBusy(organization, advance_kind);
      const [failed] = await workflows.failedSince(organization, since_ms);
      if (failed !== undefined) return { by: failed.id, reason: failed.error ?? "it failed" };
      if (busy === 0) {
        const { due } = await postgres.inOrganization(organization, (sql) => wakes.lookAhead(sql, now, now));
        if (due === 0) return undefined;
      }
      if (acted > 0) {
        rounds += 1;
        pause = look_ms;
        if (rounds > rounds_max)
          return {
            by: undefined,
            reason: `wakes for ${formatInstant(now)} make ever more wakes for the same instant`,
          };
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 1.5, look_ms_max);
    }
  }
}

function checkTarget(clock: TestClockState, to: Instant): void {
  const instants = { now: formatInstant(clock.now), to: formatInstant(to) };
  if (clock.state === "advancing" && clock.target !== undefined) {
    const target = formatInstant(clock.target);
    const detail = `The clock stands at ${instants.now} and is on its way to ${target}; wait until it has arrived.`;
    throw new Refusal(
      makeProblem("clock-advancing", 409, "The clock is being advanced", detail, { ...instants, target }),
    );
  }
  if (to < clock.now) {
    const detail = `A clock never goes back: it stands at ${instants.now}, and ${instants.to} is before that.`;
    throw new Refusal(makeProblem("clock-goes-back", 409, "The instant has passed", detail, instants));
  }
  if (to - clock.now > advance_span_max || to > latest) {
    const detail = `The clock stands at ${instants.now}; advance it by 5 years at most at a time, and not beyond ${formatInstant(latest)}.`;
    throw new Refusal(makeProblem("clock-too-far", 400, "The instant is too far away", detail, instants));
  }
}

function mustFind(clock: TestClockState | undefined): TestClockState {
  if (clock !== undefined) return clock;
  const detail =
    "The organization lives by real time. Start a test clock first; it puts the organization into test mode.";
  throw new Refusal(makeProblem("no-test-clock", 404, "There is no test clock", detail));
}

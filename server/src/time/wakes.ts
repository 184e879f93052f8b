import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { NewRun, Signal, Workflows } from "../engines/workflow/index.js";
import type { Clock } from "../kernel/clock.js";
import type { OrganizationId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import type { Log } from "../kernel/log.js";
import { shareTestClock } from "./store/test-clocks.js";
import {
  claimChunk,
  deleteWake,
  deleteWakes,
  insertWake,
  lockDueWakes,
  lookAhead,
  markBegun,
  runsInUse,
  selectDueOrganizations,
  selectUnbegun,
  takeChunk,
  upsertEarlierWakes,
  upsertWake,
  upsertWakes,
  withdrawWake,
} from "./store/wakes.js";
import type { Wake, WakeHandler } from "./wake.js";

export interface WakesOptions {
  readonly postgres: Postgres;
  readonly workflows: Workflows;
  /** Real time: what organizations without a test clock live by. */
  readonly clock: Clock;
  readonly log: Log;
}

const page_wakes_max = 50;
const organizations_at_once = 2;
const organizations_page = 200;
const look_every_ms = 1_000;
// A transaction that wrote a wake has committed after so long, or the next look finds it.
const nudge_ms = 30;
// A page of one organization, then the others' turn.
const pages_per_turn = 20;
// Runs at work here beyond which no more are started: their steps would only wait for one another.
const runs_active_max = 200;
const wakes_at_once_max = 10_000;

/** Waits in the organization's time: rows that start or signal workflows when its clock has come to them. */
export class Wakes {
  readonly #on: WakesOptions;
  readonly #handlers = new Map<string, WakeHandler>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #nudged = false;
  #stopped = true;

  constructor(options: WakesOptions) {
    this.#on = options;
  }

  /** @throws RangeError when the kind has a handler */
  register(handler: WakeHandler): void {
    if (this.#handlers.has(handler.kind))
      throw new RangeError(`wakes of kind ${handler.kind} have a handler`);
    this.#handlers.set(handler.kind, handler);
  }

  /** Writes a wake in the caller's transaction; the same kind and key again moves it. */
  async wake(
    sql: Sql,
    organization: OrganizationId,
    at: Instant,
    kind: string,
    key: string,
    payload: JsonValue = null,
  ): Promise<void> {
    await upsertWake(sql, organization, { kind, key, at, payload });
    this.#nudgeSoon(at);
  }

  /** Writes a wake as `wake` does, unless there is one of its kind and key: that stays where it is. */
  async wakeUnlessSet(
    sql: Sql,
    organization: OrganizationId,
    at: Instant,
    kind: string,
    key: string,
    payload: JsonValue = null,
  ): Promise<void> {
    await insertWake(sql, organization, { kind, key, at, payload });
    this.#nudgeSoon(at);
  }

  /** Many of one kind. @throws RangeError for more than 10,000, or two of one key */
  async wakeAll(
    sql: Sql,
    organization: OrganizationId,
    kind: string,
    wakes: readonly { key: string; at: Instant; payload?: JsonValue }[],
  ): Promise<void> {
    if (wakes.length === 0) return;
    checkWakes(wakes);
    const rows = wakes.map(({ key, at, payload = null }) => ({ key, at, payload }));
    await upsertWakes(sql, organization, kind, rows);
    this.#nudgeSoon(Math.min(...wakes.map((wake) => wake.at)) as Instant);
  }

  /**
   * Many of one kind, without payload, none of them later than it was: for what looks at how things stand by then, so that
   * one look does for all that happened before it.
   * @throws RangeError for more than 10,000, or two of one key
   */
  async wakeNoLater(
    sql: Sql,
    organization: OrganizationId,
    kind: string,
    wakes: readonly { readonly key: string; readonly at: Instant }[],
  ): Promise<void> {
    if (wakes.length === 0) return;
    checkWakes(wakes);
    await upsertEarlierWakes(sql, organization, kind, wakes);
    this.#nudgeSoon(Math.min(...wakes.map((wake) => wake.at)) as Instant);
  }

  /** @returns whether there was one */
  async cancelWake(sql: Sql, kind: string, key: string): Promise<boolean> {
    const handler = this.#handlers.get(kind);
    // Only what goes together can be in a chunk.
    if (handler !== undefined && !("grouped" in handler)) return deleteWake(sql, kind, key);
    const [deleted, withdrawn] = await Promise.all([
      deleteWake(sql, kind, key),
      withdrawWake(sql, kind, key),
    ]);
    return deleted || withdrawn;
  }

  /** The keys that a run of a grouped kind was started for, once: in its first transaction. */
  take(sql: Sql, run: string): Promise<readonly string[]> {
    return takeChunk(sql, run);
  }

  /** Which of these runs are still needed: by a wake that one has claimed or that would start it again, or by a test clock. */
  runsInUse(sql: Sql, runs: readonly { readonly id: string; readonly kind: string }[]): Promise<string[]> {
    return runsInUse(sql, runs);
  }

  /** Begins to look for what is due: every second, at once after a wake that is due, and on while there is more. */
  start(): void {
    this.#stopped = false;
    this.#lookAfter(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** What is left to be acted on at an instant, and the next instant of a wake up to `until`. */
  lookAhead(sql: Sql, now: Instant, until: Instant): Promise<{ due: number; next: Instant | undefined }> {
    return lookAhead(sql, { now, until, kinds: [...this.#handlers.keys()] });
  }

  /**
   * Acts on what is due of an organization, in the order of instant, kind and key, and returns how many runs and signals that
   * made; 0 when nothing is left that is free. While the organization's clock is being advanced only the
   * advance may do so.
   */
  async dispatch(organization: OrganizationId, { advancing = false } = {}): Promise<number> {
    await this.#on.workflows.ready();
    let acted = await this.#beginClaimed(organization);
    for (let page = 0; page < pages_per_turn; page += 1) {
      const done = await this.#dispatchPage(organization, advancing);
      if (done === 0) break;
      acted += done;
    }
    return acted;
  }

  async #dispatchPage(organization: OrganizationId, advancing: boolean): Promise<number> {
    const { postgres } = this.#on;
    const outcome = await postgres.inOrganization(organization, async (sql) => {
      const testClock = await shareTestClock(sql);
      if (testClock?.state === "advancing" && !advancing) return { acted: 0 };
      const now = testClock?.now ?? this.#on.clock.now();
      const due = await lockDueWakes(sql, { now, kinds: [...this.#handlers.keys()], limit: page_wakes_max });
      const first = due[0] && this.#handlers.get(due[0].kind);
      if (first !== undefined && "grouped" in first) {
        const at = due[0]?.at ?? now;
        const runOf = (chunk: string) => `${first.kind}:${organization}:${formatInstant(at)}:${chunk}`;
        const limit = first.grouped.chunk_max;
        return { claimed: await claimChunk(sql, { kind: first.kind, at, limit, runOf }) };
      }
      const done = await this.#actOn(sql, organization, due);
      // Only now, when the runs exist: a crash before the commit does it all again, and changes nothing.
      if (done.length > 0) await deleteWakes(sql, done);
      return { acted: done.length };
    });
    if ("acted" in outcome) return outcome.acted;
    if (outcome.claimed === undefined) return 0;
    return this.#beginClaimed(organization);
  }

  /** Starts the runs that were given chunks: after that is committed, for they read them. */
  async #beginClaimed(organization: OrganizationId): Promise<number> {
    const { postgres, workflows } = this.#on;
    const claimed = await postgres.inOrganization(organization, (sql) => selectUnbegun(sql, page_wakes_max));
    let begun = 0;
    for (const { run, kind, at } of claimed) {
      const handler = this.#handlers.get(kind);
      if (handler === undefined || !("grouped" in handler)) continue;
      await workflows.start(organization, { kind: handler.grouped.workflow, id: run, input: { at } });
      await postgres.inOrganization(organization, (sql) => markBegun(sql, run));
      begun += 1;
    }
    return begun;
  }

  /** Acts on wakes up to the first one that goes with others; runs that are to be started in a row start together. */
  async #actOn(sql: Sql, organization: OrganizationId, due: readonly Wake[]): Promise<Wake[]> {
    const done: Wake[] = [];
    const starts: { readonly wake: Wake; readonly run: NewRun }[] = [];
    for (const wake of due) {
      const handler = this.#handlers.get(wake.kind);
      if (handler === undefined || "grouped" in handler) break;
      try {
        const action = handler.act(organization, wake);
        if ("start" in action) {
          starts.push({ wake, run: action.start });
          continue;
        }
        done.push(...(await this.#startAll(sql, organization, starts.splice(0))));
        await this.#signal(sql, organization, wake, action.signal);
        done.push(wake);
      } catch (error) {
        this.#failed(wake, error);
      }
    }
    done.push(...(await this.#startAll(sql, organization, starts)));
    return done;
  }

  /** @returns the wakes whose runs are there */
  async #startAll(
    sql: Sql,
    organization: OrganizationId,
    starts: readonly { readonly wake: Wake; readonly run: NewRun }[],
  ): Promise<Wake[]> {
    if (starts.length === 0) return [];
    const outcomes = await this.#on.workflows.startAll(
      organization,
      starts.map(({ run }) => run),
      sql,
    );
    return starts.flatMap(({ wake }, index) => {
      const outcome = outcomes[index];
      if (typeof outcome !== "object") return [wake];
      this.#failed(wake, outcome.error);
      return [];
    });
  }

  async #signal(sql: Sql, organization: OrganizationId, { kind }: Wake, signal: Signal): Promise<void> {
    const { workflows, log } = this.#on;
    const sent = await workflows.signal(organization, signal, sql);
    if (sent !== "sent") log.warn("a wake found no run to signal", { kind, run: signal.run, sent });
  }

  #failed({ kind, key }: Wake, error: unknown): void {
    this.#on.log.error("a wake could not be acted on", { kind, key, error: String(error) });
  }

  #nudgeSoon(at: Instant): void {
    if (this.#stopped || at > this.#on.clock.now()) return;
    this.#nudged = true;
    if (this.#looking === undefined) this.#lookAfter(nudge_ms);
  }

  #lookAfter(wait_ms: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#nudged = false;
      this.#looking = this.#look()
        .catch((error: unknown) => {
          this.#on.log.warn("looking for due wakes failed", { error: String(error) });
          return false;
        })
        .then((more) => {
          this.#looking = undefined;
          this.#lookAfter(more ? 0 : this.#nudged ? nudge_ms : look_every_ms);
        });
    }, wait_ms);
    this.#timer.unref();
  }

  /** @returns whether there is likely more */
  async #look(): Promise<boolean> {
    const { postgres, workflows, clock } = this.#on;
    const kinds = [...this.#handlers.keys()];
    if (kinds.length === 0 || workflows.active >= runs_active_max) return false;
    await workflows.ready();
    const organizations = await postgres.asSystem((sql) =>
      selectDueOrganizations(sql, { now: clock.now(), kinds, limit: organizations_page }),
    );
    let acted = 0;
    const waiting = organizations.values();
    const work = async () => {
      for (const organization of waiting) {
        if (this.#stopped || workflows.active >= runs_active_max) return;
        acted += await this.dispatch(organization);
      }
    };
    await Promise.all(Array.from({ length: organizations_at_once }, work));
    return acted > 0;
  }
}

function checkWakes(wakes: readonly { readonly key: string }[]): void {
  if (wakes.length > wakes_at_once_max) throw new RangeError(`at most ${wakes_at_once_max} wakes at once`);
  if (new Set(wakes.map(({ key }) => key)).size < wakes.length)
    throw new RangeError("two wakes have one key");
}

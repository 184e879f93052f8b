import type { Postgres } from "../engines/postgres/index.js";
import type { SignalStream } from "../engines/stream/index.js";
import type { Clock } from "../kernel/clock.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { JsonValue } from "../kernel/json.js";
import type { Log } from "../kernel/log.js";
import { appendClaimed } from "./append-claimed.js";
import { compileMeter, reserved_source } from "./core/index.js";
import type { EventIdentity } from "./event-identity.js";
import type { IdentityIndex } from "./identity-index/index.js";
import type { MeterRegistry } from "./meter-registry.js";
import type { BackfillPage, BackfillPageRequest } from "./store/scan-for-backfill.js";
import {
  listDueBackfills,
  recordBackfillProgress,
  type BackfillCursor,
  type StoredMeterVersion,
} from "./store/meters.js";
import { UsageBodyEncoder } from "./usage-body.js";

export interface BackfillDependencies {
  readonly postgres: Postgres;
  readonly stream: SignalStream;
  readonly index: IdentityIndex;
  readonly identity: EventIdentity;
  readonly meters: MeterRegistry;
  readonly clock: Clock;
  readonly log: Log;
  readonly scan: (organization: OrganizationId, request: BackfillPageRequest) => Promise<BackfillPage>;
}

const page_events_max = 5_000;
const retry_ms = 5_000;
const claim_fingerprint = "backfill";

/**
 * Measures history for new meter versions, page by page, through the same stream as live traffic. It goes up to
 * the version's first live envelope, so no event is measured twice; each page claims its own identity, so a page
 * that was appended before a crash is not appended again.
 */
export class Backfill {
  readonly #on: BackfillDependencies;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(dependencies: BackfillDependencies) {
    this.#on = dependencies;
  }

  /** Looks for work, now or as soon as the current round is over. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#round()
      .catch((error: unknown) => {
        if (this.#stopped) return;
        this.#on.log.warn("backfill stopped, trying again", { error: String(error) });
        this.#retry = setTimeout(() => this.wake(), retry_ms);
      })
      .finally(() => {
        this.#running = undefined;
        if (this.#again) {
          this.#again = false;
          this.wake();
        }
      });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    await this.#running;
  }

  async #round(): Promise<void> {
    const due = await this.#on.postgres.asSystem(listDueBackfills);
    for (const { organization, version } of due) {
      const { versions } = await this.#on.meters.load(organization);
      const found = versions.find((candidate) => candidate.id === version);
      if (found !== undefined) await this.#measure(organization, found);
      if (this.#stopped) return;
    }
  }

  async #measure(organization: OrganizationId, version: StoredMeterVersion): Promise<void> {
    const { stream, postgres, log } = this.#on;
    const before = version.liveFrom[stream.writer] ?? 0;
    await this.#confirmed(before - 1);
    const meter = compileMeter(version);
    let { cursor, events } = version.backfill;
    let last = before - 1;
    for (;;) {
      if (this.#stopped) return;
      const page = await this.#on.scan(organization, {
        eventType: version.eventType,
        beforeSequence: { writer: stream.writer, sequence: before },
        after: cursor,
        limit: page_events_max,
      });
      if (page.events.length > 0)
        last = Math.max(last, await this.#append(organization, version, meter, page, cursor));
      events += page.events.length;
      cursor = page.next;
      if (cursor === undefined) break;
      const progress = { state: "running" as const, events, cursor };
      await postgres.inOrganization(organization, (sql) => recordBackfillProgress(sql, version.id, progress));
      this.#on.meters.forget(organization);
    }
    await this.#confirmed(last);
    const done = { state: "done" as const, events, cursor: undefined };
    await postgres.inOrganization(organization, (sql) => recordBackfillProgress(sql, version.id, done));
    this.#on.meters.forget(organization);
    if (events > 0) log.info("meter backfilled", { meter: version.slug, version: version.version, events });
  }

  /** Appends one page's measurements; returns the envelope's sequence, or -1 when the page was there already. */
  async #append(
    organization: OrganizationId,
    version: StoredMeterVersion,
    meter: ReturnType<typeof compileMeter>,
    page: BackfillPage,
    cursor: BackfillCursor | undefined,
  ): Promise<number> {
    const { stream, index, identity, clock } = this.#on;
    const encoder = new UsageBodyEncoder(page.events.length * 256);
    const position = cursor === undefined ? "first" : `${cursor.time}:${cursor.key}`;
    const claim = identity.keyOf(organization, `${reserved_source}backfill:${version.id}`, position);
    encoder.claim(claim);
    for (const event of page.events) {
      const data = event.data === "" ? undefined : (JSON.parse(event.data) as JsonValue);
      const measured = meter.measure(data);
      if (measured.kind !== "measured") continue;
      encoder.event({
        source: "",
        id: "",
        type: "",
        subject: event.subject,
        time: event.time,
        dataText: "",
        key: event.key,
        revision: event.revision,
        measurements: [measured.measurement],
        serverTime: false,
        accepted: { sequence: event.sequence, position: event.position },
      });
    }
    const now = clock.now();
    if (index.find(claim, now) !== undefined) {
      // Appended before a crash: it may still be on its way into the store.
      return stream.nextSequence - 1;
    }
    const { sequence } = await appendClaimed(
      this.#on,
      organization,
      { key: claim, fingerprint: claim_fingerprint },
      encoder,
      now,
    );
    return sequence;
  }

  async #confirmed(sequence: number): Promise<void> {
    if (sequence > 0) await this.#on.stream.whenConfirmed(sequence);
  }
}

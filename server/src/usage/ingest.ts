import type { SignalStream } from "../engines/stream/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { minute, type Instant } from "../kernel/instant.js";
import type { OrganizationId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { EventFault, EventRules, Measurement, UsageEvent } from "./core/index.js";
import {
  measureEvent,
  importTimes,
  parseUsageEvent,
  readEventBody,
  type BodyFormat,
  type TimeBounds,
} from "./core/index.js";
import type { EventIdentity } from "./event-identity.js";
import { findIdentity, requireRoom } from "./identity-outage.js";
import { refuseBody, refuseEvents, refuseMeasured, type IndexedFault } from "./ingest-refusal.js";
import type { IdentityIndex } from "./identity-index/index.js";
import type { MeterRegistry } from "./meter-registry.js";
import type { EventRateLimit } from "./rate-limit.js";
import { UsageBodyEncoder, usage_body_field, type FramedEvent } from "./usage-body.js";

/** What happened to the events of an accepted request. Lists hold indexes into the request, in order. */
export interface IngestReceipt {
  /** Events stored now. */
  readonly accepted: number;
  /** Events that were stored before (or earlier in this request) with the same content. */
  readonly duplicates: number;
  /** Events whose identity is taken by another type, subject or data; not stored. */
  readonly conflicts: readonly { readonly index: number; readonly source: string; readonly id: string }[];
  /** Events stored but not measured by a meter that wanted them, or by any; each with the reason. */
  readonly unmetered: readonly { readonly index: number; readonly reason: string }[];
}

/** An event of a file, with what was found wrong in its text. */
export interface EventRow {
  readonly value: unknown;
  readonly fault?: EventFault | undefined;
}

/** What happened to the events of some rows; those with faults were left out. */
export interface RowsReceipt extends IngestReceipt {
  readonly faults: readonly IndexedFault[];
}

export interface IngestLimits {
  readonly eventsPerRequestMax: number;
  readonly dedupWindow: number;
  readonly futureTolerance: number;
}

export interface IngestDependencies {
  readonly stream: SignalStream;
  readonly index: IdentityIndex;
  readonly identity: EventIdentity;
  readonly meters: MeterRegistry;
  readonly rateLimit: EventRateLimit;
  /** Real time: when an event was received, how long its key lives, how fast an organization may send. */
  readonly clock: Clock;
  /** The organizations' time: how old an event may be, and when one without a time happened. */
  readonly clocks: Clocks;
  readonly limits: IngestLimits;
  /** Which of these identities usage_events already holds: asked only where the index may have forgotten. */
  readonly findStored: (
    organization: OrganizationId,
    keys: readonly string[],
  ) => Promise<ReadonlyMap<string, string>>;
}

/** Half of what an envelope may have: 10,000 events in 10 meters of 32 dimensions would be 3 GB. */
const measured_bytes_max = 32 * 1024 * 1024;

/** An event that passed every check, with its identity. */
interface Candidate {
  readonly index: number;
  readonly event: UsageEvent;
  readonly key: string;
}

/**
 * Takes usage events in: checks the whole request, decides identity, measures, frames, and answers after fsync.
 * From the look into the identity index to the append everything is synchronous: that is what makes "counted
 * once" hold between concurrent requests.
 */
export class UsageIngest {
  readonly #on: IngestDependencies;

  constructor(dependencies: IngestDependencies) {
    this.#on = dependencies;
  }

  /**
   * Accepts a request body whole or refuses it whole.
   * @throws Refusal listing every bad event by index; StreamUnavailable or IdentitiesUnavailable when nothing can be
   *         stored now
   */
  async acceptBody(
    organization: OrganizationId,
    body: Uint8Array,
    format: BodyFormat,
  ): Promise<IngestReceipt> {
    const receivedAt = this.#on.clock.now();
    const now = this.#on.clocks.of(organization).now();
    const { dedupWindow, futureTolerance } = this.#on.limits;
    const times = { now, oldest: (now - dedupWindow) as Instant, newest: (now + futureTolerance) as Instant };
    const candidates = this.#check(organization, body, format, times, receivedAt);
    // Keys expire in real time. A test clock may stand at an instant for longer than that, or behind it, so that an event
    // whose key is gone would still be young enough: then the store is asked about all of them.
    const stored =
      this.#on.clocks.isTest(organization) && this.#on.index.hasForgotten()
        ? await this.#on.findStored(
            organization,
            candidates.map(({ key }) => key),
          )
        : undefined;
    return this.#store(organization, candidates, receivedAt, stored);
  }

  /** The same for a chunk of an import: any age, and identities that the index forgot are asked of the store. */
  async acceptHistory(
    organization: OrganizationId,
    body: Uint8Array,
    format: BodyFormat,
  ): Promise<IngestReceipt> {
    const times = importTimes(this.#on.clocks.of(organization).now());
    const candidates = this.#check(organization, body, format, times, this.#on.clock.now());
    const stored = await this.#findForgotten(organization, candidates);
    return this.#store(organization, candidates, this.#on.clock.now(), stored);
  }

  /**
   * The same for some rows of a file, whose bad events are left out and named in the receipt. At most as many as a request
   * may have.
   * @throws Refusal rate-limited, or measurements-too-large: then fewer at a time
   */
  async acceptRows(organization: OrganizationId, rows: readonly EventRow[]): Promise<RowsReceipt> {
    const receivedAt = this.#on.clock.now();
    requireRoom(this.#on.index);
    this.#takeRate(organization, rows.length, receivedAt);
    const times = importTimes(this.#on.clocks.of(organization).now());
    const rules = { specversionRequired: false, times };
    const faults: IndexedFault[] = [];
    const candidates = this.#candidatesOf(
      organization,
      rows.map(({ value }) => value),
      (index) => rows[index]?.fault,
      rules,
      faults,
    );
    const stored = await this.#findForgotten(organization, candidates);
    const receipt = await this.#store(organization, candidates, this.#on.clock.now(), stored, faults);
    return { ...receipt, faults };
  }

  /** Identities that the index has forgotten and the store knows. */
  async #findForgotten(
    organization: OrganizationId,
    candidates: readonly Candidate[],
  ): Promise<ReadonlyMap<string, string> | undefined> {
    const { index, clock, findStored } = this.#on;
    if (!index.hasForgotten()) return undefined;
    const now = clock.now();
    const unknown = candidates.filter(({ key }) => findIdentity(index, key, now) === undefined);
    return findStored(
      organization,
      unknown.map(({ key }) => key),
    );
  }

  #takeRate(organization: OrganizationId, events: number, receivedAt: Instant): void {
    const limited = this.#on.rateLimit.take(organization, events, receivedAt);
    if (limited === undefined) return;
    const detail = `This organization sends more events than its limit; try again in ${limited.waitSeconds} s.`;
    throw new Refusal(
      makeProblem("rate-limited", 429, "Too many events a second", detail, {
        retryAfterSeconds: limited.waitSeconds,
      }),
    );
  }

  #check(
    organization: OrganizationId,
    body: Uint8Array,
    format: BodyFormat,
    times: TimeBounds,
    receivedAt: Instant,
  ): Candidate[] {
    requireRoom(this.#on.index);
    const { eventsPerRequestMax } = this.#on.limits;
    const read = readEventBody(body, format, eventsPerRequestMax);
    if ("kind" in read) throw refuseBody(read, eventsPerRequestMax);
    this.#takeRate(organization, read.values.length, receivedAt);
    const rules = { specversionRequired: format === "single" || format === "batch", times };
    const faults: IndexedFault[] = [];
    const candidates = this.#candidatesOf(
      organization,
      read.values,
      (index) => read.faults.get(index),
      rules,
      faults,
    );
    if (faults.length > 0) throw refuseEvents(faults, read.values.length);
    return candidates;
  }

  /** The events that are valid; what is wrong with the others is added to `faults`. */
  #candidatesOf(
    organization: OrganizationId,
    values: readonly unknown[],
    textFaultOf: (index: number) => EventFault | undefined,
    rules: EventRules,
    faults: IndexedFault[],
  ): Candidate[] {
    const candidates: Candidate[] = [];
    for (let index = 0; index < values.length; index += 1) {
      const textFault = textFaultOf(index);
      if (textFault !== undefined) {
        faults.push({ index, ...textFault });
        continue;
      }
      const parsed = parseUsageEvent(values[index], rules);
      if (isFaulty(parsed)) {
        for (const fault of parsed) faults.push({ index, ...fault });
      } else {
        const key = this.#on.identity.keyOf(organization, parsed.source, parsed.id);
        candidates.push({ index, event: parsed, key });
      }
    }
    return candidates;
  }

  /** @param leftOut  takes the faults that are found only now; without it they refuse the request */
  async #store(
    organization: OrganizationId,
    candidates: readonly Candidate[],
    now: Instant,
    stored?: ReadonlyMap<string, string>,
    leftOut?: IndexedFault[],
  ): Promise<IngestReceipt> {
    const { stream, index } = this.#on;
    let meters = this.#on.meters.get(organization);
    while (meters === undefined) {
      await this.#on.meters.load(organization);
      meters = this.#on.meters.get(organization);
    }

    // No await from here to the append.
    const encoder = new UsageBodyEncoder(1024 + candidates.length * 384);
    const added: { key: string; fingerprint: string; expiresAt: Instant | "never" }[] = [];
    const seen = new Map<string, string>();
    const conflicts: { index: number; source: string; id: string }[] = [];
    const unmetered: { index: number; reason: string }[] = [];
    const faults: IndexedFault[] = leftOut ?? [];
    let duplicates = 0;

    for (const candidate of candidates) {
      const { event, key } = candidate;
      const { fingerprint } = event;
      const known = seen.get(key) ?? findIdentity(index, key, now)?.fingerprint ?? stored?.get(key);
      if (known !== undefined) {
        if (known === fingerprint) duplicates += 1;
        else conflicts.push({ index: candidate.index, source: event.source, id: event.id });
        continue;
      }
      const measured = measureEvent(event, meters.live);
      if ("fault" in measured) {
        faults.push({ index: candidate.index, ...measured.fault });
        continue;
      }
      if (measured.reason !== undefined) unmetered.push({ index: candidate.index, reason: measured.reason });
      seen.set(key, fingerprint);
      added.push({
        key,
        fingerprint,
        expiresAt: event.timeGiven ? this.#expiryOf(event.time, now) : "never",
      });
      encoder.event(frame(event, key, measured.measurements));
      if (encoder.bytes > measured_bytes_max) throw refuseMeasured(measured_bytes_max);
    }
    if (leftOut === undefined && faults.length > 0) throw refuseEvents(faults, candidates.length);
    const receipt = { accepted: added.length, duplicates, conflicts, unmetered };

    if (added.length === 0) {
      // A duplicate is acknowledged once its original is durable.
      if (duplicates > 0) await stream.flushed();
      return receipt;
    }
    const { segment, durable } = stream.append({
      organization,
      receivedAt: now,
      rowCounts: encoder.rowCounts,
      body: () => encoder.finish(),
      bodyField: usage_body_field,
    });
    for (const entry of added) index.add(segment, entry.key, entry.fingerprint, entry.expiresAt);
    try {
      await durable;
    } catch (error) {
      index.remove(
        segment,
        added.map((entry) => entry.key),
      );
      throw error;
    }
    return receipt;
  }

  /** A key lives until max(event time, acceptance) + window + 5 minutes. */
  #expiryOf(time: Instant, now: Instant): Instant {
    return (Math.max(time, now) + this.#on.limits.dedupWindow + 5 * minute) as Instant;
  }
}

function isFaulty(parsed: UsageEvent | EventFault[]): parsed is EventFault[] {
  return Array.isArray(parsed);
}

function frame(event: UsageEvent, key: string, measurements: readonly Measurement[]): FramedEvent {
  const { source, id, type, subject, time, dataText } = event;
  return {
    source,
    id,
    type,
    subject,
    time,
    dataText,
    key,
    revision: 0,
    measurements,
    serverTime: !event.timeGiven,
  };
}

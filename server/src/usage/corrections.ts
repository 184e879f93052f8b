import { findEarlierAnswer, recordAudit, runOnce, type MutationRequest } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { SignalStream } from "../engines/stream/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { day, formatInstant, type Instant } from "../kernel/instant.js";
import type { OrganizationId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { appendClaimed } from "./append-claimed.js";
import {
  importTimes,
  measureEvent,
  parseUsageEvent,
  reserved_source,
  type UsageEvent,
} from "./core/index.js";
import type { EventIdentity } from "./event-identity.js";
import type { IdentityIndex } from "./identity-index/index.js";
import { findIdentity, requireRoom } from "./identity-outage.js";
import { refuseEvents } from "./ingest-refusal.js";
import type { MeterRegistry } from "./meter-registry.js";
import type { StoredEvent } from "./store/find-events.js";
import { UsageBodyEncoder } from "./usage-body.js";

/** The event to correct, and why. */
export interface CorrectionTarget {
  readonly source: string;
  readonly id: string;
  readonly reason: string;
}

/** What an amendment changes; what is left out stays as it was. */
export interface EventAmendment {
  readonly type?: string;
  readonly subject?: string;
  readonly time?: string;
  readonly data?: unknown;
}

export type CorrectionReceipt = {
  readonly source: string;
  readonly id: string;
  readonly action: "voided" | "amended";
  /** The revision that now stands (amended) or that ended the event (voided). */
  readonly revision: number;
  /** Usage queries show it once this envelope is confirmed. */
  readonly sequence: number;
  /** What it does not do: invoices of so long ago are not changed by it. */
  readonly notice?: string;
};

export interface CorrectionsDependencies {
  readonly postgres: Postgres;
  readonly stream: SignalStream;
  readonly index: IdentityIndex;
  readonly identity: EventIdentity;
  readonly meters: MeterRegistry;
  /** Real time, in which claims expire and envelopes arrive. */
  readonly clock: Clock;
  /** Each organization's time: an amended event may not lie ahead of it. */
  readonly clocks: Pick<Clocks, "of">;
  /** Usage of periods before is billed no more, whatever becomes of it: billing's knowledge. */
  readonly billedAgainDays: number;
  readonly findEvent: (
    organization: OrganizationId,
    source: string,
    id: string,
  ) => Promise<StoredEvent | undefined>;
}

const reason_length_max = 1024;
const claim_fingerprint = "correct.";

/**
 * Voids and amends events by records that are only ever appended: the event stays as evidence, its superseded
 * revisions no longer count. Each is audited, and claims the identity (event, revision), so that two corrections
 * at once cannot both stand.
 */
export class Corrections {
  readonly #on: CorrectionsDependencies;

  constructor(dependencies: CorrectionsDependencies) {
    this.#on = dependencies;
  }

  async void(caller: Caller, target: CorrectionTarget, idempotencyKey?: string): Promise<CorrectionReceipt> {
    const { organization } = caller;
    const request = { organization, idempotencyKey, action: "event.void", input: target };
    const earlier = await this.#earlier(request);
    if (earlier !== undefined) return earlier;
    const standing = await this.#standing(organization, target);
    return this.#append(caller, request, target, standing, undefined);
  }

  async amend(
    caller: Caller,
    target: CorrectionTarget,
    amendment: EventAmendment,
    idempotencyKey?: string,
  ): Promise<CorrectionReceipt> {
    const { organization } = caller;
    const request = { organization, idempotencyKey, action: "event.amend", input: { target, amendment } };
    const earlier = await this.#earlier(request);
    if (earlier !== undefined) return earlier;
    const standing = await this.#standing(caller.organization, target);
    const candidate = {
      source: standing.source,
      id: standing.id,
      type: amendment.type ?? standing.type,
      subject: amendment.subject ?? standing.subject,
      time: amendment.time ?? formatInstant(standing.time),
      data: amendment.data === undefined ? parseData(standing.data) : amendment.data,
    };
    const times = importTimes(this.#on.clocks.of(caller.organization).now());
    const parsed = parseUsageEvent(candidate, { specversionRequired: false, times });
    if (Array.isArray(parsed))
      throw refuseEvents(
        parsed.map((fault) => ({ index: 0, ...fault })),
        1,
      );
    return this.#append(caller, request, target, standing, parsed);
  }

  async #earlier(request: MutationRequest): Promise<CorrectionReceipt | undefined> {
    const earlier = await this.#on.postgres.inOrganization(request.organization, (sql) =>
      findEarlierAnswer(sql, request),
    );
    return earlier as CorrectionReceipt | undefined;
  }

  async #standing(organization: OrganizationId, target: CorrectionTarget): Promise<StoredEvent> {
    if (target.reason.trim() === "" || target.reason.length > reason_length_max) {
      const detail = `Say why, in 1 to ${reason_length_max} characters: the reason is kept with the event for good.`;
      throw new Refusal(makeProblem("reason-required", 400, "A correction needs a reason", detail));
    }
    const event = await this.#on.findEvent(organization, target.source, target.id);
    if (event === undefined) {
      const detail = `No event with source "${target.source}" and id "${target.id}" is visible. One that was accepted within the last seconds can be corrected in a moment.`;
      throw new Refusal(makeProblem("event-not-found", 404, "No such event", detail));
    }
    if (event.voided) {
      throw new Refusal(
        makeProblem(
          "event-voided",
          409,
          "The event is voided already",
          "A voided event does not count, and does not change again.",
        ),
      );
    }
    return event;
  }

  async #append(
    caller: Caller,
    request: MutationRequest,
    target: CorrectionTarget,
    standing: StoredEvent,
    after: UsageEvent | undefined,
  ): Promise<CorrectionReceipt> {
    const { organization } = caller;
    const { index, identity, clock, postgres } = this.#on;
    const revision = standing.revision + 1;
    const key = identity.keyOf(organization, standing.source, standing.id);
    const claim = identity.keyOf(
      organization,
      `${reserved_source}correction:${standing.source}`,
      `${standing.id}:${revision}`,
    );
    const action = after === undefined ? "voided" : "amended";
    const now = clock.now();

    const correct = async (sql: Sql): Promise<CorrectionReceipt> => {
      await recordAudit(sql, {
        organization,
        actor: caller,
        action: after === undefined ? "event.void" : "event.amend",
        target: auditTargetOf(standing),
        before: describe(standing),
        after:
          after === undefined
            ? { reason: target.reason, revision }
            : { ...describe({ ...after, data: after.dataText }), reason: target.reason, revision },
        at: now,
      });
      const meters = this.#on.meters.get(organization);
      if (meters === undefined) throw new MetersInMotion();

      // No await from here to the append.
      requireRoom(index);
      if (findIdentity(index, claim, now) !== undefined) {
        const detail = "Another correction of this event is on its way; look at the event again in a moment.";
        throw new Refusal(makeProblem("correction-in-flight", 409, "The event is being corrected", detail));
      }
      const encoder = new UsageBodyEncoder(4096);
      encoder.claim(claim);
      if (after !== undefined) {
        const measured = measureEvent(after, meters.all);
        if ("fault" in measured) throw refuseEvents([{ index: 0, ...measured.fault }], 1);
        encoder.event({ ...after, key, revision, measurements: measured.measurements, serverTime: false });
      }
      encoder.correction({
        key,
        revision,
        void: after === undefined,
        reason: target.reason,
        actor: caller.key,
        source: standing.source,
        id: standing.id,
        superseded: { subject: standing.subject, time: standing.time },
        ...(after === undefined ? {} : { replacement: { subject: after.subject, time: after.time } }),
      });
      const { sequence } = await appendClaimed(
        this.#on,
        organization,
        { key: claim, fingerprint: claim_fingerprint },
        encoder,
        now,
      );
      const notice = this.#noticeOf(
        organization,
        Math.min(standing.time, after?.time ?? Infinity) as Instant,
      );
      return {
        source: standing.source,
        id: standing.id,
        action,
        revision,
        sequence,
        ...(notice === undefined ? {} : { notice }),
      };
    };
    for (;;) {
      // Outside the transaction: a change of meters holds the gate while it waits for a connection of the same pool.
      await this.#on.meters.load(organization);
      try {
        return await postgres.inOrganization(organization, (sql) =>
          runOnce(sql, request, () => correct(sql)),
        );
      } catch (error) {
        if (!(error instanceof MetersInMotion)) throw error;
      }
    }
  }

  #noticeOf(organization: OrganizationId, time: Instant): string | undefined {
    const { clocks, billedAgainDays } = this.#on;
    if (time >= clocks.of(organization).now() - billedAgainDays * day) return undefined;
    return `The event is more than ${billedAgainDays} days old: usage shows the correction, but no invoice will take it in. Give the difference back by a credit note, or void the invoice and make its period's anew.`;
  }
}

/** Undoes the transaction of a correction that found the organization's meters being changed. */
class MetersInMotion extends Error {
  override readonly name = "MetersInMotion";
}

/** How the audit log names an event. */
export function auditTargetOf({ source, id }: { readonly source: string; readonly id: string }): string {
  return `${source}/${id}`;
}

function parseData(text: string): unknown {
  return text === "" ? undefined : JSON.parse(text);
}

function describe(event: { type: string; subject: string; time: Instant; data: string }) {
  return {
    type: event.type,
    subject: event.subject,
    time: formatInstant(event.time),
    data: parseData(event.data) ?? null,
  };
}

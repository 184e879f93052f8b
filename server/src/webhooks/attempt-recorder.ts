import { recordAudit } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Clock } from "../kernel/clock.js";
import type { OrganizationId, WebhookEndpointId } from "../kernel/ids.js";
import type { Log } from "../kernel/log.js";
import { afterAttempt, outcomeOf, type AttemptResult, type DisabledReason } from "./core/index.js";
import { recordAttempts, type EndedAttempt } from "./store/attempts.js";
import type { DueDelivery } from "./store/deliveries.js";
import { lockHealth, updateHealth } from "./store/endpoint-health.js";
import { disableEndpoint } from "./store/endpoints.js";

export interface RecorderOptions {
  readonly postgres: Postgres;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

export interface Tried {
  readonly organization: OrganizationId;
  readonly endpoint: WebhookEndpointId;
  readonly delivery: DueDelivery;
  readonly result: AttemptResult;
}

interface Waiting {
  readonly tried: Tried;
  readonly done: () => void;
}

// Attempts that end while others of their organization are being written go together.
const batch_max = 200;
const again_ms_max = 5_000;

/** Records how attempts ended: the log, the delivery, and the endpoint's health, in one transaction. */
export class AttemptRecorder {
  readonly #on: RecorderOptions;
  readonly #waiting = new Map<OrganizationId, Waiting[]>();
  #stopped = false;

  constructor(options: RecorderOptions) {
    this.#on = options;
  }

  /** Resolves once it is recorded, however long PostgreSQL is away; or when Weir stops: then it is tried again later. */
  record(tried: Tried): Promise<void> {
    return new Promise((done) => {
      const { organization } = tried;
      const waiting = this.#waiting.get(organization);
      if (waiting !== undefined) {
        waiting.push({ tried, done });
        return;
      }
      this.#waiting.set(organization, [{ tried, done }]);
      void this.#flush(organization);
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  async #flush(organization: OrganizationId): Promise<void> {
    for (let waiting = this.#waiting.get(organization) ?? []; waiting.length > 0; ) {
      const batch = waiting.splice(0, batch_max);
      await this.#writeUntilDone(
        organization,
        batch.map(({ tried }) => tried),
      );
      for (const { done } of batch) done();
    }
    this.#waiting.delete(organization);
  }

  async #writeUntilDone(organization: OrganizationId, batch: readonly Tried[]): Promise<void> {
    for (let wait_ms = 200; ; wait_ms = Math.min(wait_ms * 2, again_ms_max)) {
      try {
        await this.#on.postgres.inOrganization(organization, (sql) => this.#write(sql, organization, batch));
        return;
      } catch (error) {
        if (this.#stopped) return;
        this.#on.log.warn("webhook attempts were not recorded; trying again", {
          attempts: batch.length,
          error: String(error),
        });
        await new Promise((resolve) => setTimeout(resolve, wait_ms));
      }
    }
  }

  async #write(sql: Sql, organization: OrganizationId, batch: readonly Tried[]): Promise<void> {
    const { clock, random } = this.#on;
    const now = clock.now();
    const ended = batch.map(
      ({ delivery, result }): EndedAttempt => ({
        delivery: delivery.id,
        result,
        outcome: outcomeOf(delivery.failures, result, { now, random: random() }),
      }),
    );
    await recordAttempts(sql, organization, ended);
    const healths = await lockHealth(sql, [...new Set(batch.map(({ endpoint }) => endpoint))]);
    for (const [endpoint, before] of healths) {
      let health = before;
      let disable: DisabledReason | undefined;
      for (const tried of batch) {
        if (tried.endpoint !== endpoint) continue;
        const after = afterAttempt(health, tried.result.status, now);
        health = after.health;
        disable ??= after.disable;
      }
      if (JSON.stringify(health) !== JSON.stringify(before)) await updateHealth(sql, endpoint, health);
      if (disable !== undefined) await this.#disable(sql, organization, endpoint, disable);
    }
  }

  async #disable(
    sql: Sql,
    organization: OrganizationId,
    endpoint: WebhookEndpointId,
    reason: DisabledReason,
  ): Promise<void> {
    const at = this.#on.clock.now();
    if (!(await disableEndpoint(sql, endpoint, reason, at))) return;
    await recordAudit(sql, {
      organization,
      actor: "system",
      action: "webhook_endpoint.disable",
      target: endpoint,
      before: { state: "enabled" },
      after: { state: "disabled", reason },
      at,
    });
  }
}

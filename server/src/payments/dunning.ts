import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import type { CustomerId, InvoiceId, OrganizationId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Wakes } from "../time/index.js";
import {
  default_dunning,
  dunningFaults,
  nextDunningStep,
  previewDunning,
  type Decline,
  type DunningSchedule,
  type DunningStep,
} from "./core/index.js";
import { charge_kind, dunning_end_kind } from "./kinds.js";
import type { PaymentMails } from "./payment-mails.js";
import type { BillingPort, NoticesPort, PaidInvoice, TopUpPort } from "./ports.js";
import { dunningSince, type Receivables } from "./receivables.js";
import { findOpenAttempt, listAttempts, type PaymentAttempt } from "./store/attempts.js";
import {
  findDunningSchedule,
  findPause,
  findPauses,
  pauseCollection,
  resumeCollection,
  writeDunningSchedule,
  type CollectionPause,
} from "./store/dunning-settings.js";
import {
  findReceivable,
  listReceivables,
  lockReceivables,
  updateReceivable,
  type Receivable,
} from "./store/receivables.js";

export interface DunningDependencies {
  readonly postgres: Postgres;
  readonly billing: BillingPort;
  readonly receivables: Receivables;
  readonly mails: PaymentMails;
  readonly topUps: TopUpPort;
  readonly wakes: Wakes;
  readonly notices: NoticesPort;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

const resumed_invoices_max = 1_000;
const reason_length_max = 512;

/** Collects what was declined: by the organization's schedule, the reason of the decline, and the customer's day. */
export class Dunning {
  readonly #on: DunningDependencies;

  constructor(dependencies: DunningDependencies) {
    this.#on = dependencies;
  }

  async schedule(organization: OrganizationId): Promise<DunningSchedule> {
    return this.#on.postgres.inOrganization(organization, scheduleOf);
  }

  /** What applies to declines from now on; what is left out stays. @throws Refusal 400 listing every fault by field */
  async setSchedule(
    caller: Caller,
    change: Partial<DunningSchedule>,
    idempotencyKey?: string,
  ): Promise<DunningSchedule> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "dunning.set_schedule", input: change };
      await runOnce(sql, request, async () => {
        const before = await scheduleOf(sql);
        const schedule = { ...before, ...change };
        const faults = dunningFaults(schedule);
        if (faults.length > 0) throw invalidSchedule(faults);
        await writeDunningSchedule(sql, organization, schedule, this.#on.clock.now());
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "dunning.set_schedule",
          target: organization,
          before,
          after: schedule,
          at: this.#on.clock.now(),
        });
        return organization;
      });
      return scheduleOf(sql);
    });
  }

  /** In the transaction in which an attempt ended without money; its receivable is locked. */
  async attemptEnded(sql: Sql, organization: OrganizationId, attempt: PaymentAttempt): Promise<void> {
    const { target, decline } = attempt;
    if (target.kind !== "invoice") return;
    const [receivable] = await lockReceivables(sql, [target.invoice]);
    if (receivable?.state !== "open") return;
    // One that a person canceled says nothing of the method.
    if (decline === undefined) return;
    await this.#plan(sql, organization, receivable, attempt, decline);
  }

  /** Whatever was declined before, the customer has another way to pay now: what is open of it is charged at once. */
  async methodChanged(sql: Sql, organization: OrganizationId, customer: CustomerId): Promise<void> {
    const now = this.#on.clocks.of(organization).now();
    if ((await findPauses(sql, [customer])).size > 0) return;
    const open = await listReceivables(sql, { customer, state: "open", limit: resumed_invoices_max });
    for (const receivable of await lockReceivables(
      sql,
      open.map(({ invoice }) => invoice),
    )) {
      const { dunning, invoice, attempts } = receivable;
      if (receivable.state !== "open" || (dunning.state !== "retrying" && dunning.state !== "waiting"))
        continue;
      if ((await findOpenAttempt(sql, invoice)) !== undefined) continue;
      await this.#on.wakes.wake(sql, organization, now, charge_kind, invoice, { number: attempts + 1 });
      await updateReceivable(sql, {
        ...receivable,
        dunning: { ...dunning, state: "retrying", nextAttemptAt: now },
      });
    }
  }

  /** Whether nothing is collected of a customer by itself, as the caller's transaction sees it. */
  async isPaused(sql: Sql, customer: CustomerId): Promise<boolean> {
    return (await findPauses(sql, [customer])).size > 0;
  }

  /** What the schedule would do with an invoice from now on, if every attempt were declined as the last was. */
  async preview(
    organization: OrganizationId,
    invoice: string,
    decline?: Decline,
  ): Promise<readonly DunningStep[]> {
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const { id, customer } = await this.#on.billing.invoice(sql, invoice);
      const now = this.#on.clocks.of(organization).now();
      const receivable = await findReceivable(sql, id);
      const last = (await listAttempts(sql, { invoice: id, limit: 100 })).at(-1);
      const { timeZone: zone } = await this.#on.billing.customer(sql, customer);
      return previewDunning({
        schedule: await scheduleOf(sql),
        since: receivable === undefined ? now : dunningSince(receivable, now),
        retries: receivable?.dunning.retries ?? 0,
        decline: decline ?? last?.decline ?? { code: "generic_decline", hardness: "soft", message: "" },
        zone,
        now,
      });
    });
  }

  /** The end of the schedule, in the caller's transaction. @returns what to do to the invoice's subscriptions, once */
  async end(
    sql: Sql,
    organization: OrganizationId,
    invoice: InvoiceId,
  ): Promise<PaidInvoice["subscriptions"]> {
    const { billing, mails, notices, receivables } = this.#on;
    const [receivable] = await lockReceivables(sql, [invoice]);
    if (receivable?.state !== "open" || receivable.dunning.state === "ended") return [];
    // What may still take money is waited for: its own end leads here again.
    if ((await findOpenAttempt(sql, invoice)) !== undefined) return [];
    const { end } = await scheduleOf(sql);
    const now = this.#on.clocks.of(organization).now();
    const ended: Receivable = {
      ...receivable,
      dunning: { ...receivable.dunning, state: "ended", nextAttemptAt: undefined },
    };
    await updateReceivable(sql, ended);
    await this.#on.wakes.cancelWake(sql, charge_kind, invoice);
    await recordAudit(sql, {
      organization,
      actor: "system",
      action: "dunning.end",
      target: invoice,
      before: { since: textOf(receivable.dunning.since), attempts: receivable.attempts },
      after: { action: end },
      at: this.#on.clock.now(),
    });
    await mails.dunningEnded(sql, organization, ended, end);
    const data = { invoice, customer: receivable.customer, action: end, attempts: receivable.attempts };
    await notices.publish(sql, organization, [
      { type: "dunning.ended", key: `dunning.ended:${invoice}:${receivable.attempts}`, data },
    ]);
    switch (end) {
      case "none":
        return [];
      case "mark_uncollectible":
        await receivables.writeOffOpen(sql, organization, ended);
        return [];
      case "pause":
        await pauseCollection(sql, organization, receivable.customer, `invoice ${invoice} was not paid`, now);
        return [];
      case "cancel":
        return (await billing.invoice(sql, invoice)).subscriptions;
    }
  }

  /** Nothing is charged to the customer by itself any more. Again changes nothing. @throws Refusal 400, 404 */
  async pause(
    caller: Caller,
    input: { readonly customer: string; readonly reason: string },
    idempotencyKey?: string,
  ): Promise<CustomerId> {
    if (input.reason.length === 0 || input.reason.length > reason_length_max) throw invalidPause();
    return this.#change(caller, "collection.pause", input, idempotencyKey, (sql, customer) =>
      pauseCollection(
        sql,
        caller.organization,
        customer,
        input.reason,
        this.#on.clocks.of(caller.organization).now(),
      ),
    );
  }

  /** What is open is charged again, and what comes is charged as it is finalized. @throws Refusal 404 */
  async resume(
    caller: Caller,
    input: { readonly customer: string },
    idempotencyKey?: string,
  ): Promise<CustomerId> {
    return this.#change(caller, "collection.resume", input, idempotencyKey, async (sql, customer) => {
      const wasPaused = await resumeCollection(sql, customer);
      if (wasPaused) {
        await this.#chargeOpen(sql, caller.organization, customer);
        await this.#on.topUps.collectionResumed(sql, caller.organization, customer);
      }
      return wasPaused;
    });
  }

  /** Why nothing is collected of a customer by itself; undefined when it is. */
  async pauseOf(organization: OrganizationId, customer: CustomerId): Promise<CollectionPause | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findPause(sql, customer));
  }

  async #change(
    caller: Caller,
    action: string,
    input: { readonly customer: string },
    idempotencyKey: string | undefined,
    work: (sql: Sql, customer: CustomerId) => Promise<boolean>,
  ): Promise<CustomerId> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const { id } = await this.#on.billing.customer(sql, input.customer);
      await runOnce(sql, { organization, idempotencyKey, action, input }, async () => {
        if (!(await work(sql, id))) return id;
        await recordAudit(sql, {
          organization,
          actor: caller,
          action,
          target: id,
          before: undefined,
          after: input,
          at: this.#on.clock.now(),
        });
        return id;
      });
      return id;
    });
  }

  async #chargeOpen(sql: Sql, organization: OrganizationId, customer: CustomerId): Promise<void> {
    const now = this.#on.clocks.of(organization).now();
    const open = await listReceivables(sql, { customer, state: "open", limit: resumed_invoices_max });
    await this.#on.wakes.wakeAll(
      sql,
      organization,
      charge_kind,
      open.map(({ invoice, attempts }) => ({ key: invoice, at: now, payload: { number: attempts + 1 } })),
    );
  }

  async #plan(
    sql: Sql,
    organization: OrganizationId,
    receivable: Receivable,
    attempt: PaymentAttempt,
    decline: Decline,
  ): Promise<void> {
    const { wakes, billing, clocks, mails } = this.#on;
    const now = clocks.of(organization).now();
    const { invoice, customer, attempts } = receivable;
    const since = dunningSince(receivable, now);
    const retries = receivable.dunning.since === undefined ? 0 : receivable.dunning.retries + 1;
    const { timeZone: zone } = await billing.customer(sql, customer);
    const step = nextDunningStep({ schedule: await scheduleOf(sql), since, retries, decline, zone, now });
    const base = { ...receivable, dunning: { ...receivable.dunning, since, retries } };
    await mails.declined(sql, organization, attempt, step);
    if (step.kind === "retry") {
      await wakes.wake(sql, organization, step.at, charge_kind, invoice, { number: attempts + 1 });
      await wakes.cancelWake(sql, dunning_end_kind, invoice);
      await updateReceivable(sql, {
        ...base,
        dunning: { ...base.dunning, state: "retrying", nextAttemptAt: step.at },
      });
      return;
    }
    const until = step.kind === "wait" ? step.until : step.at;
    await wakes.wake(sql, organization, until, dunning_end_kind, invoice);
    await updateReceivable(sql, {
      ...base,
      dunning: { ...base.dunning, state: "waiting", nextAttemptAt: undefined },
    });
  }
}

async function scheduleOf(sql: Sql): Promise<DunningSchedule> {
  return (await findDunningSchedule(sql)) ?? default_dunning;
}

function textOf(at: Instant | undefined): string | null {
  return at === undefined ? null : formatInstant(at);
}

function invalidPause(): Refusal {
  const message = `1 to ${reason_length_max} characters`;
  const errors = [{ field: "reason", message }];
  return new Refusal(
    makeProblem("invalid-pause", 400, "The reason is not valid", `reason: ${message}`, { errors }),
  );
}

function invalidSchedule(errors: readonly { field: string; message: string }[]): Refusal {
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  return new Refusal(
    makeProblem("invalid-dunning-schedule", 400, "The schedule is not valid", detail, { errors }),
  );
}

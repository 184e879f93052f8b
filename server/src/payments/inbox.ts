import { findEarlierAnswer, recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { WorkflowContext, Workflows } from "../engines/workflow/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import type { OrganizationId, ProviderAccountId } from "../kernel/ids.js";
import { day, hour, minute, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Wakes } from "../time/index.js";
import { abilityOf } from "./ability.js";
import { askProvider } from "./ask-provider.js";
import { provider_event_kind } from "./kinds.js";
import type { ProviderEvent, ProviderObject } from "./provider.js";
import type { ProviderAccounts } from "./provider-accounts.js";
import type { Applied } from "./provider-objects.js";
import { isUnanswered, ProviderRefusal } from "./provider-failure.js";
import type { ProviderGate } from "./provider-gate.js";
import { fromStepJson, stepJson } from "./step-json.js";
import {
  findInboxEvent,
  insertInboxEvent,
  listInbox,
  markInboxEvent,
  readCursor,
  writeCursor,
  type InboxEvent,
  type InboxPage,
} from "./store/webhook-inbox.js";

/** Applies an object that a provider told us of, in the caller's transaction. */
export type ObjectApplied = (
  sql: Sql,
  organization: OrganizationId,
  account: ProviderAccountId,
  object: ProviderObject,
) => Promise<Applied>;

export interface InboxDependencies {
  readonly postgres: Postgres;
  readonly accounts: ProviderAccounts;
  readonly gate: ProviderGate;
  readonly wakes: Wakes;
  readonly apply: ObjectApplied;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

export const webhook_bytes_max = 262_144;
/** Events that the provider lists are taken in again from so long ago when none has been read yet. */
const backfill_first = 24 * hour;

/** How many events were new, and whether there are more. */
export interface BackfillPages {
  readonly taken: number;
  readonly hasMore: boolean;
}

/** What came of a webhook's delivery. */
export type Delivery = "taken" | "known";

/**
 * Events of providers. They are hints: the row and its job commit before the provider hears that it was taken; the job asks for
 * the object itself, and what it does commits with the mark that it is done.
 */
export class Inbox {
  readonly #on: InboxDependencies;

  constructor(dependencies: InboxDependencies) {
    this.#on = dependencies;
  }

  /**
   * A webhook as it came in.
   * @throws Refusal 404 for an account that there is not, 400 for a signature or time that is not right
   */
  async deliver(
    organization: OrganizationId,
    account: string,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    body: Uint8Array,
  ): Promise<Delivery> {
    const { postgres, accounts, clock } = this.#on;
    return postgres.inOrganization(organization, async (sql) => {
      const opened = await accounts.open(sql, organization, account);
      const events = abilityOf(opened.provider, "webhooks");
      const reading = events.readWebhook(opened.account, headers, body, clock.now());
      if (!reading.ok) throw notGenuine(reading.reason);
      return (await this.#take(sql, organization, opened.account.id, reading.event, body))
        ? "taken"
        : "known";
    });
  }

  /** Takes in what the provider lists and never came. @returns how many were new */
  async backfill(organization: OrganizationId, account: string): Promise<number> {
    return (await this.readOn(organization, account, Number.POSITIVE_INFINITY)).taken;
  }

  /** `backfill`, so many pages of it: what was read stays taken in, and the next call goes on behind it. */
  async readOn(organization: OrganizationId, account: string, pagesMax: number): Promise<BackfillPages> {
    const { postgres, accounts, gate, clock } = this.#on;
    const opened = await postgres.inOrganization(organization, (sql) =>
      accounts.open(sql, organization, account),
    );
    const events = abilityOf(opened.provider, "webhooks");
    let taken = 0;
    let hasMore = true;
    for (let pages = 0; hasMore && pages < pagesMax; pages += 1) {
      const known = await postgres.inOrganization(organization, (sql) => readCursor(sql, opened.account.id));
      const since = (known === undefined ? clock.now() - backfill_first : known.readAt - hour) as Instant;
      const from = { cursor: known?.cursor, since };
      const page = await gate.call(opened, () => events.eventsAfter(opened.account, from));
      taken += await postgres.inOrganization(organization, async (sql) => {
        let fresh = 0;
        for (const event of page.events)
          if (await this.#take(sql, organization, opened.account.id, event, Buffer.from("{}"))) fresh += 1;
        await writeCursor(sql, organization, opened.account.id, page.cursor ?? known?.cursor, clock.now());
        return fresh;
      });
      hasMore = page.hasMore && page.events.length > 0;
    }
    return { taken, hasMore };
  }

  /** `backfill` for someone with a key, audited. @returns how many were new. @throws Refusal 404, 422, 503 */
  async backfillByHand(caller: Caller, account: string, idempotencyKey?: string): Promise<number> {
    const { organization } = caller;
    const { postgres, accounts, clock } = this.#on;
    const request = { organization, idempotencyKey, action: "provider_event.backfill", input: { account } };
    const { id, earlier } = await postgres.inOrganization(organization, async (sql) => ({
      id: (await accounts.open(sql, organization, account)).account.id,
      earlier: await findEarlierAnswer<number>(sql, request),
    }));
    if (earlier !== undefined) return earlier;
    const taken = await askProvider(() => this.backfill(organization, id));
    return postgres.inOrganization(organization, (sql) =>
      runOnce(sql, request, async () => {
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: request.action,
          target: id,
          before: undefined,
          after: { taken },
          at: clock.now(),
        });
        return taken;
      }),
    );
  }

  /** Processes an event again, by hand. @throws Refusal 404 */
  async replay(
    caller: Caller,
    input: { readonly account: string; readonly event: string },
    idempotencyKey?: string,
  ): Promise<InboxEvent> {
    const { organization } = caller;
    const { postgres, accounts, wakes, clocks, clock } = this.#on;
    return postgres.inOrganization(organization, async (sql) => {
      const { account } = await accounts.open(sql, organization, input.account);
      const request = { organization, idempotencyKey, action: "provider_event.replay", input };
      await runOnce(sql, request, async () => {
        const event = await mustFindEvent(sql, account.id, input.event, { lock: true });
        const replays = event.replays + 1;
        await markInboxEvent(sql, event, { state: "pending", note: undefined, at: clock.now(), replays });
        await wakes.wake(
          sql,
          organization,
          clocks.of(organization).now(),
          provider_event_kind,
          keyOf(account.id, event.id),
          {
            replays,
            tries: 0,
          },
        );
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "provider_event.replay",
          target: event.id,
          before: { state: event.state },
          after: { replays },
          at: clock.now(),
        });
        return event.id;
      });
      return mustFindEvent(sql, account.id, input.event);
    });
  }

  async list(organization: OrganizationId, page: InboxPage): Promise<InboxEvent[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listInbox(sql, page));
  }

  /** What an event's job asks for: the object as it is now. Undefined when the event is gone or was acted on. */
  async fetch(
    organization: OrganizationId,
    account: ProviderAccountId,
    id: string,
  ): Promise<ProviderObject | undefined> {
    const { postgres, accounts, gate } = this.#on;
    const { event, opened } = await postgres.inOrganization(organization, async (sql) => ({
      event: await findInboxEvent(sql, account, id),
      opened: await accounts.open(sql, organization, account),
    }));
    if (event?.state !== "pending") return undefined;
    const events = abilityOf(opened.provider, "webhooks");
    try {
      return await gate.call(opened, () =>
        events.fetch(opened.account, { type: event.objectType, id: event.objectId }),
      );
    } catch (error) {
      // It is not there any more, or never was ours: nothing follows from it.
      if (error instanceof ProviderRefusal) return { kind: "irrelevant" };
      throw error;
    }
  }

  /** Acts on an event and marks it, or asks again later when it came too early, in the caller's transaction. Again changes nothing. */
  async process(
    sql: Sql,
    organization: OrganizationId,
    account: ProviderAccountId,
    id: string,
    object: ProviderObject,
    tries: number,
  ): Promise<string> {
    const event = await mustFindEvent(sql, account, id, { lock: true });
    if (event.state !== "pending") return event.note ?? "";
    const at = this.#on.clock.now();
    if (object.kind === "irrelevant") {
      const note = "nothing that Weir keeps books of";
      await markInboxEvent(sql, event, { state: "ignored", note, at, replays: event.replays });
      return note;
    }
    const applied = await this.#on.apply(sql, organization, account, object);
    if ("early" in applied) return this.askAgain(sql, organization, account, id, tries, applied.early);
    const { note } = applied;
    await markInboxEvent(sql, event, { state: "processed", note, at, replays: event.replays });
    return note;
  }

  /** Asks for the object later, in the caller's transaction; given up after some days. @param why  it is not acted on now */
  async askAgain(
    sql: Sql,
    organization: OrganizationId,
    account: ProviderAccountId,
    id: string,
    tries: number,
    why: string,
  ): Promise<string> {
    const { wakes, clocks, clock } = this.#on;
    const event = await mustFindEvent(sql, account, id, { lock: true });
    if (event.state !== "pending") return event.note ?? "";
    const wait = again_after[tries];
    if (wait === undefined) {
      const note = `given up after some days: ${why}; replay it once that has changed`;
      await markInboxEvent(sql, event, { state: "failed", note, at: clock.now(), replays: event.replays });
      return note;
    }
    const at = (clocks.of(organization).now() + wait) as Instant;
    await wakes.wake(sql, organization, at, provider_event_kind, keyOf(account, id), {
      replays: event.replays,
      tries: tries + 1,
    });
    return `${why}; asked again later`;
  }

  async #take(
    sql: Sql,
    organization: OrganizationId,
    account: ProviderAccountId,
    event: ProviderEvent,
    body: Uint8Array,
  ): Promise<boolean> {
    const { wakes, clock, clocks } = this.#on;
    if (!(await insertInboxEvent(sql, organization, account, event, body, clock.now()))) return false;
    const now = clocks.of(organization).now();
    await wakes.wake(sql, organization, now, provider_event_kind, keyOf(account, event.id), {
      replays: 0,
      tries: 0,
    });
    return true;
  }
}

const event_retry = { attemptsMax: 4, wait_ms: 500, wait_ms_max: 5_000 };
/** In the organization's time: when a provider that does not answer is asked again. */
const again_after = [minute, 5 * minute, 30 * minute, 2 * hour, 6 * hour, 12 * hour, day, day];

/** Events are acted on one run each: fetch, then effect and mark in one transaction. */
export function registerInbox(
  inbox: Inbox,
  { workflows, wakes }: { readonly workflows: Workflows; readonly wakes: Wakes },
): void {
  workflows.register({
    kind: provider_event_kind,
    version: 1,
    queue: provider_event_kind,
    retry: event_retry,
    async run(context, { account, event, tries }: { account: string; event: string; tries: number }) {
      const { organization } = context;
      const id = account as ProviderAccountId;
      const fetched = await fetchStep(context, () => inbox.fetch(organization, id, event));
      if (fetched === null) return null;
      if (fetched === unanswered)
        return context.transaction("again", (sql) =>
          inbox.askAgain(sql, organization, id, event, tries, "the provider does not answer"),
        );
      return context.transaction("apply", (sql) =>
        inbox.process(sql, organization, id, event, fetched, tries),
      );
    },
  });
  wakes.register({
    kind: provider_event_kind,
    act: (_organization, { key, payload }) => {
      const [account = "", event = ""] = key.split(" ", 2);
      const { replays, tries } = payload as { replays: number; tries: number };
      const id = `${provider_event_kind}:${account}:${event}:${replays}.${tries}`;
      return { start: { kind: provider_event_kind, id, input: { account, event, tries } } };
    },
  });
}

const unanswered = "unanswered";

/** The object; null when there is nothing to do. A provider that does not answer for a while is asked again later. */
async function fetchStep(
  context: WorkflowContext,
  fetch: () => Promise<ProviderObject | undefined>,
): Promise<ProviderObject | typeof unanswered | null> {
  try {
    const stored = await context.step("fetch", async () => {
      const object = await fetch();
      return object === undefined ? null : stepJson(object);
    });
    return stored === null ? null : fromStepJson<ProviderObject>(stored);
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    return unanswered;
  }
}

function keyOf(account: ProviderAccountId, event: string): string {
  return `${account} ${event}`;
}

async function mustFindEvent(
  sql: Sql,
  account: string,
  event: string,
  options: { lock?: boolean } = {},
): Promise<InboxEvent> {
  const found = await findInboxEvent(sql, account, event, options);
  if (found !== undefined) return found;
  const detail = `There is no event "${event.slice(0, 64)}" of this provider account.`;
  throw new Refusal(makeProblem("provider-event-not-found", 404, "No such event", detail));
}

function notGenuine(reason: string): Refusal {
  const detail = `The webhook is not taken: ${reason}. Its endpoint's signing secret is the account's webhookSecret, and its time may be at most 5 minutes off.`;
  return new Refusal(makeProblem("webhook-not-genuine", 400, "The webhook is not genuine", detail));
}

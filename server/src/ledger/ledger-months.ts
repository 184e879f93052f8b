import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import type { OrganizationId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal, StoreUnavailable } from "../kernel/problem.js";
import { parseTimeZone, type TimeZone } from "../kernel/time-zone.js";
import {
  addMonths,
  compareSums,
  monthAt,
  parseMonth,
  refuseClosing,
  spanOf,
  type AccountSums,
  type CloseRefusal,
  type LedgerFault,
  type LedgerMonth,
} from "./core/index.js";
import type { LedgerSealer } from "./ledger-sealer.js";
import { lastBlock } from "./store/blocks.js";
import {
  closedUntil,
  firstPostedAt,
  haveEnded,
  insertClosing,
  insertMonth,
  listClosedMonths,
  lockTimeZone,
  nextClosedMonth,
  nextTransaction,
  readClosingSums,
  readTimeZone,
  updateTimeZone,
  type ClosedMonth,
} from "./store/months.js";
import { readControlSums } from "./store/sums-at.js";

export interface LedgerMonthsOptions {
  readonly postgres: Postgres;
  readonly clocks: Clocks;
  /** Real time. */
  readonly clock: Clock;
  readonly sealer: Pick<LedgerSealer, "seal">;
  /** Posts what belongs into a month that is over, before it is closed. */
  readonly beforeClosing?: (organization: OrganizationId, month: LedgerMonth) => Promise<unknown>;
}

/** A month of the books. */
export interface MonthOfBooks {
  readonly month: LedgerMonth;
  readonly start: Instant;
  readonly end: Instant;
  /** Undefined while it is open. */
  readonly closed: ClosedMonth | undefined;
}

// So long a closing waits for transactions that were under way; they are short, but for an invoice run's.
const wait_ms_max = 20_000;
const look_ms = 20;
export const months_listed_max = 240;

/**
 * Months that are closed one after the other, for good: nothing is posted into them any more, which the database sees to,
 * and what they came to is recorded. Months begin in the time zone of the organization's books, UTC unless it sets one.
 */
export class LedgerMonths {
  readonly #on: LedgerMonthsOptions;

  constructor(options: LedgerMonthsOptions) {
    this.#on = options;
  }

  /** From that of the first posting, or the first that was closed, to the present one: latest first. */
  async list(organization: OrganizationId, limit: number): Promise<MonthOfBooks[]> {
    const now = this.#on.clocks.of(organization).now();
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const zone = await readTimeZone(sql);
      const closed = new Map((await listClosedMonths(sql, { limit })).map((one) => [one.month, one]));
      const firstPosting = await firstPostedAt(sql);
      const starts = [
        ...(firstPosting === undefined ? [] : [monthAt(firstPosting, zone)]),
        ...[...closed.keys()].slice(-1),
      ].sort();
      const [first] = starts;
      const months: MonthOfBooks[] = [];
      if (first === undefined) return months;
      for (
        let month = monthAt(now, zone);
        month >= first && months.length < limit;
        month = addMonths(month, -1)
      ) {
        const known = closed.get(month);
        months.push({ month, ...(known ?? spanOf(month, zone)), closed: known });
      }
      return months.map(({ month, start, end, closed: known }) => ({ month, start, end, closed: known }));
    });
  }

  /** What a month was closed with: its trial balance, by code and currency. Undefined while it is not recorded. */
  async closingOf(organization: OrganizationId, month: LedgerMonth): Promise<AccountSums[] | undefined> {
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const [closed] = await listClosedMonths(sql, { month, limit: 1 });
      return closed?.closing === undefined ? undefined : readClosingSums(sql, month);
    });
  }

  /**
   * Closes a month that is over, and records what it came to. Again changes nothing.
   * @throws Refusal 400 for what is no month; 409 before it is over, or while an earlier one is open
   * @throws StoreUnavailable when transactions that began before do not end: the month is closed, and asking again records it
   */
  async close(caller: Caller, text: string, idempotencyKey?: string): Promise<MonthOfBooks> {
    const { organization } = caller;
    const { postgres, beforeClosing } = this.#on;
    const month = parseMonth(text);
    if (month === undefined) throw notAMonth(text);
    const isOpen = await postgres.inOrganization(
      organization,
      async (sql) => (await this.#mayClose(sql, organization, month)) === undefined,
    );
    if (isOpen) await beforeClosing?.(organization, month);
    const request = { organization, idempotencyKey, action: "ledger.close_month", input: { month } };
    await postgres.inOrganization(organization, (sql) =>
      runOnce(sql, request, () => this.#close(sql, caller, month)),
    );
    await this.#record(organization, month);
    const [closed] = await postgres.inOrganization(organization, (sql) =>
      listClosedMonths(sql, { month, limit: 1 }),
    );
    if (closed === undefined) throw new RangeError(`${month} was closed and is not there`);
    return { month, start: closed.start, end: closed.end, closed };
  }

  timeZone(organization: OrganizationId): Promise<TimeZone> {
    return this.#on.postgres.inOrganization(organization, readTimeZone);
  }

  /**
   * Says where the organization's months begin.
   * @throws Refusal 400 for what is no zone; 409 once a month is closed, since months would overlap or leave gaps
   */
  async setTimeZone(caller: Caller, text: string, idempotencyKey?: string): Promise<TimeZone> {
    const { organization } = caller;
    const zone = parseTimeZone(text);
    if (zone === undefined) throw notAZone(text);
    const request = {
      organization,
      idempotencyKey,
      action: "ledger.set_time_zone",
      input: { timeZone: zone },
    };
    await this.#on.postgres.inOrganization(organization, (sql) =>
      runOnce(sql, request, async () => {
        const before = await lockTimeZone(sql, organization);
        if (before === zone) return zone;
        const [closed] = await listClosedMonths(sql, { limit: 1 });
        if (closed !== undefined) throw zoneIsFixed(closed);
        await updateTimeZone(sql, zone);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "ledger.set_time_zone",
          target: organization,
          before: { timeZone: before },
          after: { timeZone: zone },
          at: this.#on.clock.now(),
        });
        return zone;
      }),
    );
    return zone;
  }

  /** Whether the first closed month after one is what its transfers make of it; undefined when there is none. */
  async check(
    sql: Sql,
    after: string,
  ): Promise<{ month: LedgerMonth; fault: LedgerFault | undefined } | undefined> {
    const closed = await nextClosedMonth(sql, after);
    if (closed === undefined) return undefined;
    const { month, end, closing } = closed;
    if (closing === undefined) return { month, fault: undefined };
    const at = (end - 1) as Instant;
    const { transferred } = await readControlSums(sql, { at, kept: false });
    const posted = transferred.map((sums) => ({ ...sums, pendingDebit: 0n, pendingCredit: 0n }));
    const [difference] = compareSums(await readClosingSums(sql, month), posted);
    if (difference === undefined) return { month, fault: undefined };
    const { code, currency, side, kept } = difference;
    const message = `${month} was closed with a ${side} sum of ${kept} for ${code} in ${currency}; the transfers by then add up to ${difference.transferred}`;
    return { month, fault: { kind: "month", account: code, message } };
  }

  /** Why not; "closed" when it is. */
  async #mayClose(
    sql: Sql,
    organization: OrganizationId,
    month: LedgerMonth,
  ): Promise<CloseRefusal | "closed" | undefined> {
    const [closed] = await listClosedMonths(sql, { month, limit: 1 });
    if (closed !== undefined) return "closed";
    const [last] = await listClosedMonths(sql, { limit: 1 });
    const books = { lastClosed: last?.month, firstPosting: await firstPostedAt(sql) };
    // One before the first that was closed had no postings, and is as good as closed.
    if (last !== undefined && month < last.month) return "closed";
    return refuseClosing(month, books, await readTimeZone(sql), this.#on.clocks.of(organization).now());
  }

  async #close(sql: Sql, caller: Caller, month: LedgerMonth): Promise<LedgerMonth> {
    const { organization } = caller;
    const timeZone = await lockTimeZone(sql, organization);
    const refusal = await this.#mayClose(sql, organization, month);
    if (refusal === "closed") return month;
    if (refusal !== undefined) throw cannotClose(month, refusal);
    const closedAt = this.#on.clocks.of(organization).now();
    const span = spanOf(month, timeZone);
    await insertMonth(sql, organization, { month, timeZone, ...span, closedAt, closedBy: caller.key });
    await recordAudit(sql, {
      organization,
      actor: caller,
      action: "ledger.close_month",
      target: month,
      before: undefined,
      after: { month, timeZone, start: formatInstant(span.start), end: formatInstant(span.end) },
      at: this.#on.clock.now(),
    });
    return month;
  }

  /** Waits for what was under way when the month was closed, and records what the month came to. */
  async #record(organization: OrganizationId, month: LedgerMonth): Promise<void> {
    const { postgres, sealer } = this.#on;
    const closed = () =>
      postgres.inOrganization(
        organization,
        async (sql) => (await listClosedMonths(sql, { month, limit: 1 }))[0],
      );
    if ((await closed())?.closing !== undefined) return;
    // Whoever has not seen the month closed has a number below this.
    const next = await postgres.inOrganization(organization, nextTransaction);
    const began = performance.now();
    while (!(await postgres.inOrganization(organization, (sql) => haveEnded(sql, next)))) {
      if (performance.now() - began > wait_ms_max)
        throw new StoreUnavailable(
          `${month} is closed, and transactions from before are still under way: close it again to record its trial balance`,
          { retryAfterSeconds: 5 },
        );
      await new Promise((resolve) => setTimeout(resolve, look_ms));
    }
    await sealer.seal(organization);
    await postgres.inOrganization(organization, async (sql) => {
      const [known] = await listClosedMonths(sql, { month, limit: 1 });
      if (known === undefined) return;
      const at = (known.end - 1) as Instant;
      const { transferred } = await readControlSums(sql, { at, kept: false });
      const { number: block, hash } = await lastBlock(sql, organization);
      await insertClosing(sql, organization, { month, block, hash, sums: transferred });
    });
  }
}

/** The first instant at or after one that is in no closed month; in the caller's transaction. */
export async function openInstant(sql: Sql, at: Instant): Promise<Instant> {
  const until = await closedUntil(sql);
  return until !== undefined && until > at ? until : at;
}

function notAMonth(text: string): Refusal {
  const detail = `"${text.slice(0, 32)}" is no month: write it as 2026-10.`;
  return new Refusal(makeProblem("invalid-month", 400, "Not a month", detail));
}

function notAZone(text: string): Refusal {
  const detail = `"${text.slice(0, 64)}" is no time zone: name one such as Europe/Berlin.`;
  return new Refusal(makeProblem("invalid-time-zone", 400, "Not a time zone", detail));
}

function zoneIsFixed({ month, timeZone }: ClosedMonth): Refusal {
  const detail = `${month} was closed in ${timeZone}: months of another zone would overlap it, or leave a gap.`;
  return new Refusal(makeProblem("month-closed", 409, "A month is closed", detail, { month }));
}

function cannotClose(month: LedgerMonth, refusal: CloseRefusal): Refusal {
  switch (refusal.kind) {
    case "not_over": {
      const detail = `${month} ends at ${formatInstant(refusal.end)}. Close it then.`;
      return new Refusal(makeProblem("month-not-over", 409, "The month is not over", detail));
    }
    case "earlier_open": {
      const detail = `${refusal.month} is open. Months are closed one after the other: close that first.`;
      const { month: earlier } = refusal;
      return new Refusal(
        makeProblem("earlier-month-open", 409, "An earlier month is open", detail, { month: earlier }),
      );
    }
    default:
      return refusal satisfies never;
  }
}

import { recordAudit } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import type { Currency } from "../kernel/currency.js";
import {
  newId,
  type CustomerId,
  type InvoiceId,
  type InvoiceLineId,
  type OrganizationId,
} from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { addDays, calendarIn, dateAt, startOfLocalDate } from "../kernel/local-date.js";
import type { TimeZone } from "../kernel/time-zone.js";
import {
  addMonths,
  firstDateOf,
  monthAt,
  partThrough,
  spanOf,
  takeBack,
  type Account,
  type LedgerMonth,
  type Posting,
} from "./core/index.js";
import type { Ledger } from "./ledger.js";
import { closedUntil, readTimeZone } from "./store/months.js";
import {
  insertSchedules,
  listSchedules,
  lockDueSchedules,
  lockSchedules,
  sumUpcoming,
  updateSchedules,
  type MonthOfRevenue,
  type RevenueSchedule,
  type SchedulePage,
} from "./store/revenue-schedules.js";

/** What an invoice's line is deferred by. */
export interface Deferral {
  readonly invoice: InvoiceId;
  readonly line: InvoiceLineId;
  /** Who pays. */
  readonly customer: CustomerId;
  readonly currency: Currency;
  readonly service: { readonly start: Instant; readonly end: Instant };
  /** Where its days are days. */
  readonly timeZone: TimeZone;
  /** In minor units, not zero; below it for a line that gives back. */
  readonly amount: bigint;
}

/** Sees to it that an organization's month is recognised when it ends; in the transaction that defers something. */
export type MonthEndNoted = (
  sql: Sql,
  organization: OrganizationId,
  month: LedgerMonth,
  end: Instant,
) => Promise<void>;

export interface RevenueOptions {
  readonly postgres: Postgres;
  readonly ledger: Ledger;
  readonly clocks: Clocks;
  /** Real time. */
  readonly clock: Clock;
  readonly monthEndNoted: MonthEndNoted;
}

/** How many schedules one transaction recognises. */
export const recognized_at_once_max = 1_000;
export const upcoming_months_max = 60;

/**
 * Revenue for services that are still to be given: deferred when an invoice is finalized, and recognised at the end of each
 * month of the books, in equal parts for each whole local day of the service.
 */
export class Revenue {
  readonly #on: RevenueOptions;

  constructor(options: RevenueOptions) {
    this.#on = options;
  }

  /** Writes schedules, in the transaction that posts the amounts to deferred_revenue. */
  async defer(sql: Sql, organization: OrganizationId, deferrals: readonly Deferral[]): Promise<void> {
    if (deferrals.length === 0) return;
    const now = this.#on.clocks.of(organization).now();
    await insertSchedules(
      sql,
      organization,
      deferrals.map((deferral) => ({
        ...deferral,
        ...daysOf(deferral),
        id: newId("rvs", now),
        createdAt: now,
      })),
    );
    const zone = await readTimeZone(sql);
    const month = monthAt(now, zone);
    await this.#on.monthEndNoted(sql, organization, month, spanOf(month, zone).end);
  }

  /**
   * Takes amounts of lines back, in the caller's transaction: what falls to days that are recognised comes from revenue.
   *
   * @returns by line, what comes from deferred_revenue instead; lines that were not deferred are left out
   * @throws RangeError for more than is left of a line
   */
  async takeBack(
    sql: Sql,
    lines: readonly { readonly line: string; readonly amount: bigint }[],
  ): Promise<ReadonlyMap<string, bigint>> {
    const amounts = new Map(lines.map(({ line, amount }) => [line, amount]));
    const schedules = await lockSchedules(sql, [...amounts.keys()]);
    const fromDeferred = new Map<string, bigint>();
    const changed = schedules.map((schedule) => {
      const amount = amounts.get(schedule.line) ?? 0n;
      const taken = takeBack(schedule, amount);
      fromDeferred.set(schedule.line, taken.fromDeferred);
      return { ...schedule, total: schedule.total - amount, recognized: taken.recognized };
    });
    if (changed.length > 0) await updateSchedules(sql, changed);
    return fromDeferred;
  }

  /**
   * Recognises what has been earned by the end of a month, of some schedules, in the caller's transaction: posted in that
   * month, or in the first that is open. Again changes nothing.
   * @returns how many schedules that were: fewer than `recognized_at_once_max` when it was the last of them
   */
  async recognize(sql: Sql, organization: OrganizationId, month: LedgerMonth): Promise<number> {
    const through = addDays(firstDateOf(addMonths(month, 1)), -1);
    const due = await lockDueSchedules(sql, { through, limit: recognized_at_once_max });
    if (due.length === 0) return 0;
    const at = await this.#postedAt(sql, organization, month);
    const postings: Posting[] = [];
    const changed = due.flatMap((schedule) => {
      const part = partThrough(schedule, through);
      if (part === undefined) return [];
      if (part.amount !== 0n) postings.push(recognition(schedule, month, part, at));
      return [{ ...schedule, recognized: schedule.recognized + part.amount, recognizedDays: part.toDay }];
    });
    await updateSchedules(sql, changed);
    await this.#on.ledger.post(sql, organization, postings);
    await recordAudit(sql, {
      organization,
      actor: "system",
      action: "revenue.recognize",
      target: month,
      before: undefined,
      after: { schedules: changed.length },
      at: this.#on.clock.now(),
    });
    return due.length;
  }

  /** The same of all schedules, in as many transactions as it takes. @returns how many */
  async recognizeThrough(organization: OrganizationId, month: LedgerMonth): Promise<number> {
    for (let total = 0; ; ) {
      const count = await this.#on.postgres.inOrganization(organization, (sql) =>
        this.recognize(sql, organization, month),
      );
      total += count;
      if (count < recognized_at_once_max) return total;
    }
  }

  /** The month after one, and when it ends: when the next is to be recognised. */
  async nextMonth(sql: Sql, month: LedgerMonth): Promise<{ month: LedgerMonth; end: Instant }> {
    const next = addMonths(month, 1);
    return { month: next, end: spanOf(next, await readTimeZone(sql)).end };
  }

  list(organization: OrganizationId, page: SchedulePage): Promise<RevenueSchedule[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listSchedules(sql, page));
  }

  /** What will be recognised, from the present month on; what is late falls to that. By month and currency. */
  upcoming(organization: OrganizationId, months: number): Promise<MonthOfRevenue[]> {
    const now = this.#on.clocks.of(organization).now();
    return this.#on.postgres.inOrganization(organization, async (sql) =>
      sumUpcoming(sql, { from: monthAt(now, await readTimeZone(sql)), months }),
    );
  }

  /** In the month's last instant; in the first that is open when the month is closed; and never ahead of time. */
  async #postedAt(sql: Sql, organization: OrganizationId, month: LedgerMonth): Promise<Instant> {
    const last = spanOf(month, await readTimeZone(sql)).end - 1;
    const open = (await closedUntil(sql)) ?? last;
    return Math.min(Math.max(last, open), this.#on.clocks.of(organization).now()) as Instant;
  }
}

function daysOf({ service, timeZone }: Deferral) {
  const calendar = calendarIn(timeZone);
  const firstDay = dateAt(calendar, service.start);
  // A service of some hours is of one day.
  return { firstDay, days: Math.max(dateAt(calendar, service.end) - firstDay, 1) };
}

function recognition(
  { id, invoice, currency, service, timeZone, firstDay, days }: RevenueSchedule,
  month: LedgerMonth,
  { amount, fromDay, toDay }: { amount: bigint; fromDay: number; toDay: number },
  at: Instant,
): Posting {
  const deferred: Account = { kind: "deferred_revenue" };
  const revenue: Account = { kind: "revenue" };
  const isGiven = amount > 0n;
  const startOf = (day: number) => startOfLocalDate(addDays(firstDay, day), timeZone);
  return {
    idempotencyKey: `revenue:${id}:${month}`,
    reason: "revenue.recognize",
    reference: invoice,
    at,
    transfers: [
      {
        debit: isGiven ? deferred : revenue,
        credit: isGiven ? revenue : deferred,
        amount: { currency, minor: isGiven ? amount : -amount },
        service: {
          start: fromDay === 0 ? service.start : startOf(fromDay),
          end: toDay === days ? service.end : startOf(toDay),
        },
      },
    ],
  };
}

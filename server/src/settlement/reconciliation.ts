import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clocks } from "../kernel/clock.js";
import type { Currency } from "../kernel/currency.js";
import { newId, type OrganizationId } from "../kernel/ids.js";
import { day, type Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import { addDays, calendarIn, dateAt, startOfLocalDate, type LocalDate } from "../kernel/local-date.js";
import { formatMoney } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { parseTimeZone, utc, type TimeZone } from "../kernel/time-zone.js";
import { codeOf, type Ledger } from "../ledger/index.js";
import type { Wakes } from "../time/index.js";
import { compareLines, type ComparedLine } from "./core/reconciliation/index.js";
import type { ExceptionKind } from "./core/matching/index.js";
import { report_kind } from "./kinds.js";
import { mustFindAccount } from "./must-find-account.js";
import type { OpenMovement, SettlementAccount, SettlementPayments } from "./payments-port.js";
import { findClaims } from "./store/allotments.js";
import {
  insertExceptions,
  sumOpenExceptions,
  type ExceptionSum,
  type NewException,
} from "./store/exceptions.js";
import {
  countFiles,
  findReport,
  findSettings,
  insertReport,
  listReports,
  lockState,
  saveState,
  sumReceivedPayouts,
  sumReported,
  type ReconciliationSettings,
  type ReconciliationState,
  type StoredReport,
} from "./store/reports.js";

export interface ReconciliationOptions {
  readonly postgres: Postgres;
  readonly payments: SettlementPayments;
  readonly ledger: Ledger;
  readonly wakes: Wakes;
  readonly clocks: Clocks;
}

export interface ReconciliationPeriod {
  readonly from: Instant;
  /** Exclusive. */
  readonly to: Instant;
}

/** What an account of our books holds now. */
export interface HeldBalance {
  readonly account: string;
  readonly currency: Currency;
  readonly minor: bigint;
}

/** An account: our books, its sender's files, and the bank, side by side. */
export interface ComparedAccount {
  readonly account: SettlementAccount;
  readonly lines: readonly ComparedLine[];
  readonly balances: readonly HeldBalance[];
  /** What is open at the end of the period. */
  readonly exceptions: readonly ExceptionSum[];
}

export interface Comparison extends ReconciliationPeriod {
  readonly accounts: readonly ComparedAccount[];
  /** Open at the end of the period, of no account in particular. */
  readonly exceptions: readonly ExceptionSum[];
}

const default_settings: ReconciliationSettings = {
  timeZone: utc,
  fileLagDays: 7,
  bankLagDays: 7,
};
const lag_days_max = 60;
const movements_page = 1_000;
/** How far back charges are looked for when a first report is made. */
const first_look_days = 35;

/** Three ways of saying what moved, compared: our books, the senders' files, the bank's statements. Every day has a report. */
export class Reconciliation {
  readonly #on: ReconciliationOptions;

  constructor(options: ReconciliationOptions) {
    this.#on = options;
  }

  /** @throws Refusal 400 for an empty period, 404 for an unknown account */
  async compare(
    organization: OrganizationId,
    { account, ...period }: ReconciliationPeriod & { readonly account?: string },
  ): Promise<Comparison> {
    if (period.from >= period.to) throw emptyPeriod();
    return this.#on.postgres.inOrganization(organization, (sql) => this.#compare(sql, period, account));
  }

  async settings(organization: OrganizationId): Promise<ReconciliationSettings> {
    return (await this.#on.postgres.inOrganization(organization, findSettings)) ?? default_settings;
  }

  /** What is left out stays. The next report is made at the end of the day there. @throws Refusal 400 listing every fault */
  async setSettings(
    caller: Caller,
    input: { readonly timeZone?: string; readonly fileLagDays?: number; readonly bankLagDays?: number },
    idempotencyKey?: string,
  ): Promise<ReconciliationSettings> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "reconciliation.set_settings", input };
      await runOnce(sql, request, async () => {
        const at = this.#on.clocks.of(organization).now();
        const state = await lockState(sql);
        const before = state?.settings ?? default_settings;
        const after = checked({ ...before, ...input });
        // The day that comes next stays the next, wherever it ends now.
        await this.#goOn(sql, organization, { ...(state ?? beginning(after, at)), settings: after }, at);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "reconciliation.set_settings",
          target: organization,
          before,
          after,
          at,
        });
        return organization;
      });
      return (await findSettings(sql)) ?? default_settings;
    });
  }

  /** Newest first. */
  async reports(
    organization: OrganizationId,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<StoredReport[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listReports(sql, page));
  }

  async findReport(organization: OrganizationId, idOrDay: string): Promise<StoredReport | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findReport(sql, idOrDay));
  }

  /** From the first file on, every day has its report: has the next one made, in the transaction in which a file lands. */
  async begin(sql: Sql, organization: OrganizationId): Promise<void> {
    if ((await findSettings(sql)) !== undefined) return;
    const at = this.#on.clocks.of(organization).now();
    await this.#goOn(sql, organization, beginning(default_settings, at), at);
  }

  /** Opens exceptions for what should have turned up by the end of a day. */
  async lookForMissing(sql: Sql, organization: OrganizationId, date: LocalDate): Promise<void> {
    const now = this.#on.clocks.of(organization).now();
    const state = (await lockState(sql)) ?? beginning(default_settings, now);
    const { settings } = state;
    const end = startOfLocalDate(addDays(date, 1), zoneOf(settings));
    const until = (end - settings.fileLagDays * day) as Instant;
    const from = state.lookedUntil ?? ((until - first_look_days * day) as Instant);
    for (const account of await this.#on.payments.listAccounts(sql))
      if (account.side === "provider" && from < until)
        await this.#lookForCharges(sql, organization, account, { from, to: until }, now);
    await this.#lookForPayouts(sql, organization, (end - settings.bankLagDays * day) as Instant, now);
    if (from < until) await saveState(sql, organization, { ...state, lookedUntil: until }, now);
  }

  /**
   * Makes the report of a day, once, and has the next one made. It begins where the last one ends: a change of the zone leaves nothing
   * out, and has nothing twice.
   */
  async report(sql: Sql, organization: OrganizationId, date: LocalDate): Promise<void> {
    const now = this.#on.clocks.of(organization).now();
    const state = (await lockState(sql)) ?? beginning(default_settings, now);
    const zone = zoneOf(state.settings);
    const period = {
      from: state.reportedUntil ?? startOfLocalDate(date, zone),
      to: startOfLocalDate(addDays(date, 1), zone),
    };
    // Made by a run before this one; or its day ends later since the zone was changed, and has a wake of its own.
    if (date !== state.nextDay || period.to > now) return;
    const isAnyTime = period.from < period.to;
    if (isAnyTime) {
      const comparison = await this.#compare(sql, period);
      const files = await countFiles(sql, period);
      const report = {
        accounts: comparison.accounts.map(reportedAccount),
        exceptions: comparison.exceptions.map(reportedSum),
        files,
      };
      const stored = { id: newId("rrp", now), day: date, ...period, report: asJson(report), madeAt: now };
      await insertReport(sql, organization, stored);
    }
    const reportedUntil = isAnyTime ? period.to : state.reportedUntil;
    // The day after it, also when that is over: none is left out.
    await this.#goOn(sql, organization, { ...state, nextDay: addDays(date, 1), reportedUntil }, now);
  }

  async #compare(sql: Sql, period: ReconciliationPeriod, only?: string): Promise<Comparison> {
    const { payments } = this.#on;
    const accounts =
      only === undefined
        ? await payments.listAccounts(sql)
        : [await mustFindAccount(sql, this.#on.payments, only)];
    const open = await sumOpenExceptions(sql, period.to);
    const compared: ComparedAccount[] = [];
    for (const account of accounts) {
      const books = await payments.sumBooks(sql, account, period);
      const reported = await sumReported(sql, account.id, period);
      const bank = account.side === "bank" ? [] : await sumReceivedPayouts(sql, account.id, period);
      const lines = compareLines(books, reported, bank);
      compared.push({
        account,
        lines,
        balances: await this.#balances(sql, account, lines),
        exceptions: open.filter((sum) => sum.account === account.id),
      });
    }
    return { ...period, accounts: compared, exceptions: open.filter((sum) => sum.account === undefined) };
  }

  async #balances(
    sql: Sql,
    account: SettlementAccount,
    lines: readonly ComparedLine[],
  ): Promise<HeldBalance[]> {
    const kinds =
      account.side === "bank"
        ? (["cash"] as const)
        : (["provider_clearing", "payouts_in_transit", "disputes"] as const);
    const currencies = [...new Set(lines.map(({ currency }) => currency))].sort();
    const wanted = kinds.flatMap((kind) =>
      currencies.map((currency) => ({ code: codeOf({ kind, account: account.id }), currency })),
    );
    const held = await this.#on.ledger.balancesOf(sql, wanted);
    return wanted.flatMap(({ code, currency }) => {
      const minor = held.get(`${code} ${currency}`);
      return minor === undefined ? [] : [{ account: code, currency, minor }];
    });
  }

  async #lookForCharges(
    sql: Sql,
    organization: OrganizationId,
    account: SettlementAccount,
    period: ReconciliationPeriod,
    now: Instant,
  ): Promise<void> {
    for (let after: OpenMovement | undefined; ; ) {
      const page = { ...period, after, limit: movements_page };
      const charges = await this.#on.payments.listCaptured(sql, account, page);
      const found = await findClaims(
        sql,
        charges.flatMap(({ root }) => [`${root}:charge`, `${root}:decline`]),
      );
      const missing = charges.filter(
        ({ root }) => !found.has(`${root}:charge`) && !found.has(`${root}:decline`),
      );
      await insertExceptions(
        sql,
        organization,
        missing.map((charge) =>
          missed(
            charge,
            now,
            "missing_in_file",
            `missing:${charge.root}`,
            `${charge.id} of ${formatMoney(charge.amount)} is in none of the files of ${account.key}.`,
          ),
        ),
      );
      after = charges.at(-1);
      if (charges.length < movements_page || after === undefined) return;
    }
  }

  async #lookForPayouts(
    sql: Sql,
    organization: OrganizationId,
    before: Instant,
    now: Instant,
  ): Promise<void> {
    const from = (before - 2 * first_look_days * day) as Instant;
    for (let after: OpenMovement | undefined; ; ) {
      const payouts = await this.#on.payments.listInTransit(sql, {
        from,
        to: before,
        after,
        limit: movements_page,
      });
      await insertExceptions(
        sql,
        organization,
        payouts.map((payout) =>
          missed(
            payout,
            now,
            "late",
            `late:${payout.root}`,
            `${payout.id} of ${formatMoney(payout.amount)} left the provider, and is on no bank statement.`,
          ),
        ),
      );
      after = payouts.at(-1);
      if (payouts.length < movements_page || after === undefined) return;
    }
  }

  /** Has the next report made at the end of its day. There is one wake, which moves from day to day. */
  async #goOn(
    sql: Sql,
    organization: OrganizationId,
    state: ReconciliationState,
    now: Instant,
  ): Promise<void> {
    await saveState(sql, organization, state, now);
    const { nextDay: date, settings } = state;
    const at = startOfLocalDate(addDays(date, 1), zoneOf(settings));
    await this.#on.wakes.wake(sql, organization, at, report_kind, "day", { date });
  }
}

/** With the day that it is there. */
function beginning(settings: ReconciliationSettings, now: Instant): ReconciliationState {
  const nextDay = dateAt(calendarIn(zoneOf(settings)), now);
  return { settings, lookedUntil: undefined, nextDay, reportedUntil: undefined };
}

function missed(
  { kind, id, account, amount, at }: OpenMovement,
  now: Instant,
  exception: ExceptionKind,
  about: string,
  reason: string,
): NewException {
  return {
    id: newId("rex", now),
    kind: exception,
    about,
    account,
    file: undefined,
    position: undefined,
    target: { kind, id },
    amount,
    suspense: 0n,
    reason,
    happenedAt: at,
    openedAt: now,
  };
}

function zoneOf({ timeZone }: ReconciliationSettings): TimeZone {
  return parseTimeZone(timeZone) ?? utc;
}

/** @throws Refusal 400 listing every fault by field */
function checked(settings: ReconciliationSettings): ReconciliationSettings {
  const errors: { field: string; message: string }[] = [];
  if (parseTimeZone(settings.timeZone) === undefined)
    errors.push({ field: "timeZone", message: "an IANA time zone such as Europe/Berlin" });
  for (const field of ["fileLagDays", "bankLagDays"] as const)
    if (!Number.isInteger(settings[field]) || settings[field] < 1 || settings[field] > lag_days_max)
      errors.push({ field, message: `1 to ${lag_days_max} days` });
  if (errors.length === 0) return settings;
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  throw new Refusal(
    makeProblem("invalid-reconciliation-settings", 400, "The settings are not valid", detail, { errors }),
  );
}

function emptyPeriod(): Refusal {
  return new Refusal(
    makeProblem("invalid-period", 400, "The period is empty", "`from` must be before `to`."),
  );
}

function reportedAccount({ account, lines, balances, exceptions }: ComparedAccount) {
  const { id, key, name, side } = account;
  return { account: { id, key, name, side }, lines, balances, exceptions: exceptions.map(reportedSum) };
}

function reportedSum({ kind, currency, count, suspense }: ExceptionSum) {
  return { kind, currency: currency ?? null, count, suspense };
}

/** Amounts in minor units travel as text. */
function asJson(value: unknown): JsonValue {
  return JSON.parse(
    JSON.stringify(value, (_key, each: unknown) => (typeof each === "bigint" ? each.toString() : each)),
  ) as JsonValue;
}

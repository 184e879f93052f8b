import { hour, type Instant } from "../../kernel/instant.js";
import { addDays, calendarIn, dateAt, partsOf, type LocalDate } from "../../kernel/local-date.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import type { Decline } from "./decline.js";
import { localHour } from "./local-hour.js";

/** What happens when nothing brought the money. */
export const dunning_ends = ["none", "mark_uncollectible", "pause", "cancel"] as const;
export type DunningEnd = (typeof dunning_ends)[number];

/** How an organization collects what was declined. */
export interface DunningSchedule {
  /** Days after the first decline, ascending. */
  readonly retryDays: readonly number[];
  /** The hour of the customer's day at which is retried: 0 to 23. */
  readonly hour: number;
  /** Days after the first decline at which it ends. */
  readonly endDays: number;
  readonly end: DunningEnd;
}

/** Eight tries in two weeks, as Stripe recommends; then it is left open for a person. */
export const default_dunning: DunningSchedule = {
  retryDays: [1, 3, 5, 7, 9, 11, 13],
  hour: 10,
  endDays: 14,
  end: "none",
};

export type DunningStep =
  | { readonly kind: "retry"; readonly at: Instant; readonly why: "schedule" | "payday" | "soon" }
  /** The same method will not do: the end comes unless the customer gives another. */
  | { readonly kind: "wait"; readonly until: Instant }
  | { readonly kind: "end"; readonly at: Instant };

export interface DunningSituation {
  readonly schedule: DunningSchedule;
  /** The first decline. */
  readonly since: Instant;
  /** Retries made since. */
  readonly retries: number;
  readonly decline: Decline;
  /** The customer's. */
  readonly zone: TimeZone;
  readonly now: Instant;
}

// The issuer was out of order or asked to try again: a few hours later is another answer.
const passing = new Set([
  "processing_error",
  "issuer_not_available",
  "try_again_later",
  "reenter_transaction",
  "not_sent",
  "approve_with_id",
]);
const soon_hours = 6;
// Without funds the day after a salary does better than a day of the schedule: the 1st and the 15th of a month, within three days.
const without_funds = new Set([
  "insufficient_funds",
  "withdrawal_count_limit_exceeded",
  "card_velocity_exceeded",
]);
const payday_days_max = 3;

/** What to do after a decline. Every step lies after `now` and not after the end. */
export function nextDunningStep(situation: DunningSituation): DunningStep {
  const { schedule, since, retries, decline, zone, now } = situation;
  const end = dunningEnd(situation);
  if (decline.hardness !== "soft") return end > now ? { kind: "wait", until: end } : { kind: "end", at: now };
  if (passing.has(decline.code) && retries === 0 && now + soon_hours * hour < end)
    return { kind: "retry", at: (now + soon_hours * hour) as Instant, why: "soon" };
  const first = dateAt(calendarIn(zone), since);
  for (const days of schedule.retryDays) {
    const date = addDays(first, days);
    const planned = localHour(date, schedule.hour, zone);
    if (planned <= now) continue;
    const payday = without_funds.has(decline.code) ? paydayFrom(date) : undefined;
    const at = payday === undefined ? planned : localHour(payday, schedule.hour, zone);
    if (at < end)
      return { kind: "retry", at, why: payday === undefined || payday === date ? "schedule" : "payday" };
    if (planned < end) return { kind: "retry", at: planned, why: "schedule" };
    break;
  }
  return { kind: "end", at: end > now ? end : now };
}

/** When collecting ends. */
export function dunningEnd({
  schedule,
  since,
  zone,
}: Pick<DunningSituation, "schedule" | "since" | "zone">): Instant {
  return localHour(addDays(dateAt(calendarIn(zone), since), schedule.endDays), schedule.hour, zone);
}

/** What would happen from now on if every retry were declined the same way. */
export function previewDunning(situation: DunningSituation): DunningStep[] {
  const steps: DunningStep[] = [];
  let { now, retries } = situation;
  for (let count = 0; count <= situation.schedule.retryDays.length + 1; count += 1) {
    const step = nextDunningStep({ ...situation, now, retries });
    steps.push(step);
    if (step.kind !== "retry") {
      if (step.kind === "wait") steps.push({ kind: "end", at: step.until });
      return steps;
    }
    now = step.at;
    retries += 1;
  }
  return steps;
}

/** Faults of a schedule by field. */
export function dunningFaults(schedule: DunningSchedule): { field: string; message: string }[] {
  const faults: { field: string; message: string }[] = [];
  const { retryDays, hour: at, endDays } = schedule;
  if (retryDays.length > retries_max)
    faults.push({ field: "retryDays", message: `at most ${retries_max} retries` });
  if (retryDays.some((days, index) => !isDays(days) || days <= (retryDays[index - 1] ?? 0)))
    faults.push({
      field: "retryDays",
      message: `whole days from 1 to ${days_max}, each later than the one before`,
    });
  if (!Number.isInteger(at) || at < 0 || at > 23) faults.push({ field: "hour", message: "0 to 23" });
  if (!isDays(endDays) || endDays < (retryDays.at(-1) ?? 0))
    faults.push({ field: "endDays", message: `whole days up to ${days_max}, not before the last retry` });
  return faults;
}

const retries_max = 15;
const days_max = 90;

function isDays(days: number): boolean {
  return Number.isInteger(days) && days >= 1 && days <= days_max;
}

/** The 1st or the 15th on or after a date, when it is near. */
function paydayFrom(date: LocalDate): LocalDate | undefined {
  for (let days = 0; days <= payday_days_max; days += 1) {
    const candidate = addDays(date, days);
    const { day: ofMonth } = partsOf(candidate);
    if (ofMonth === 1 || ofMonth === 15) return candidate;
  }
  return undefined;
}

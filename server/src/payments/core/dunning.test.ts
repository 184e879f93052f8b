import fc from "fast-check";
import { expect, test } from "vitest";
import { day, formatInstant, hour, parseInstant, type Instant } from "../../kernel/instant.js";
import type { TimeZone } from "../../kernel/time-zone.js";
import {
  default_dunning,
  dunningEnd,
  dunningFaults,
  nextDunningStep,
  previewDunning,
  type DunningSituation,
} from "./dunning.js";

const at = (text: string) => parseInstant(text)!;
const soft = { code: "generic_decline", hardness: "soft", message: "" } as const;
const situation = (more: Partial<DunningSituation> = {}): DunningSituation => ({
  schedule: default_dunning,
  since: at("2028-02-07T20:00:00Z"),
  retries: 0,
  decline: soft,
  zone: "UTC" as TimeZone,
  now: at("2028-02-07T20:00:00Z"),
  ...more,
});
const shown = (one: DunningSituation) =>
  previewDunning(one).map((step) => `${step.kind} ${formatInstant("at" in step ? step.at : step.until)}`);

test("eight tries in two weeks, in the customer's morning", () => {
  expect(shown(situation({ zone: "Pacific/Auckland" as TimeZone }))).toEqual([
    // The 8th in Auckland; 10:00 there is 21:00 the day before in UTC.
    "retry 2028-02-08T21:00:00Z",
    "retry 2028-02-10T21:00:00Z",
    "retry 2028-02-12T21:00:00Z",
    "retry 2028-02-14T21:00:00Z",
    "retry 2028-02-16T21:00:00Z",
    "retry 2028-02-18T21:00:00Z",
    "retry 2028-02-20T21:00:00Z",
    "end 2028-02-21T21:00:00Z",
  ]);
});

test("a hard decline waits for another method, to the end", () => {
  const hard = { code: "stolen_card", hardness: "hard", message: "" } as const;
  expect(shown(situation({ decline: hard }))).toEqual([
    "wait 2028-02-21T10:00:00Z",
    "end 2028-02-21T10:00:00Z",
  ]);
  expect(nextDunningStep(situation({ decline: hard, now: at("2028-02-22T00:00:00Z") }))).toEqual({
    kind: "end",
    at: at("2028-02-22T00:00:00Z"),
  });
});

test("what passes is tried again in hours, once", () => {
  const passing = { code: "processing_error", hardness: "soft", message: "" } as const;
  expect(nextDunningStep(situation({ decline: passing }))).toEqual({
    kind: "retry",
    at: at("2028-02-08T02:00:00Z"),
    why: "soon",
  });
  expect(nextDunningStep(situation({ decline: passing, retries: 1 }))).toMatchObject({ why: "schedule" });
});

test("without funds it is tried on a payday that is near, and not after the end", () => {
  const poor = { code: "insufficient_funds", hardness: "soft", message: "" } as const;
  const now = at("2028-02-11T12:00:00Z");
  expect(nextDunningStep(situation({ decline: poor, retries: 2, now }))).toEqual({
    kind: "retry",
    at: at("2028-02-15T10:00:00Z"),
    why: "payday",
  });
});

test("steps lie ahead, in order, and end at the end, whatever the schedule and the decline", () => {
  const codes = ["generic_decline", "insufficient_funds", "processing_error", "stolen_card"];
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 10 }),
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 0, max: 30 }),
      fc.constantFrom(...codes),
      fc.constantFrom("UTC", "Pacific/Auckland", "America/St_Johns", "Pacific/Apia"),
      fc.integer({ min: 0, max: 70 * 24 }),
      (days, hourOfDay, more, code, zone, hours) => {
        const retryDays = days.toSorted((one, other) => one - other);
        const schedule = {
          retryDays,
          hour: hourOfDay,
          endDays: Math.min(90, (retryDays.at(-1) ?? 0) + more + 1),
          end: "none" as const,
        };
        expect(dunningFaults(schedule)).toEqual([]);
        const since = at("2028-03-20T07:30:00Z");
        const now = (since + hours * hour) as Instant;
        const hardness = code === "stolen_card" ? ("hard" as const) : ("soft" as const);
        const one = situation({
          schedule,
          since,
          now,
          zone: zone as TimeZone,
          decline: { code, hardness, message: "" },
        });
        const steps = previewDunning(one);
        const end = dunningEnd(one);
        let last = now;
        for (const step of steps) {
          const when = "at" in step ? step.at : step.until;
          expect(when).toBeGreaterThanOrEqual(last);
          if (step.kind === "retry") expect(when).toBeGreaterThan(last - 1);
          if (step.kind === "retry") expect(when).toBeLessThan(end);
          last = when;
        }
        expect(steps.at(-1)).toEqual({ kind: "end", at: Math.max(end, now) });
        expect(steps.filter(({ kind }) => kind === "retry").length).toBeLessThanOrEqual(retryDays.length + 1);
        expect(end - since).toBeLessThanOrEqual((schedule.endDays + 2) * day);
      },
    ),
  );
});

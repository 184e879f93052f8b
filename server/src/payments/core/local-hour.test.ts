import { expect, test } from "vitest";
import { formatInstant, parseInstant } from "../../kernel/instant.js";
import { parseTimeZone } from "../../kernel/time-zone.js";
import { nextLocalHour } from "./local-hour.js";

const next = (now: string, hour: number, zone: string) =>
  formatInstant(nextLocalHour(parseInstant(now)!, hour, parseTimeZone(zone)!));

test("the next hour of a day is today's, or tomorrow's once it has begun", () => {
  expect(next("2026-03-01T16:59:59Z", 18, "Europe/Berlin")).toBe("2026-03-01T17:00:00Z");
  expect(next("2026-03-01T17:00:00Z", 18, "Europe/Berlin")).toBe("2026-03-02T17:00:00Z");
  expect(next("2026-03-01T23:30:00Z", 0, "UTC")).toBe("2026-03-02T00:00:00Z");
});

test("it always comes later, also on days of 23 and 25 hours, and over a date that was skipped", () => {
  // Clocks go forward at 2:00 on 29 March 2026, and back at 3:00 on 25 October.
  expect(next("2026-03-28T23:30:00Z", 23, "Europe/Berlin")).toBe("2026-03-29T21:00:00Z");
  expect(next("2026-10-24T22:30:00Z", 23, "Europe/Berlin")).toBe("2026-10-25T21:00:00Z");
  // Samoa had no 30 December 2011.
  expect(next("2011-12-30T09:30:00Z", 23, "Pacific/Apia")).toBe("2011-12-31T09:00:00Z");
});

import { expect, test } from "vitest";
import { formatInstant } from "../../kernel/instant.js";
import { formatDate } from "../../kernel/local-date.js";
import { readDate, readTime } from "./date-text.js";

test.each([
  ["2026-02-28", "2026-02-28"],
  ["2024-02-29", "2024-02-29"],
  ["2026-01-31+01:00", "2026-01-31"],
  ["2026-01-31Z", "2026-01-31"],
  ["2026-02-29", undefined],
  ["2026-13-01", undefined],
  ["0206-01-31", undefined],
  ["9026-01-31", undefined],
  ["2026-1-31", undefined],
  ["31.01.2026", undefined],
  ["2026-01-31T00:00", undefined],
  ["", undefined],
])("the date %j is %s", (text, expected) => {
  const date = readDate(text);
  expect(date === undefined ? undefined : formatDate(date)).toBe(expected);
});

test.each([
  ["2026-01-31T09:30:00+01:00", "2026-01-31T08:30:00Z"],
  ["2026-01-31T09:30:00Z", "2026-01-31T09:30:00Z"],
  ["2026-01-31 09:30:00", "2026-01-31T09:30:00Z"],
  ["2026-01-31T09:30:00.250", "2026-01-31T09:30:00.25Z"],
  ["1969-12-31T23:59:59Z", undefined],
  ["2200-01-01T00:00:00Z", undefined],
  ["1/31/2026 9:30", undefined],
  ["", undefined],
])("the time %j is %s", (text, expected) => {
  const time = readTime(text);
  expect(time === undefined ? undefined : formatInstant(time)).toBe(expected);
});

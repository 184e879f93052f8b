import { expect, test } from "vitest";
import { parseInstant, type Instant } from "../../kernel/instant.js";
import { parseTimeZone, utc, type TimeZone } from "../../kernel/time-zone.js";
import { addMonths, monthAt, parseMonth, refuseClosing, spanOf, type LedgerMonth } from "./index.js";

const at = (text: string) => parseInstant(text) as Instant;
const month = (text: string) => parseMonth(text) as LedgerMonth;
const auckland = parseTimeZone("Pacific/Auckland") as TimeZone;

test("a month is read as 2026-10, and nothing else is one", () => {
  expect(parseMonth("2026-10")).toBe("2026-10");
  for (const text of ["2026-13", "2026-00", "2026-1", "26-10", "2026-10-01", "October"])
    expect(parseMonth(text)).toBeUndefined();
});

test("months are counted over years", () => {
  expect(addMonths(month("2026-11"), 3)).toBe("2027-02");
  expect(addMonths(month("2026-01"), -1)).toBe("2025-12");
});

test("a month begins and ends at midnight of its zone", () => {
  expect(spanOf(month("2026-10"), utc)).toEqual({
    start: at("2026-10-01T00:00:00Z"),
    end: at("2026-11-01T00:00:00Z"),
  });
  expect(spanOf(month("2026-10"), auckland)).toEqual({
    start: at("2026-09-30T11:00:00Z"),
    end: at("2026-10-31T11:00:00Z"),
  });
  expect(monthAt(at("2026-10-31T11:00:00Z"), auckland)).toBe("2026-11");
  expect(monthAt(at("2026-10-31T10:59:59.999999Z"), auckland)).toBe("2026-10");
});

test("months are closed in their order, from that of the first posting on, once they are over", () => {
  const now = at("2026-11-01T00:00:00Z");
  const fresh = { lastClosed: undefined, firstPosting: undefined };
  expect(refuseClosing(month("2026-10"), fresh, utc, now)).toBeUndefined();
  expect(refuseClosing(month("2026-11"), fresh, utc, now)).toEqual({
    kind: "not_over",
    end: at("2026-12-01T00:00:00Z"),
  });
  expect(refuseClosing(month("2026-10"), fresh, auckland, at("2026-10-31T10:59:59Z"))).toMatchObject({
    kind: "not_over",
  });
  const posted = { lastClosed: undefined, firstPosting: at("2026-08-31T23:59:59Z") };
  expect(refuseClosing(month("2026-10"), posted, utc, now)).toEqual({
    kind: "earlier_open",
    month: "2026-08",
  });
  expect(refuseClosing(month("2026-08"), posted, utc, now)).toBeUndefined();
  const closed = { lastClosed: month("2026-08"), firstPosting: at("2026-01-01T00:00:00Z") };
  expect(refuseClosing(month("2026-09"), closed, utc, now)).toBeUndefined();
  expect(refuseClosing(month("2026-10"), closed, utc, now)).toEqual({
    kind: "earlier_open",
    month: "2026-09",
  });
});

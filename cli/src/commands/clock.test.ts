import { expect, test } from "vitest";
import { later } from "./clock.js";

test("a span after an instant: hours, days, and months and years by the calendar", () => {
  expect(later("2027-01-31T00:00:00Z", "12h")).toBe("2027-01-31T12:00:00.000Z");
  expect(later("2027-01-31T00:00:00Z", "7d")).toBe("2027-02-07T00:00:00.000Z");
  expect(later("2027-01-31T00:00:00Z", "1month")).toBe("2027-02-28T00:00:00.000Z");
  expect(later("2027-11-30T06:00:00Z", "3months")).toBe("2028-02-29T06:00:00.000Z");
  expect(later("2028-02-29T00:00:00Z", "1year")).toBe("2029-02-28T00:00:00.000Z");
  expect(() => later("2027-01-31T00:00:00Z", "soon")).toThrow("--by soon");
});

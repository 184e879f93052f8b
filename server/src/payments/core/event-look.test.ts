import { describe, expect, test } from "vitest";
import { day, hour, second } from "../../kernel/instant.js";
import { nextEventLook, type EventLook } from "./event-look.js";

const quietLook: EventLook = {
  found: false,
  hasMore: false,
  isOpen: false,
  isArchived: false,
  isTest: false,
  quiet: 0,
};
const after = (look: Partial<EventLook>) => nextEventLook({ ...quietLook, ...look })?.after;

describe("the next look into a provider's list of events", () => {
  test("live: every hour, whatever was found, also when the provider did not answer", () => {
    for (const found of [true, false, undefined]) expect(after({ found, quiet: 100 })).toBe(hour);
  });

  test("live, of an archived account: as long as something is under way or turns up", () => {
    expect(after({ isArchived: true })).toBeUndefined();
    expect(after({ isArchived: true, isOpen: true })).toBe(hour);
    expect(after({ isArchived: true, found: true })).toBe(hour);
  });

  test("a list that goes on is read on at once", () => {
    for (const isTest of [true, false]) expect(after({ isTest, hasMore: true, found: true })).toBe(second);
  });

  test("on a test clock: a day later when something turned up, and not at all when nothing is under way", () => {
    expect(after({ isTest: true })).toBeUndefined();
    expect(nextEventLook({ ...quietLook, isTest: true, found: true, quiet: 5 })).toEqual({
      after: day,
      quiet: 0,
    });
  });

  test("on a test clock: what stays open for a year is looked at some 50 times", () => {
    let [looks, at, quiet] = [0, 0, 0];
    for (; at < 365 * day; looks += 1) {
      const next = nextEventLook({ ...quietLook, isTest: true, isOpen: true, quiet })!;
      at += next.after;
      quiet = next.quiet;
    }
    expect(looks).toBeLessThan(60);
    expect(looks).toBeGreaterThan(40);
  });

  test("on a test clock: a provider that never answers is left alone after some days", () => {
    const waits = [0, 1, 2, 3].map((quiet) => after({ isTest: true, found: undefined, quiet }));
    expect(waits).toEqual([day, 2 * day, 4 * day, undefined]);
  });
});

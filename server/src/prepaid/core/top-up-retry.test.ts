import { expect, test } from "vitest";
import { hour, parseInstant, type Instant } from "../../kernel/instant.js";
import { afterDecline } from "./top-up-retry.js";

const now = parseInstant("2028-03-01T00:00:00Z")!;
const after = (hardness: "hard" | "soft" | "setup" | undefined, number = 1, isAutomatic = true) =>
  afterDecline(hardness && { hardness }, { number, isAutomatic }, now);
const retry = (hours: number) => ({ kind: "retry", at: (now + hours * hour) as Instant });

test("soft declines are tried again after 1, 6 and 24 hours, then it has failed", () => {
  expect([1, 2, 3, 4].map((number) => after("soft", number))).toEqual([
    retry(1),
    retry(6),
    retry(24),
    { kind: "fail" },
  ]);
});

test("a hard decline, and one of the charge itself, is the end at once", () => {
  expect(after("hard")).toEqual({ kind: "fail" });
  expect(after("setup")).toEqual({ kind: "fail" });
});

test("what a person asked for is not tried again by itself", () => {
  expect(after("soft", 1, false)).toEqual({ kind: "fail" });
});

test("an attempt that was canceled says nothing of the card", () => {
  expect(after(undefined)).toEqual({ kind: "cancel" });
});

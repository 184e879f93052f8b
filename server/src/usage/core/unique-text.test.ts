import { expect, test } from "vitest";
import { countedUnique, storedUnique } from "./unique-text.js";

test("each text that is counted is stored as a text of its own that is not empty", () => {
  const counted = ["", "a", "\u0000", "\u0000a", "\u0000\u0000", " "];
  const stored = counted.map(storedUnique);
  expect(stored).not.toContain("");
  expect(new Set(stored).size).toBe(counted.length);
  expect(stored.map(countedUnique)).toEqual(counted);
  expect(countedUnique("")).toBeUndefined();
});

import { describe, expect, test } from "vitest";
import { base2Draft, base2File } from "../../../../../test/support/settlement/base2-file.js";
import { wholeFile } from "../../../../../test/support/settlement/file-chunks.js";
import { read } from "../../../../../test/support/settlement/read-base2.js";
import { formatInstant, parseInstant } from "../../../../kernel/instant.js";
import { formatDate } from "../../../../kernel/local-date.js";
import { readMmdd, readYddd } from "./base2-dates.js";
import { visaBase2 } from "./index.js";

describe("dates without their year", () => {
  const asOf = (date: string) =>
    Math.floor(parseInstant(`${date}T00:00:00Z`)! / 86_400_000_000) as Parameters<typeof readMmdd>[1];
  test.each([
    ["6233", "2026-08-21", "2026-08-21"],
    ["6234", "2026-08-21", "2026-08-22"],
    ["6300", "2026-08-21", "2016-10-26"],
    ["9365", "2030-01-02", "2029-12-31"],
    ["0001", "2030-01-02", "2030-01-01"],
    ["4366", "2026-01-01", "2024-12-31"],
    ["5366", "2026-01-01", undefined],
  ])("%s, in a file of %s, is %s", (yddd, file, expected) => {
    const date = readYddd(yddd, asOf(file));
    expect(date === undefined ? undefined : formatDate(date)).toBe(expected);
  });

  test.each([
    ["0820", "2026-08-21", "2026-08-20"],
    ["1231", "2026-01-02", "2025-12-31"],
    ["0229", "2026-03-01", "2024-02-29"],
    ["1332", "2026-03-01", undefined],
  ])("%s, by %s, is %s", (mmdd, by, expected) => {
    const date = readMmdd(mmdd, asOf(by));
    expect(date === undefined ? undefined : formatDate(date)).toBe(expected);
  });

  test("in an extract are as of when it came", () => {
    const file = wholeFile(base2File({ transactions: [base2Draft()], control: "none" }));
    const parser = visaBase2.open({ landedAt: parseInstant("2037-01-01T00:00:00Z")! });
    const records = [...parser.push(file), ...parser.end().records];
    expect(formatInstant(records[0]!.at)).toBe("2036-08-20T00:00:00Z");
    expect(formatInstant(read({ transactions: [base2Draft()], control: "none" }).records[0]!.at)).toBe(
      "2026-08-20T00:00:00Z",
    );
  });
});

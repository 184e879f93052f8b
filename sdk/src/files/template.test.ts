import { describe, expect, test } from "vitest";
import { MappingFault } from "./file-fault.js";
import { compileTemplate, readCell, readTime } from "./template.js";

const columns = new Set(["account", "row"]);

test("a template fills in columns", () => {
  expect(compileTemplate("id", "a/{row}/{account}", columns)({ row: "7", account: "acme" })).toBe("a/7/acme");
  expect(compileTemplate("id", "constant", columns)({})).toBe("constant");
});

test("a template names the column that is missing and the brace that is open", () => {
  expect(() => compileTemplate("id", "{nope}", columns)).toThrow(
    'there is no column "nope"; there are account, row',
  );
  expect(() => compileTemplate("id", "{row", columns)).toThrow(MappingFault);
});

describe("a cell", () => {
  test.each([
    ["12", 12],
    ["-0.5", -0.5],
    ["123456789012345", 123456789012345],
    ["1234567890123456", "1234567890123456"],
    ["0.1234567890123456", "0.1234567890123456"],
    ["007", "007"],
    ["1e3", "1e3"],
    ["", ""],
    ["gpt-4", "gpt-4"],
  ])("%s becomes %j", (text, value) => {
    expect(readCell(text)).toBe(value);
  });
});

describe("a time", () => {
  test.each([
    ["2023-11-16 18:17:03.9799600", "2023-11-16T18:17:03.979960Z"],
    ["2023-11-16T18:17", "2023-11-16T18:17:00Z"],
    ["2023-11-16T18:17:03+0530", "2023-11-16T18:17:03+05:30"],
    ["2023-11-16T18:17:03z", "2023-11-16T18:17:03Z"],
    ["1700000000", "2023-11-14T22:13:20.000Z"],
    ["1700000000123", "2023-11-14T22:13:20.123Z"],
  ])("%s is %s", (text, instant) => {
    expect(readTime(text, 1)).toBe(instant);
  });

  test("that is none names its line", () => {
    expect(() => readTime("yesterday", 4)).toThrow('line 4: "yesterday" is not a time');
  });
});

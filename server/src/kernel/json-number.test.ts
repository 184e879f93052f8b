import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Decimal } from "./decimal.js";
import { findUnsafeNumber, type UnsafeNumber } from "./json-number.js";

/** The rule, one character at a time, with nothing clever. */
function findSlowly(text: string): UnsafeNumber | undefined {
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const c = text.charAt(at);
    if (inString) {
      if (c === "\\") at += 1;
      else if (c === '"') inString = false;
    } else if (c === '"') {
      inString = true;
    } else if (c === "-" || (c >= "0" && c <= "9")) {
      let end = at;
      while (end < text.length && "+-.eE0123456789".includes(text.charAt(end))) end += 1;
      const token = text.slice(at, end);
      if (isUnsafe(token)) return { token, offset: at };
      at = end - 1;
    }
  }
  return undefined;
}

function isUnsafe(token: string): boolean {
  const [, whole = "", fraction, exponent = ""] =
    /^-?(\d+)(?:\.(\d+))?(?:[eE][+-]?0*(\d*))?$/.exec(token) ?? [];
  let digits = whole + (fraction ?? "");
  if (digits.length + (fraction === undefined ? 0 : 1) + (token.startsWith("-") ? 1 : 0) > 100) return true;
  while (digits.startsWith("0")) digits = digits.slice(1);
  while (fraction === undefined && digits.endsWith("0")) digits = digits.slice(0, -1);
  return digits.length > 15 || exponent.length > 2;
}

const digit = fc.integer({ min: 0, max: 9 }).map(String);
const digits = (min: number, max: number) =>
  fc.array(fc.oneof(digit, fc.constant("0")), { minLength: min, maxLength: max }).map((all) => all.join(""));
const numberToken = fc
  .record({
    sign: fc.constantFrom("", "-"),
    whole: fc.oneof(
      fc.constant("0"),
      digits(1, 20).map((text) => text.replace(/^0+(?=\d)/, "")),
    ),
    fraction: fc.option(fc.oneof(digits(1, 18), digits(90, 110)), { nil: "" }),
    exponent: fc.option(
      fc.record({
        letter: fc.constantFrom("e", "E"),
        sign: fc.constantFrom("", "+", "-"),
        power: digits(1, 4),
      }),
      { nil: undefined },
    ),
  })
  .map(
    ({ sign, whole, fraction, exponent }) =>
      `${sign}${whole}${fraction === "" ? "" : `.${fraction}`}${exponent === undefined ? "" : exponent.letter + exponent.sign + exponent.power}`,
  );
const awkwardString = fc
  .array(
    fc.oneof(
      fc.constantFrom('"', "\\", ": 1234567890123456789", "e999", ",", "[", "\n"),
      fc.string({ maxLength: 5 }),
    ),
    {
      maxLength: 5,
    },
  )
  .map((parts) => JSON.stringify(parts.join("")));
const space = fc.constantFrom("", "", " ", "\n\t");
const { document } = fc.letrec<{ document: string }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    numberToken,
    awkwardString,
    fc.constantFrom("true", "null"),
    fc
      .tuple(space, fc.array(tie("document"), { maxLength: 4 }))
      .map(([gap, items]) => `[${gap}${items.join(`${gap},${gap}`)}${gap}]`),
    fc
      .tuple(space, fc.array(fc.tuple(awkwardString, tie("document")), { maxLength: 4 }))
      .map(
        ([gap, items]) =>
          `{${items.map(([key, value]) => `${gap}${key}${gap}:${gap}${value}${gap}`).join(",")}}`,
      ),
  ),
}));

describe("numbers that JSON.parse would change", () => {
  test.each([
    ['{"v":1234567890123456}', "1234567890123456", 5],
    ['{"v":0.1234567890123456}', "0.1234567890123456", 5],
    ["-1234567890.123456", "-1234567890.123456", 0],
    ["[1,1e400]", "1e400", 3],
    ["[1E+100]", "1E+100", 1],
    ["1e-324", "1e-324", 0],
    ["12345678901234567", "12345678901234567", 0],
    [`[0.${"0".repeat(330)}1]`, `0.${"0".repeat(330)}1`, 1],
    [`1${"0".repeat(400)}`, `1${"0".repeat(400)}`, 0],
    ['["12345678901234567", 12345678901234567]', "12345678901234567", 22],
    ['{"a\\"":1,\n"b": 12345678901234567}', "12345678901234567", 15],
  ])("%s", (text, token, offset) => {
    expect(findUnsafeNumber(text)).toEqual({ token, offset });
  });

  test.each([
    '{"v":123456789012345}',
    '{"v":"1234567890123456789"}',
    '{"v":0.000000000000000000001}',
    '{"v":1000000000000000000}',
    '{"v":1e99}',
    '{"v":1e-99}',
    '{"v":1e007}',
    '{"id":"4e123456-e123-4567-8e99-123456789012"}',
    '{"v":"\\\\","w":"\\" : 12345678901234567"}',
    "",
    "[]",
  ])("%s has none", (text) => {
    expect(findUnsafeNumber(text)).toBeUndefined();
  });

  test("the fast scan finds what a slow one finds", () => {
    let unsafe = 0;
    fc.assert(
      fc.property(document, (text) => {
        const found = findUnsafeNumber(text);
        if (found !== undefined) unsafe += 1;
        expect(found).toEqual(findSlowly(text));
      }),
      { numRuns: 3000 },
    );
    expect(unsafe).toBeGreaterThan(100);
  });

  test("a number it lets pass survives JSON.parse exactly", () => {
    fc.assert(
      fc.property(numberToken, (token) => {
        if (findUnsafeNumber(token) !== undefined) return;
        const parsed: unknown = JSON.parse(token);
        const exact = Decimal.parse(token);
        expect(exact).toBeDefined();
        expect(Decimal.of(String(parsed)).equals(exact!)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test("16 MiB of escapes before the number are no trouble", () => {
    const text = `["${"\\n".repeat(8_000_000)}", 12345678901234567]`;
    expect(findUnsafeNumber(text)?.token).toBe("12345678901234567");
  });
});

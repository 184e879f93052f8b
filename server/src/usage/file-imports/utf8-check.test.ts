import { expect, test } from "vitest";
import { Utf8Check } from "./utf8-check.js";

/** Whether bytes that come in pieces of a length pass. */
function passes(bytes: Buffer, length: number): boolean {
  const check = new Utf8Check();
  for (let at = 0; at < bytes.length; at += length)
    if (!check.push(bytes.subarray(at, at + length))) return false;
  return check.complete;
}

test("text passes, however it is cut", () => {
  const text = Buffer.from("a,é,€,🌊,\u{10ffff}\n".repeat(3));
  for (let length = 1; length <= text.length; length += 1) expect(passes(text, length)).toBe(true);
});

test.each([
  ["a lone continuation", [0x61, 0x80, 0x61]],
  ["a character that is cut off by another", [0xe2, 0x82, 0x61]],
  ["one that is cut off by the end", [0x61, 0xf0, 0x9f, 0x8c]],
  ["an overlong one", [0xc0, 0xaf]],
  ["half of a surrogate pair", [0xed, 0xa0, 0x80]],
  ["a byte of no character", [0xff]],
])("%s does not, however it is cut", (_what, bytes) => {
  for (let length = 1; length <= bytes.length; length += 1)
    expect(passes(Buffer.from(bytes), length)).toBe(false);
});

import { describe, expect, test } from "vitest";
import { decodeCp500, encodeCp500 } from "./cp500.js";

describe("code page 500", () => {
  test("has digits, letters and space where IBM put them", () => {
    expect(decodeCp500(Buffer.from("f0f1f9c1c9d1d9e2e981a95c6040", "hex"))).toBe("019AIJRSZaz*- ");
  });

  test("gives every byte a character of its own, and takes it back", () => {
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const text = decodeCp500(all);
    expect(new Set(text).size).toBe(256);
    expect([...encodeCp500(text)]).toEqual([...all]);
  });
});

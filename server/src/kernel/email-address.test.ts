import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { displayNameOf, isDisplayName, parseEmailAddress, parseMailbox } from "./email-address.js";

describe("an address", () => {
  test.each([
    ["billing@acme.example", "billing@acme.example"],
    ["a.b+c_d@sub.Acme.Example", "a.b+c_d@sub.acme.example"],
    ["o'neil@acme.example", "o'neil@acme.example"],
    ["root@localhost", "root@localhost"],
    ["post@müller.example", "post@xn--mller-kva.example"],
  ])("%s", (text, expected) => expect(parseEmailAddress(text)).toBe(expected));

  test.each([
    "",
    "acme.example",
    "@acme.example",
    "a@",
    "a b@acme.example",
    "a@acme.example, b@acme.example",
    "<a@acme.example>",
    '"a"@acme.example',
    ".a@acme.example",
    "a..b@acme.example",
    "a@acme..example",
    "a@-acme.example",
    "a@[127.0.0.1]",
    "a@acme.example\r\nBcc: b@acme.example",
    "a\n@acme.example",
    "ä@acme.example",
    `${"a".repeat(65)}@acme.example`,
    `a@${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(63)}.${"e".repeat(63)}`,
  ])("%j is none", (text) => expect(parseEmailAddress(text)).toBeUndefined());

  test("of whatever text, holds nothing that could end a header or begin another address", () => {
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.string().map((text) => `a@${text}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const address = parseEmailAddress(text);
        if (address !== undefined) expect(address).toMatch(/^[\x21-\x7e]+$/);
        if (address !== undefined) expect(address).not.toMatch(/[\s,;<>()[\]\\"]/);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("a mailbox may have a name", () => {
  expect(parseMailbox("Acme, Inc. <billing@acme.example>")).toEqual({
    name: "Acme, Inc.",
    address: "billing@acme.example",
  });
  expect(parseMailbox('"Acme" <billing@acme.example>')?.name).toBe("Acme");
  expect(parseMailbox(" billing@acme.example ")).toEqual({
    name: undefined,
    address: "billing@acme.example",
  });
  expect(parseMailbox("Acme\r\nBcc: x <billing@acme.example>")).toBeUndefined();
  expect(parseMailbox("a@b.example <billing@acme.example> <c@d.example>")).toEqual({
    name: "a@b.example <billing@acme.example>",
    address: "c@d.example",
  });
});

test("a customer's name is cut and cleaned into one", () => {
  expect(displayNameOf("Acme\r\nBcc: b@acme.example")).toBe("Acme Bcc: b@acme.example");
  expect(displayNameOf("\u0000")).toBeUndefined();
  expect(isDisplayName(displayNameOf("😀".repeat(500)) ?? "")).toBe(true);
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
      const name = displayNameOf(text);
      if (name !== undefined) expect(isDisplayName(name)).toBe(true);
    }),
  );
});

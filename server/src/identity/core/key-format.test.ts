import fc from "fast-check";
import { expect, test } from "vitest";
import { idFromUuidBytes } from "../../kernel/ids.js";
import { decodeBase58, encodeBase58 } from "./base58.js";
import { parseBearer } from "./bearer.js";
import { formatKey, parseKey } from "./key-format.js";

const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 });
const kinds = fc.constantFrom("ingest" as const, "secret" as const, "read" as const);

test("a key tells its kind and its organization", () => {
  fc.assert(
    fc.property(kinds, bytes16, bytes16, (kind, uuid, random) => {
      const organization = idFromUuidBytes("org", uuid);
      const key = formatKey(kind, organization, random);
      expect(key).toMatch(/^weir_(ingest|secret|read)_[1-9A-Za-z]{32,44}_[0-9a-f]{8}$/);
      expect(parseKey(key)).toEqual({ kind, organization });
    }),
  );
});

test("a key with one character changed, left out or added is none", () => {
  fc.assert(
    fc.property(
      kinds,
      bytes16,
      bytes16,
      fc.nat(),
      fc.constantFrom("a", "Z", "7"),
      (kind, uuid, random, at, other) => {
        const key = formatKey(kind, idFromUuidBytes("org", uuid), random);
        const index = at % key.length;
        fc.pre(key[index] !== other);
        expect(parseKey(key.slice(0, index) + other + key.slice(index + 1))).toBeUndefined();
        expect(parseKey(key.slice(0, index) + key.slice(index + 1))).toBeUndefined();
        expect(parseKey(`${key}a`)).toBeUndefined();
      },
    ),
  );
});

test("the known key of a known organization, so that the format never changes by accident", () => {
  const organization = idFromUuidBytes("org", new Uint8Array(16).fill(1));
  expect(formatKey("secret", organization, new Uint8Array(16).fill(2))).toMatchInlineSnapshot(
    `"weir_secret_4vJ9JU1bJJE96FWSJKvHsmtSBxQfvrrDidoR6cQcM69_cdb9ffa3"`,
  );
});

test("base58 keeps leading zeros, and gives back what it took", () => {
  expect(encodeBase58(new Uint8Array([0, 0, 1]))).toBe("112");
  expect(encodeBase58(Buffer.from("Hello World!"))).toBe("2NEpo7TZRRrLZSi2U");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(decodeBase58(encodeBase58(bytes), bytes.length)).toEqual(bytes);
    }),
  );
  expect(decodeBase58("0OIl", 3)).toBeUndefined();
  expect(decodeBase58("2NEpo7TZRRrLZSi2U", 11)).toBeUndefined();
});

test("a bearer token is read whatever the scheme's case, and nothing else is taken for one", () => {
  expect(parseBearer("Bearer weir_read_x")).toBe("weir_read_x");
  expect(parseBearer("bearer  weir_read_x ")).toBe("weir_read_x");
  for (const other of [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Bearer short",
    "Basic d2VpcjpyZWFk",
    "weir_read_xxxx",
    `Bearer ${"x".repeat(600)}`,
  ]) {
    expect(parseBearer(other)).toBeUndefined();
  }
});

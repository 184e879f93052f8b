import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSecrets } from "./create-secrets.js";
import { SealBroken } from "./errors.js";
import { MasterKey } from "./master-key.js";
import { chunk_bytes } from "./sealed-stream.js";

const keyOf = (fill: number) => new MasterKey(Buffer.alloc(32, fill));
const [a, b] = [keyOf(1), keyOf(2)];
const secrets = createSecrets([a]);
const context = "provider_accounts:org_1:pac_1";

describe("a sealed item", () => {
  test("opens in its context, as bytes or text, and is never the same twice", () => {
    const sealed = secrets.seal("sk_live_é", context);
    expect(secrets.openText(sealed, context)).toBe("sk_live_é");
    expect(secrets.open(secrets.seal(new Uint8Array([0, 255]), context), context)).toEqual(Buffer.of(0, 255));
    expect(secrets.open(secrets.seal("", context), context)).toHaveLength(0);
    expect(secrets.seal("sk_live_é", context)).not.toEqual(sealed);
    expect(Buffer.from(sealed).includes("sk_live")).toBe(false);
  });

  test.each([
    "provider_accounts:org_2:pac_1",
    "provider_accounts:org_1:pac_2",
    "provider_accounts",
    "webhooks:org_1:pac_1",
  ])("does not open in the context %s", (other) => {
    expect(() => secrets.open(secrets.seal("s", context), other)).toThrow(SealBroken);
  });

  test("with any bit changed, or cut, does not open", () => {
    const sealed = Buffer.from(secrets.seal("secret", context));
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => secrets.open(changed, context), `bit ${bit}`).toThrow(SealBroken);
    }
    for (let length = 0; length < sealed.length; length += 1)
      expect(() => secrets.open(sealed.subarray(0, length), context), `${length} bytes`).toThrow(SealBroken);
  });

  test("without a context is a mistake of the program's", () => {
    expect(() => secrets.seal("s", "")).toThrow(RangeError);
    expect(() => secrets.seal("s", ":org_1")).toThrow(RangeError);
  });

  test("opens after another master key has come first; the old one's are told apart, and need it", () => {
    const old = secrets.seal("old", context);
    const rotated = createSecrets([b, a], { hashing: a });
    expect(rotated.openText(old, context)).toBe("old");
    expect(rotated.isCurrent(old)).toBe(false);
    const fresh = rotated.seal(rotated.open(old, context), context);
    expect(rotated.isCurrent(fresh)).toBe(true);
    expect(createSecrets([b]).openText(fresh, context)).toBe("old");
    expect(() => createSecrets([b]).open(old, context)).toThrow(a.idText);
  });
});

describe("a keyed hash", () => {
  test("is the same for the same text and purpose, and another for another text, purpose or key", () => {
    const hash = secrets.keyedHash("4242424242424242", "card");
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(secrets.keyedHash("4242424242424242", "card")).toBe(hash);
    expect(secrets.keyedHash("4242424242424243", "card")).not.toBe(hash);
    expect(secrets.keyedHash("4242424242424242", "iban")).not.toBe(hash);
    expect(createSecrets([b]).keyedHash("4242424242424242", "card")).not.toBe(hash);
  });

  test("stays when another master key seals", () => {
    expect(createSecrets([b, a], { hashing: a }).keyedHash("x", "card")).toBe(secrets.keyedHash("x", "card"));
  });
});

describe("a sealed file", () => {
  const seal = (plain: Buffer, of = secrets) =>
    buffer(Readable.from([plain]).pipe(of.sealingStream(context)));
  const open = async (parts: Iterable<Buffer>, where = context, of = secrets) => {
    const opening = of.openingStream(where);
    const [plain] = await Promise.all([buffer(opening), pipeline(Readable.from(parts), opening)]);
    return plain;
  };
  const bytesOf = (length: number) =>
    Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 255));
  /** The file's head, then each chunk with its tag. */
  const partsOf = (sealed: Buffer) => {
    const parts = [sealed.subarray(0, 25)];
    for (let at = 25; at < sealed.length; at += chunk_bytes + 16)
      parts.push(sealed.subarray(at, at + chunk_bytes + 16));
    return parts;
  };

  test.each([0, 1, chunk_bytes - 1, chunk_bytes, chunk_bytes + 1, 3 * chunk_bytes, 3 * chunk_bytes + 7])(
    "of %i bytes comes back",
    async (length) => {
      const plain = bytesOf(length);
      const sealed = await seal(plain);
      expect(sealed).toHaveLength(25 + length + 16 * Math.max(1, Math.ceil(length / chunk_bytes)));
      expect((await open([sealed])).equals(plain)).toBe(true);
    },
  );

  test("comes back however it is cut on its way", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 200_000 }),
        fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 8 }),
        async (length, cuts) => {
          const plain = bytesOf(length);
          const sealed = await seal(plain);
          const parts: Buffer[] = [];
          for (let at = 0, n = 0; at < sealed.length; n += 1) {
            const size = cuts[n % cuts.length]!;
            parts.push(sealed.subarray(at, at + size));
            at += size;
          }
          expect((await open(parts)).equals(plain)).toBe(true);
        },
      ),
      { numRuns: 30 },
    ));

  test("that is cut, reordered, repeated, changed, lengthened or another's is found out", async () => {
    const sealed = await seal(bytesOf(3 * chunk_bytes));
    const [head, one, two, three] = partsOf(sealed) as [Buffer, Buffer, Buffer, Buffer];
    const other = partsOf(await seal(bytesOf(3 * chunk_bytes))) as [Buffer, Buffer, Buffer, Buffer];
    const flipped = Buffer.from(two);
    flipped[100]! ^= 1;
    const broken: Record<string, Buffer[]> = {
      empty: [],
      "cut in its head": [head.subarray(0, 20)],
      "cut behind its head": [head],
      "cut at a chunk's end": [head, one, two],
      "cut within a chunk": [head, one, two, three.subarray(0, 100)],
      "cut within a tag": [head, one, two, three.subarray(0, -1)],
      reordered: [head, two, one, three],
      "one left out": [head, two, three],
      repeated: [head, one, one, two, three],
      changed: [head, one, flipped, three],
      "with more behind it": [head, one, two, three, Buffer.of(0)],
      "the same twice": [head, one, two, three, head, one, two, three],
      "with a chunk of another file": [head, one, other[2], three],
      "not sealed": [Buffer.alloc(200, 7)],
    };
    for (const [name, parts] of Object.entries(broken))
      await expect(open(parts), name).rejects.toThrow(SealBroken);
    await expect(open([sealed], "settlement_files:org_1:sef_2")).rejects.toThrow(SealBroken);
    await expect(open([sealed], context, createSecrets([b]))).rejects.toThrow(a.idText);
    expect(await open([sealed], context, createSecrets([b, a]))).toHaveLength(3 * chunk_bytes);
  });

  test("passes in bounded memory: a reader that does not read holds the writer back", async () => {
    const sealing = secrets.sealingStream(context);
    let written = 0;
    while (sealing.write(bytesOf(1000)) && written < 10_000) written += 1;
    expect(written).toBeLessThan(1_000);
    sealing.destroy();
  });
});

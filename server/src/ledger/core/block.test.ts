import fc from "fast-check";
import { expect, test } from "vitest";
import { block_postings_max, compareDigests, cutBlocks, type Unsealed } from "./index.js";

const unsealed = (count: number, postedAt: (index: number) => number): Unsealed[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `pst_${String(index).padStart(6, "0")}`,
    xact: BigInt(index),
    postedAt: postedAt(index),
  }));

test("blocks are cut by time, each full but the last, which waits unless all are wanted", () => {
  const postings = unsealed(block_postings_max * 2 + 1, (index) => (index * 7919) % 10_007);
  const some = cutBlocks(postings, { all: false });
  expect(some.blocks.map((block) => block.length)).toEqual([block_postings_max, block_postings_max]);
  expect(some.rest).toHaveLength(1);
  const all = cutBlocks(postings, { all: true });
  expect(all.blocks.map((block) => block.length)).toEqual([block_postings_max, block_postings_max, 1]);
  expect(all.rest).toEqual([]);
  const times = all.blocks.flat().map(({ postedAt }) => postedAt);
  expect(times).toEqual(times.toSorted((one, other) => one - other));
});

test("no posting is left out or taken twice", () => {
  fc.assert(
    fc.property(fc.nat(9000), fc.boolean(), (count, all) => {
      const { blocks, rest } = cutBlocks(
        unsealed(count, (index) => index % 13),
        { all },
      );
      expect(new Set([...blocks.flat(), ...rest].map(({ id }) => id)).size).toBe(count);
      expect(blocks.flat().length + rest.length).toBe(count);
    }),
    { numRuns: 20 },
  );
});

const part = (digit: string) => digit.repeat(64);
const place = { block: 3, position: 7, posting: "pst_1" };

test("what differs is named by the part of the digest that does", () => {
  const sealed = part("a") + part("b") + part("c");
  expect(compareDigests(place, sealed, sealed)).toBeUndefined();
  expect(compareDigests(place, sealed, undefined)).toMatchObject({ kind: "posting", position: 7 });
  expect(compareDigests(place, sealed, part("0") + part("b") + part("c"))).toMatchObject({ kind: "posting" });
  expect(compareDigests(place, sealed, part("a") + part("b") + part("0"))).toMatchObject({
    kind: "transfer",
    position: 1,
  });
  expect(compareDigests(place, sealed, part("a") + part("b"))).toMatchObject({
    kind: "transfer",
    position: 1,
  });
  expect(compareDigests(place, sealed, sealed + part("d"))).toMatchObject({ kind: "transfer", position: 2 });
});

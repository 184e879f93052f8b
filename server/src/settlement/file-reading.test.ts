import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  balance_columns,
  randomStripeRows,
  stripeReport,
  type StripeRow,
} from "../../test/support/settlement/stripe-report.js";
import type { SettlementRecord } from "./core/index.js";
import { FileReading } from "./file-reading.js";

const open = (chunks: Iterable<Uint8Array>, askedFormat?: string) =>
  new FileReading({ name: "report.csv", askedFormat, content: Readable.from(chunks, { objectMode: true }) });

function* cut(file: Uint8Array, size: number): Generator<Buffer> {
  for (let at = 0; at < file.length; at += size) yield Buffer.from(file.subarray(at, at + size));
}

async function readAll(reading: FileReading, pieces_of: number) {
  const records: SettlementRecord[] = [];
  for (;;) {
    const piece = await reading.next(pieces_of);
    records.push(...piece.records);
    expect(reading.given).toBeGreaterThanOrEqual(records.length);
    if (piece.summary !== undefined) return { records, summary: piece.summary };
  }
}

const file = Buffer.concat([...stripeReport(balance_columns, randomStripeRows(7, 700))]);

test("however a file is cut into chunks and pieces, and wherever reading goes on, it gives the same records", async () => {
  const whole = await readAll(open(cut(file, file.length)), 10_000);
  expect(whole.records).toHaveLength(700);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1_000, max: 40_000 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 0, max: 700 }),
      async (chunk, pieces_of, skipped) => {
        const reading = open(cut(file, chunk));
        await reading.skip(skipped);
        expect(reading.given).toBe(skipped);
        const rest = await readAll(reading, pieces_of);
        expect(rest.records).toEqual(whole.records.slice(skipped));
        expect(rest.summary).toEqual(whole.summary);
        reading.close();
      },
    ),
    { numRuns: 30 },
  );
});

test("a large file is never held: what is read ahead of what was given stays within two pieces", async () => {
  let made = 0;
  function* rows(): Generator<StripeRow> {
    for (const row of randomStripeRows(11, 60_000)) {
      made += 1;
      yield row;
    }
  }
  const reading = open(stripeReport(balance_columns, rows()));
  const pieces_of = 1_000;
  const seen = createHash("sha256");
  for (let records = 0; ; ) {
    const piece = await reading.next(pieces_of);
    for (const { key } of piece.records) seen.update(key);
    records += piece.records.length;
    // A chunk of the file, and what Node's streams hold, are some thousand rows.
    expect(made - records).toBeLessThan(2 * pieces_of + 8_000);
    if (piece.summary !== undefined) {
      expect(records).toBe(60_000);
      break;
    }
  }
});

test("a file that is refused half-way gives what came before, then the refusal, and keeps refusing", async () => {
  const broken = Buffer.concat([file, Buffer.from('txn_x,"never closed\n')]);
  const reading = open(cut(broken, 16_384));
  const given: number[] = [];
  const read = async () => {
    for (let turn = 0; turn < 10; turn += 1) given.push((await reading.next(200)).records.length);
  };
  await expect(read()).rejects.toMatchObject({ name: "FileRefused" });
  expect(given.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(700);
});

test("the format that a person names goes before what the content looks like; a wrong one is refused by its reader", async () => {
  const ambiguous = await open(cut(file, 1_000), "stripe-balance-change").next(1);
  expect(ambiguous.records).toHaveLength(1);
  await expect(open(cut(file, 1_000), "camt.053").next(1)).rejects.toMatchObject({ name: "FileRefused" });
  await expect(open([]).next(1)).rejects.toThrow(/empty/);
});

test("a file that has become shorter than what was staged of it is a defect, not an end", async () => {
  await expect(open(cut(file, 1_000)).skip(701)).rejects.toThrow(/700 records now/);
});

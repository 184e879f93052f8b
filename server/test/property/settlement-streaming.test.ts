import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { findFormat, type FormatName } from "../../src/settlement/core/index.js";
import { adyen_columns_of_2025, adyenReport, randomAdyenRows } from "../support/settlement/adyen-report.js";
import { base2File, randomDrafts } from "../support/settlement/base2-file.js";
import { camtFile, randomStatement, type CamtTransaction } from "../support/settlement/camt-file.js";
import { ipmFile, randomPresentments } from "../support/settlement/ipm-file.js";
import { payout_columns, randomStripeRows, stripeReport } from "../support/settlement/stripe-report.js";

const rows = 60_000;
/** Records that were kept would need 2 KB each, more than 100 MiB; what a parser keeps does not grow with the file. */
const retained_bytes_max = 8 * 1024 * 1024;
const chunks_between_measures = 40;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function retainedBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

function* batch(count: number): Generator<CamtTransaction> {
  for (let index = 0; index < count; index += 1) yield { amount: 100n, endToEnd: `e${index}` };
}

const files: Readonly<Record<string, [FormatName, () => Iterable<Uint8Array>]>> = {
  "camt.053": ["camt.053", () => camtFile({ statements: [randomStatement(1, rows)] })],
  "stripe-payout-reconciliation": [
    "stripe-payout-reconciliation",
    () => stripeReport(payout_columns, randomStripeRows(1, rows)),
  ],
  "mastercard-ipm": [
    "mastercard-ipm",
    () => ipmFile({ messages: randomPresentments(1, rows), blocked: true, encoding: "EBCDIC" }),
  ],
  "adyen-settlement-details": [
    "adyen-settlement-details",
    () => adyenReport(randomAdyenRows(1, rows), adyen_columns_of_2025),
  ],
  "visa-base2": ["visa-base2", () => base2File({ transactions: randomDrafts(1, rows), batchOf: 1_000 })],
};

test.each(Object.values(files))(`a file of ${rows} rows of %s streams in bounded memory`, (name, chunks) => {
  const parser = findFormat(name)!.open();
  const began = retainedBytes();
  let records = 0;
  let peak = 0;
  let turn = 0;
  for (const chunk of chunks()) {
    records += parser.push(chunk).length;
    turn += 1;
    if (turn % chunks_between_measures === 0) peak = Math.max(peak, retainedBytes() - began);
  }
  const { records: last, summary } = parser.end();
  records += last.length;
  expect(records).toBeGreaterThanOrEqual(rows);
  expect(summary.records).toBe(records);
  expect(summary.checks.every(({ ok }) => ok)).toBe(true);
  expect(turn).toBeGreaterThan(3 * chunks_between_measures);
  expect(peak).toBeLessThan(retained_bytes_max);
});

test("so does one entry of many transactions", () => {
  const count = 20_000;
  const transactions = [...batch(count)];
  const file = camtFile({
    statements: [
      {
        id: "S",
        account: "NL91ABNA0417164300",
        currency: "EUR",
        entries: () => [{ amount: BigInt(count) * 100n, credit: true, reference: "B", transactions }],
      },
    ],
  });
  const parser = findFormat("camt.053")!.open();
  let most = 0;
  let records = 0;
  for (const whole of file) {
    for (let at = 0; at < whole.length; at += 64 * 1024) {
      const given = parser.push(whole.subarray(at, at + 64 * 1024)).length;
      most = Math.max(most, given);
      records += given;
    }
  }
  const { summary } = parser.end();
  expect(records).toBe(count);
  expect(most).toBeLessThan(2_000);
  expect(summary.checks.every(({ ok }) => ok)).toBe(true);
});

import { describe, expect, test } from "vitest";
import { base2Draft, base2File, type Base2File } from "../../../../../test/support/settlement/base2-file.js";
import { refusalOf } from "../../../../../test/support/settlement/parse-file.js";
import { text } from "../../../../../test/support/settlement/read-base2.js";
import { visaBase2 } from "./index.js";

describe("a file is refused, with record and columns,", () => {
  const good = [base2Draft(), base2Draft(), base2Draft()];
  const cases: [string, Base2File, { record?: number; field: string }, RegExp][] = [
    [
      "without a trailer",
      { transactions: good, wrong: { trailer: "missing" } },
      { field: "92" },
      /ends without its trailer/,
    ],
    [
      "without a batch trailer",
      { transactions: good, wrong: { batchTrailer: "missing" } },
      { record: 11, field: "columns 1-2 (transaction code)" },
      /3 transactions stand in no batch/,
    ],
    [
      "whose batch counts too few",
      { transactions: good, wrong: { batchTrailer: { monetary: 2n } } },
      { record: 11, field: "columns 31-42 (number of monetary transactions)" },
      /says 2, the batch 000001 CB01 comes to 3/,
    ],
    [
      "whose batch has other records",
      { transactions: good, wrong: { batchTrailer: { records: 8n } } },
      { record: 11, field: "columns 49-60 (number of TCRs)" },
      /says 8/,
    ],
    [
      "whose batch adds up wrong",
      { transactions: good, wrong: { batchTrailer: { sourceAmount: 1n } } },
      { record: 11, field: "columns 102-116 (source amount)" },
      /says 1, .* 37035/,
    ],
    [
      "whose file adds up wrong",
      { transactions: good, wrong: { trailer: { destinationAmount: 1n } } },
      { record: 12, field: "columns 16-30 (destination amount)" },
      /says 1, the file comes to 37035/,
    ],
    [
      "whose file counts other batches",
      { transactions: good, wrong: { trailer: { batches: 2n } } },
      { record: 12, field: "columns 43-48 (batch number)" },
      /says 2, the file comes to 1/,
    ],
    [
      "whose file counts other transactions",
      { transactions: good, wrong: { trailer: { transactions: 9n } } },
      { record: 12, field: "columns 75-83 (number of transactions)" },
      /says 9/,
    ],
    [
      "with a reference that is no ARN",
      { transactions: [base2Draft({ arn: "2.4000006232E+22" })] },
      { record: 2, field: "columns 27-49 (acquirer reference number)" },
      /not 23 digits/,
    ],
    [
      "with a currency that is none",
      { transactions: [base2Draft({ sourceCurrency: "999", destinationCurrency: "840" })] },
      { record: 2, field: "columns 89-91 (source currency)" },
      /"999"/,
    ],
    [
      "with a date that is none",
      { transactions: [base2Draft({ purchaseDate: "0230" + "" })] },
      { record: 2, field: "columns 58-61 (purchase date)" },
      /no month and day/,
    ],
    [
      "with a processing date that is none",
      { transactions: [base2Draft({ processingDate: "6999" })] },
      { record: 2, field: "columns 164-167 (central processing date)" },
      /no year's last digit/,
    ],
    [
      "with an account that is none",
      { transactions: [base2Draft({ account: "4111-1111" })] },
      { record: 2, field: "columns 5-20 (account number)" },
      /no account number/,
    ],
  ];
  test.each(cases)("%s", (_, file, where, detail) => {
    for (const separator of ["\n", ""] as const) {
      const refusal = refusalOf(visaBase2, base2File({ ...file, separator }));
      expect(refusal).toMatchObject(where);
      expect(refusal.line).toBe(separator === "" ? undefined : where.record);
      expect(refusal.detail).toMatch(detail);
      expect(refusal.advice.length).toBeGreaterThan(10);
    }
  });

  const lines = text(good).split("\n");
  const changed = (line: number, change: (record: string) => string) =>
    lines.map((each, index) => (index === line - 1 ? change(each) : each)).join("\n");

  test.each([
    [
      "a record that is too short",
      changed(4, (record) => record.slice(0, 160)),
      4,
      /160 characters, 168 are due/,
    ],
    ["a record that is too long", changed(4, (record) => `${record}  `), 4, /more than 168 characters/],
    [
      "a first record that is too long",
      changed(1, (record) => `${record}  `),
      1,
      /more than 168|170 characters/,
    ],
    ["a file cut within a record", lines.join("\n").slice(0, 700), 5, /24 of 168 characters/],
    [
      "an amount that is no number",
      changed(2, (record) => `${record.slice(0, 80)}X${record.slice(81)}`),
      2,
      /digits/,
    ],
    ["a code that is no number", changed(2, (record) => `X5${record.slice(2)}`), 2, /two digits/],
    ["a component without its first", lines.toSpliced(1, 1).join("\n"), 2, /TCR 1 of 05 follows no TCR 0/],
    ["a component that comes twice", lines.toSpliced(2, 0, lines[2]!).join("\n"), 4, /two TCR 1/],
    [
      "a transaction after the file's trailer",
      `${lines.join("\n")}${lines.slice(1, 4).join("\n")}\n`,
      13,
      /follows the file's trailer/,
    ],
    [
      "bytes that are no text",
      changed(2, (record) => `${record.slice(0, 100)}\u0001${record.slice(101)}`),
      2,
      /x'01'/,
    ],
  ])("%s", (_, file, record, detail) => {
    const refusal = refusalOf(visaBase2, Buffer.from(file, "latin1"));
    expect(refusal).toMatchObject({ record });
    expect(refusal.detail).toMatch(detail);
  });

  test("an empty file", () => {
    expect(refusalOf(visaBase2, "").detail).toMatch(/no records/);
  });
});

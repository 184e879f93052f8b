import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  base2_processor,
  base2Draft,
  base2Fee,
  base2File,
  base2Settlement,
  randomDrafts,
  type Base2File,
  type Base2Spec,
  type DraftSpec,
} from "../../../../../test/support/settlement/base2-file.js";
import { cutInto, wholeFile } from "../../../../../test/support/settlement/file-chunks.js";
import { outcomeOf, parseFile, refusalOf } from "../../../../../test/support/settlement/parse-file.js";
import { formatInstant, parseInstant } from "../../../../kernel/instant.js";
import { formatDate } from "../../../../kernel/local-date.js";
import { formatMoney } from "../../../../kernel/money.js";
import { detectFormat } from "../../index.js";
import { readMmdd, readYddd } from "./base2-dates.js";
import { visaBase2 } from "./index.js";

const asFile = (file: Base2File | readonly Base2Spec[]) =>
  base2File("transactions" in file ? file : { transactions: file });
const read = (file: Base2File | readonly Base2Spec[]) => parseFile(visaBase2, asFile(file));
const one = (draft: DraftSpec = {}) => read([base2Draft(draft)]).records[0]!;
const text = (file: Base2File | readonly Base2Spec[]) =>
  Buffer.from(wholeFile(asFile(file))).toString("latin1");

describe("a transaction", () => {
  test("of a sale: amount, references, dates, and the card", () => {
    const record = one();
    expect(record).toMatchObject({
      position: { record: 2, line: 2 },
      kind: "charge",
      account: base2_processor,
      references: {
        arn: "24000006232000123456789",
        provider: "306233000000001",
        payment: "306233000000001",
        batch: "400001-26233-001",
      },
      card: { last4: "1111", number: "4111111111111111" },
    });
    expect(formatMoney(record.gross)).toBe("123.45 USD");
    expect(record.settled).toBeUndefined();
    expect(formatInstant(record.at)).toBe("2026-08-20T00:00:00Z");
    expect(formatDate(record.valueDate!)).toBe("2026-08-21");
    expect(record.original).toMatchObject({
      "transaction code": "05",
      "account number": "****1111",
      "source amount": "000000012345",
      "card acceptor id": "MERCHANT0000001",
      "transaction identifier": "306233000000001",
    });
    expect(JSON.stringify(record.original)).not.toContain("4111111111111111");
  });

  test.each([
    ["05", "1", "charge", "123.45 USD", undefined],
    ["06", "1", "refund", "-123.45 USD", undefined],
    ["07", "1", "charge", "123.45 USD", undefined],
    ["05", "2", "chargeback_reversal", "123.45 USD", undefined],
    ["05", "9", "chargeback_reversal", "123.45 USD", undefined],
    ["15", "1", "chargeback", "-123.45 USD", undefined],
    ["16", "1", "chargeback", "123.45 USD", undefined],
    ["17", "1", "chargeback", "-123.45 USD", undefined],
    ["25", "1", "charge", "-123.45 USD", true],
    ["26", "1", "refund", "123.45 USD", true],
    ["27", "1", "charge", "-123.45 USD", true],
    ["35", "1", "chargeback_reversal", "123.45 USD", undefined],
    ["36", "1", "chargeback_reversal", "-123.45 USD", undefined],
    ["37", "1", "chargeback_reversal", "123.45 USD", undefined],
  ])("%s with usage %s is a %s of %s", (code, usage, kind, amount, reversal) => {
    const record = one({ code, usage });
    expect([record.kind, formatMoney(record.gross), record.reversal]).toEqual([kind, amount, reversal]);
  });

  test("in a currency without minor units, settled in another", () => {
    const record = one({
      source: 500n,
      sourceCurrency: "392",
      destination: 333n,
      destinationCurrency: "840",
    });
    expect([record.gross, record.settled!].map(formatMoney)).toEqual(["500 JPY", "3.33 USD"]);
  });

  test("on its way to Visa has no destination and no processing date yet", () => {
    const record = one({ destination: 0n, destinationCurrency: "000", processingDate: "0000" });
    expect(record.settled).toBeUndefined();
    expect(record.valueDate).toBeUndefined();
    expect(formatInstant(record.at)).toBe("2026-08-20T00:00:00Z");
  });

  test("of a card number of 19 digits", () => {
    expect(one({ extension: "234" }).card).toEqual({ last4: "1234", number: "4111111111111111234" });
    expect(one({ account: "411111******1111" }).card).toEqual({ last4: "1111" });
  });

  test("has a key of its own for every step, and the same in another file", () => {
    const keys = [
      one(),
      one({ code: "15", reason: "10" }),
      one({ code: "15", reason: "13" }),
      one({ code: "05", usage: "2" }),
      one({ code: "25" }),
    ].map(({ key }) => key);
    expect(new Set(keys).size).toBe(5);
    expect(read({ transactions: [base2Draft()], control: "none" }).records[0]!.key).toBe(keys[0]);
  });

  test("of fees: what is collected from us costs, what is disbursed to us does not", () => {
    const amounts = read([
      base2Fee("10", 250n),
      base2Fee("20", 300n),
      base2Fee("10", 50n, { source: base2_processor }),
    ]).records;
    expect(amounts.map(({ kind, gross }) => [kind, formatMoney(gross)])).toEqual([
      ["fee", "-2.50 USD"],
      ["fee", "3.00 USD"],
      ["fee", "0.50 USD"],
    ]);
    expect(formatInstant(amounts[0]!.at)).toBe("2026-08-19T00:00:00Z");
  });

  test("has no card number in its text or key", () => {
    const [record] = read([base2Fee("10", 250n, { text: "RE 4111111111111111 FEE" })]).records;
    expect(record!.references.text).toBe("RE ****1111 FEE");
    const { card: _, ...rest } = record!;
    expect(
      JSON.stringify(rest, (_key, value: unknown) => (typeof value === "bigint" ? `${value}` : value)),
    ).not.toContain("4111111111111111");
  });

  test("of settlement: the net of a day is a payout, its parts are not", () => {
    const { records, summary } = read([
      base2Settlement(10_000n),
      base2Settlement(-2_500n, { currency: "978" }),
      base2Settlement(12_000n, { amountType: "I" }),
      base2Settlement(-2_000n, { businessMode: "1" }),
    ]);
    expect(
      records.map(({ kind, gross, at, valueDate }) => [
        kind,
        formatMoney(gross),
        formatInstant(at),
        formatDate(valueDate!),
      ]),
    ).toEqual([
      ["payout", "-100.00 USD", "2026-08-22T00:00:00Z", "2026-08-24"],
      ["payout", "25.00 EUR", "2026-08-22T00:00:00Z", "2026-08-24"],
    ]);
    expect(summary.leftOut).toMatchObject({ "transaction 46": 2 });
  });
});

describe("dates without their year", () => {
  const asOf = (date: string) =>
    Math.floor(parseInstant(`${date}T00:00:00Z`)! / 86_400_000_000) as Parameters<typeof readMmdd>[1];
  test.each([
    ["6233", "2026-08-21", "2026-08-21"],
    ["6234", "2026-08-21", "2026-08-22"],
    ["6300", "2026-08-21", "2016-10-26"],
    ["9365", "2030-01-02", "2029-12-31"],
    ["0001", "2030-01-02", "2030-01-01"],
    ["4366", "2026-01-01", "2024-12-31"],
    ["5366", "2026-01-01", undefined],
  ])("%s, in a file of %s, is %s", (yddd, file, expected) => {
    const date = readYddd(yddd, asOf(file));
    expect(date === undefined ? undefined : formatDate(date)).toBe(expected);
  });

  test.each([
    ["0820", "2026-08-21", "2026-08-20"],
    ["1231", "2026-01-02", "2025-12-31"],
    ["0229", "2026-03-01", "2024-02-29"],
    ["1332", "2026-03-01", undefined],
  ])("%s, by %s, is %s", (mmdd, by, expected) => {
    const date = readMmdd(mmdd, asOf(by));
    expect(date === undefined ? undefined : formatDate(date)).toBe(expected);
  });

  test("in an extract are as of when it came", () => {
    const file = wholeFile(base2File({ transactions: [base2Draft()], control: "none" }));
    const parser = visaBase2.open({ landedAt: parseInstant("2037-01-01T00:00:00Z")! });
    const records = [...parser.push(file), ...parser.end().records];
    expect(formatInstant(records[0]!.at)).toBe("2036-08-20T00:00:00Z");
    expect(formatInstant(read({ transactions: [base2Draft()], control: "none" }).records[0]!.at)).toBe(
      "2026-08-20T00:00:00Z",
    );
  });
});

describe("a file", () => {
  test.each([
    ["\n", "168 characters, LF"],
    ["\r\n", "168 characters, CRLF"],
    ["", "168 characters, no line ends"],
  ] as const)("with %j between its records", (separator, variant) => {
    for (const lastSeparator of [true, false]) {
      for (const count of [0, 1, 7]) {
        const { records, summary } = read({ transactions: randomDrafts(1, count), separator, lastSeparator });
        expect(records).toHaveLength(count);
        expect(summary).toMatchObject({
          variant,
          logicalId: "400001-26233-001",
          accounts: [base2_processor],
        });
        expect(summary.checks.every(({ ok }) => ok)).toBe(true);
        expect(records[0]?.position.line).toBe(count === 0 || separator === "" ? undefined : 2);
      }
    }
  });

  test("of several batches: each trailer is held against what it closes", () => {
    const { summary } = read({ transactions: [...randomDrafts(2, 7), base2Settlement(1n)], batchOf: 3 });
    expect(summary.leftOut).toEqual({ "header 90": 1, "batch trailer 91": 3, "file trailer 92": 1 });
    expect(summary.checks).toHaveLength(3 * 5 + 6);
    expect(summary.checks.every(({ ok }) => ok)).toBe(true);
  });

  test("may count its records with or without the trailers", () => {
    const file = { transactions: [...randomDrafts(2, 7)], batchOf: 3 };
    expect(read({ ...file, wrong: { countsWithoutTrailer: true } }).records).toHaveLength(7);
  });

  test("of a header and a trailer alone is valid", () => {
    expect(read([]).summary).toMatchObject({ records: 0, leftOut: { "header 90": 1, "file trailer 92": 1 } });
  });

  test("may be followed by another", () => {
    const { summary, records } = parseFile(visaBase2, text([base2Draft()]) + text([base2Draft()]));
    expect(records).toHaveLength(2);
    expect(summary.logicalId).toBe("400001-26233-001 and 1 more");
  });

  test("of the test system has a failed check", () => {
    const { checks } = read({ transactions: [base2Draft()], test: "TEST" }).summary;
    expect(checks.filter(({ ok }) => !ok)).toMatchObject([
      { name: "file 400001-26233-001: test option", found: "TEST" },
    ]);
  });

  test("of transactions without a header is an extract: read, with a failed check", () => {
    const { records, summary } = read({ transactions: [base2Draft()], control: "none" });
    expect(records).toHaveLength(1);
    expect(summary.checks.filter(({ ok }) => !ok)).toMatchObject([
      { name: "the file is whole: it begins with its header" },
    ]);
  });

  test("with transactions that Visa returned has a failed check", () => {
    const returned: Base2Spec = {
      ...base2Draft({ code: "01" }),
      monetary: false,
      source: 0n,
      destination: 0n,
    };
    const { records, summary } = read([returned]);
    expect(records).toEqual([]);
    expect(summary.leftOut).toMatchObject({ "transaction 01": 1 });
    expect(summary.checks.filter(({ ok }) => !ok)).toMatchObject([
      { name: "transactions that Visa returned", found: "1" },
    ]);
  });

  test("is known by its first record", () => {
    for (const separator of ["\n", "\r\n", ""] as const) {
      expect(detectFormat(wholeFile(base2File({ transactions: [base2Draft()], separator })), "x").name).toBe(
        "visa-base2",
      );
      expect(
        detectFormat(wholeFile(base2File({ transactions: [base2Draft()], separator, control: "none" })), "x")
          .name,
      ).toBe("visa-base2");
    }
  });
});

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

describe("whatever a file holds", () => {
  const files = (["\n", "\r\n", ""] as const).map((separator) =>
    wholeFile(
      base2File({
        transactions: [...randomDrafts(9, 12), base2Fee("10", 1n), base2Settlement(5n)],
        separator,
        batchOf: 5,
      }),
    ),
  );

  test("any way of cutting it gives the same records", () => {
    for (const file of files) {
      const whole = parseFile(visaBase2, file);
      expect(parseFile(visaBase2, cutInto(file, [1]))).toEqual(whole);
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }),
          (lengths) => {
            expect(parseFile(visaBase2, cutInto(file, lengths))).toEqual(whole);
          },
        ),
        { numRuns: 30 },
      );
    }
  });

  test("one damaged byte gives records or a refusal, never anything else", () => {
    for (const file of files) {
      fc.assert(
        fc.property(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
          const damaged = Uint8Array.from(file);
          damaged[at] = value;
          const outcome = outcomeOf(visaBase2, damaged);
          if (typeof outcome === "string") expect(outcome.length).toBeGreaterThan(20);
          else expect(outcome.summary.records).toBe(outcome.records.length);
        }),
        { numRuns: 300 },
      );
    }
  });

  test("its records add up to its summary and to its trailer", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(20), fc.integer({ min: 1, max: 5 }), (seed, count, batchOf) => {
        const { records, summary } = read({ transactions: randomDrafts(seed, count), batchOf });
        const gross = records.reduce((sum, record) => sum + record.gross.minor, 0n);
        const size = records.reduce((sum, { gross: { minor } }) => sum + (minor < 0n ? -minor : minor), 0n);
        expect(summary.totals.reduce((sum, total) => sum + total.gross, 0n)).toBe(gross);
        expect(summary.checks.find(({ name }) => name === "file: source amount")).toMatchObject({
          found: size.toString(),
        });
        expect(new Set(records.map(({ key }) => key)).size).toBe(count);
      }),
      { numRuns: 40 },
    );
  });
});

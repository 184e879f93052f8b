import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutInto, wholeFile } from "../../../../../test/support/settlement/file-chunks.js";
import {
  ipm_file_id,
  ipm_institution,
  ipmFile,
  presentment,
  randomPresentments,
  type IpmFile,
  type IpmMessageSpec,
} from "../../../../../test/support/settlement/ipm-file.js";
import { outcomeOf, parseFile, refusalOf } from "../../../../../test/support/settlement/parse-file.js";
import { formatInstant } from "../../../../kernel/instant.js";
import { formatDate } from "../../../../kernel/local-date.js";
import { formatMoney } from "../../../../kernel/money.js";
import { detectFormat } from "../../index.js";
import { decodeCp500, encodeCp500 } from "./cp500.js";
import { mastercardIpm } from "./index.js";

const read = (file: IpmFile | readonly IpmMessageSpec[]) =>
  parseFile(mastercardIpm, ipmFile("messages" in file ? file : { messages: file }));
const refused = (file: IpmFile | readonly IpmMessageSpec[]) =>
  refusalOf(mastercardIpm, ipmFile("messages" in file ? file : { messages: file }));
const one = (message: IpmMessageSpec) => read([message]).records[0]!;

const chargeback: IpmMessageSpec = presentment({
  type: "1442",
  function: "450",
  elements: {
    25: "4837",
    30: "000000012345000000012345",
    93: ipm_institution,
    94: "00000005678",
    95: "0000000001",
  },
});

const fee = (more: Readonly<Record<number, string>> = {}): IpmMessageSpec => ({
  type: "1740",
  function: "700",
  elements: {
    3: "190000",
    4: "000000000250",
    25: "7627",
    33: "012345",
    49: "840",
    93: ipm_institution,
    94: "00000005678",
    ...more,
  },
  pds: { 137: "00000000000000000001", 148: "8402" },
});

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

describe("a message", () => {
  test("of a purchase: amount, references, time, and the card", () => {
    const record = one(presentment());
    expect(record).toMatchObject({
      position: { record: 2 },
      kind: "charge",
      account: ipm_institution,
      references: {
        arn: "25555556232001234567890",
        provider: "MCC1234560820",
        merchant: "623210000001",
        batch: ipm_file_id,
      },
      card: { last4: "4444", number: "5555555555554444" },
    });
    expect(formatMoney(record.gross)).toBe("123.45 USD");
    expect(record.settled).toBeUndefined();
    expect(formatInstant(record.at)).toBe("2026-08-20T10:11:12Z");
    expect(record.original).toMatchObject({
      MTI: "1240",
      DE2: "****4444",
      DE4: "000000012345",
      PDS0023: "CT6",
    });
  });

  test("has its card number nowhere but in card.number", () => {
    const leaking = presentment({
      elements: { 72: "card 5555555555554444" },
      pds: { 71: "x5555555555554444x" },
    });
    const { card, ...rest } = one(leaking);
    expect(card).toEqual({ last4: "4444", number: "5555555555554444" });
    expect(
      JSON.stringify(rest, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value)),
    ).not.toContain("5555555555554444");
    expect(rest.original["PDS0071"]).toBe("x****4444x");
  });

  test("whose card number is starred has the last four only", () => {
    expect(one(presentment({ elements: { 2: "555555******4444" } })).card).toEqual({ last4: "4444" });
  });

  test.each([
    ["a purchase", presentment(), "charge", "123.45 USD"],
    ["a refund", presentment({ elements: { 3: "200000" } }), "refund", "-123.45 USD"],
    ["a payment to the cardholder", presentment({ elements: { 3: "280000" } }), "refund", "-123.45 USD"],
    ["a purchase taken back", presentment({ pds: { 25: "R260820" } }), "charge", "-123.45 USD"],
    [
      "a refund taken back",
      presentment({ elements: { 3: "200000" }, pds: { 25: "R260820" } }),
      "refund",
      "123.45 USD",
    ],
    ["a second presentment", presentment({ function: "205" }), "chargeback_reversal", "123.45 USD"],
    ["a partial second presentment", presentment({ function: "282" }), "chargeback_reversal", "123.45 USD"],
    ["a chargeback", chargeback, "chargeback", "-123.45 USD"],
    ["a partial chargeback", { ...chargeback, function: "453" }, "chargeback", "-123.45 USD"],
    [
      "a chargeback taken back",
      { ...chargeback, pds: { 25: "R260820" } },
      "chargeback_reversal",
      "123.45 USD",
    ],
    [
      "a chargeback of a refund",
      { ...chargeback, elements: { ...chargeback.elements, 3: "200000" } },
      "chargeback",
      "123.45 USD",
    ],
    ["a fee that another collects from us", fee(), "fee", "-2.50 USD"],
    ["a fee that another pays to us", fee({ 3: "290000" }), "fee", "2.50 USD"],
    ["a fee that we collect", fee({ 93: "00000005678", 94: ipm_institution }), "fee", "2.50 USD"],
  ])("%s", (_, message, kind, amount) => {
    const record = one(message);
    expect([record.kind, formatMoney(record.gross)]).toEqual([kind, amount]);
  });

  test("in a currency without minor units, settled in another", () => {
    const record = one(
      presentment({
        elements: { 4: "000000000500", 49: "392", 5: "000000000455" },
        pds: { 148: "39208402" },
      }),
    );
    expect(formatMoney(record.gross)).toBe("500 JPY");
    expect(formatMoney(record.settled!)).toBe("4.55 USD");
  });

  test("counts in the exponent that the file says", () => {
    const dinar = one(presentment({ elements: { 4: "000000012340", 49: "414" }, pds: { 148: "41438402" } }));
    expect(formatMoney(dinar.gross)).toBe("12.340 KWD");
    const yen = one(presentment({ elements: { 4: "000000050000", 49: "392" }, pds: { 148: "39228402" } }));
    expect(formatMoney(yen.gross)).toBe("500 JPY");
    expect(
      refused([presentment({ elements: { 4: "000000050001", 49: "392" }, pds: { 148: "39228402" } })]),
    ).toMatchObject({
      record: 2,
      field: "DE4",
    });
  });

  test("is settled on the day that PDS0159 says", () => {
    const settlement = `${"0".repeat(51)}260821012608220100`;
    expect(formatDate(one(presentment({ pds: { 159: settlement } })).valueDate!)).toBe("2026-08-22");
  });

  test("without a time of its own, such as a fee, is of the file's date", () => {
    expect(formatInstant(one(fee()).at)).toBe("2026-08-21T00:00:00Z");
    expect(formatInstant(one(fee({ 73: "260901" })).at)).toBe("2026-09-01T00:00:00Z");
  });

  test("has a key that another file's copy of it has too", () => {
    const again = read({ messages: [fee(), presentment()], fileId: "0022608220000000123400007" });
    expect(again.records.map(({ key }) => key)).toEqual([one(fee()).key, one(presentment()).key]);
    const keys = [
      presentment(),
      presentment({ function: "205" }),
      chargeback,
      { ...chargeback, pds: { 25: "R" } },
    ].map((message) => one(message).key);
    expect(new Set(keys).size).toBe(4);
  });

  test("may spread its subelements over DE48, DE62 and DE123", () => {
    const long = "x".repeat(700);
    const record = one(presentment({ pds: { 500: long, 501: long, 502: long } }));
    expect(record.original).toMatchObject({ PDS0500: long, PDS0501: long, PDS0502: long, PDS0148: "8402" });
    expect(record.original["DE48"]).toBeUndefined();
  });
});

describe("a file", () => {
  const variants = [
    ["ASCII", false, "VBS, ASCII"],
    ["ASCII", true, "1014 blocks, ASCII"],
    ["EBCDIC", false, "VBS, EBCDIC"],
    ["EBCDIC", true, "1014 blocks, EBCDIC"],
  ] as const;

  test.each(variants)("in %s, blocked: %s", (encoding, blocked, variant) => {
    for (const count of [0, 1, 2, 3, 40]) {
      const messages = [...randomPresentments(count, count)];
      const { records, summary } = read({ messages, encoding, blocked });
      expect(records).toHaveLength(count);
      expect(summary).toMatchObject({
        variant,
        logicalId: ipm_file_id,
        accounts: [ipm_institution],
        sequences: [{ series: "mastercard 00226082100000001234", number: 1n }],
        leftOut: { "header 1644/697": 1, "trailer 1644/695": 1 },
      });
      expect(summary.checks.every(({ ok }) => ok)).toBe(true);
    }
  });

  test("of spaces where blocks would end is not taken for a blocked one", () => {
    for (const encoding of ["ASCII", "EBCDIC"] as const) {
      const character = encoding === "ASCII" ? "@" : " ";
      const messages = Array.from({ length: 30 }, () => presentment({ pds: { 500: character.repeat(600) } }));
      expect(read({ messages, encoding }).summary).toMatchObject({
        variant: `VBS, ${encoding}`,
        records: 30,
      });
      expect(read({ messages, encoding, blocked: true }).summary).toMatchObject({ records: 30 });
    }
  });

  test("of a header and a trailer alone is valid", () => {
    const { records, summary } = read([]);
    expect(records).toEqual([]);
    expect(summary.checks.map(({ name, ok }) => [name, ok])).toEqual([
      [`file ${ipm_file_id}: messages (PDS0306)`, true],
      [`file ${ipm_file_id}: amount checksum (PDS0301)`, true],
      [`file ${ipm_file_id}: processing mode (PDS0122)`, true],
    ]);
  });

  test("may hold several logical files", () => {
    const parts = [ipm_file_id, "0022608210000000123400002"].map((fileId) =>
      wholeFile(ipmFile({ messages: [presentment()], fileId })).subarray(0, -4),
    );
    const { summary, records } = parseFile(mastercardIpm, Buffer.concat([...parts, Buffer.alloc(4)]));
    expect(records).toHaveLength(2);
    expect(summary.logicalId).toBe(`${ipm_file_id} and 1 more`);
    expect(summary.sequences.map(({ number }) => number)).toEqual([1n, 2n]);
  });

  test("of the test system has a failed check", () => {
    const { checks } = read({ messages: [presentment()], wrong: { mode: "T" } }).summary;
    expect(checks.filter(({ ok }) => !ok)).toMatchObject([{ expected: "P", found: "T" }]);
  });

  test("its checksum may count fees or not", () => {
    const messages = [presentment(), fee()];
    for (const amounts of [12_595n, 12_345n]) {
      expect(read({ messages, wrong: { trailer: { amounts } } }).records).toHaveLength(2);
    }
  });

  test("reconciles its own presentments, where it has the position of them", () => {
    const position = (charged: string, back: string, id = ipm_file_id): IpmMessageSpec => ({
      type: "1644",
      function: "685",
      pds: { 300: id, 380: `C${charged.padStart(16, "0")}`, 381: `D${back.padStart(16, "0")}` },
    });
    const refund = presentment({ elements: { 3: "200000", 4: "000000000500" } });
    const failed = (message: IpmMessageSpec) =>
      read([presentment(), refund, message]).summary.checks.filter(({ ok }) => !ok);
    expect(failed(position("12345", "500"))).toEqual([]);
    expect(failed(position("12346", "500"))).toMatchObject([{ expected: "12346", found: "12345" }]);
    expect(failed(position("1", "2", "0012608200000000567800001"))).toEqual([]);
  });

  test("of messages without a header is an extract: read, with failed checks", () => {
    const { records, summary } = read({
      messages: [presentment()],
      wrong: { header: "missing", trailer: "missing" },
    });
    expect(records).toHaveLength(1);
    expect(summary.logicalId).toBeUndefined();
    expect(summary.checks).toEqual([
      {
        name: "the file is whole: it begins with its header",
        expected: "1644/697",
        found: "1240/200",
        ok: false,
      },
    ]);
  });

  test("with messages that are not known counts them, gives no record, and fails a check", () => {
    const { records, summary } = read([presentment(), { type: "1144", function: "333" }]);
    expect(records).toHaveLength(1);
    expect(summary.leftOut).toMatchObject({ "message 1144/333": 1 });
    expect(summary.checks.filter(({ ok }) => !ok)).toMatchObject([{ found: "1" }]);
  });

  test("an unknown function of a message that moves money is a record of the kind other", () => {
    const { records, summary } = read([presentment({ function: "299" })]);
    expect(records[0]).toMatchObject({ kind: "other" });
    expect(summary.checks.some(({ ok }) => !ok)).toBe(true);
  });

  test("that tells of rejected messages fails a check", () => {
    const { summary } = read([{ type: "1644", function: "691" }]);
    expect(summary.checks.filter(({ ok }) => !ok)).toMatchObject([
      { name: "messages and files that Mastercard rejected", found: "1" },
    ]);
  });

  test("is known by its first message", () => {
    for (const encoding of ["ASCII", "EBCDIC"] as const) {
      expect(detectFormat(wholeFile(ipmFile({ messages: [], encoding })), "T112.bin").name).toBe(
        "mastercard-ipm",
      );
    }
  });
});

describe("a file is refused, with message and element,", () => {
  const good = [presentment(), presentment(), presentment(), presentment()];
  const cases: [string, IpmFile, { record: number; field: string }, RegExp][] = [
    [
      "without a trailer",
      { messages: good, wrong: { trailer: "missing" } },
      { record: 6, field: "1644/695" },
      /ends without its trailer/,
    ],
    [
      "with a trailer that counts wrong",
      { messages: good, wrong: { trailer: { messages: 7n } } },
      { record: 6, field: "PDS0306" },
      /counts 7 messages, the file has 6/,
    ],
    [
      "with a trailer that adds up wrong",
      { messages: good, wrong: { trailer: { amounts: 1n } } },
      { record: 6, field: "PDS0301" },
      /checksum is 1, .* 49380/,
    ],
    [
      "with a trailer of another file",
      { messages: good, wrong: { trailer: { fileId: "0022608210000000123400002" } } },
      { record: 6, field: "PDS0105" },
      /the trailer's file id/,
    ],
    [
      "with a gap in its numbers",
      { messages: good, wrong: { gapBefore: 4 } },
      { record: 4, field: "DE71" },
      /00000005, expected 4/,
    ],
    [
      "with a trailer and no header",
      { messages: good, wrong: { header: "missing" } },
      { record: 5, field: "1644/697" },
      /no header/,
    ],
    [
      "without an end mark",
      { messages: good, wrong: { endMark: "missing" } },
      { record: 7, field: "length" },
      /end mark/,
    ],
    [
      "with two headers",
      { messages: [...good, { type: "1644", function: "697", pds: { 105: ipm_file_id } }] },
      { record: 6, field: "1644/695" },
      /no trailer before/,
    ],
    [
      "with a file id that is none",
      { messages: good, fileId: "12345" },
      { record: 1, field: "PDS0105" },
      /not 25 digits/,
    ],
    [
      "with an amount that is no number",
      { messages: [presentment({ elements: { 4: "00000001234X" } })] },
      { record: 2, field: "DE4" },
      /must be digits/,
    ],
    [
      "with an amount that has no currency",
      { messages: [{ type: "1240", function: "200", elements: { 4: "000000000001", 12: "260820101112" } }] },
      { record: 2, field: "DE49" },
      /no currency/,
    ],
    [
      "with money without an amount",
      { messages: [{ type: "1240", function: "200", elements: { 49: "840", 12: "260820101112" } }] },
      { record: 2, field: "DE4" },
      /no amount/,
    ],
    [
      "with a currency that is none",
      { messages: [presentment({ elements: { 49: "999" } })] },
      { record: 2, field: "DE49" },
      /"999"/,
    ],
    [
      "with a reference that is no ARN",
      { messages: [presentment({ elements: { 31: "2.5555556232001E+22" } })] },
      { record: 2, field: "DE31" },
      /not 23 digits/,
    ],
    [
      "with a time that is none",
      { messages: [presentment({ elements: { 12: "260230101112" } })] },
      { record: 2, field: "DE12" },
      /no date and time/,
    ],
    [
      "with a fee of no direction",
      { messages: [fee({ 3: "000000" })] },
      { record: 2, field: "DE3" },
      /who pays/,
    ],
    [
      "with subelements that cannot be told apart",
      { messages: [presentment({ elements: { 48: "0023003CT60148" } })] },
      { record: 2, field: "DE48" },
      /character 11/,
    ],
    [
      "with a subelement that is too long",
      { messages: [presentment({ elements: { 48: "0148999840" } })] },
      { record: 2, field: "PDS0148" },
      /999 characters are due/,
    ],
    [
      "with exponents that are none",
      { messages: [presentment({ pds: { 148: "84" } })] },
      { record: 2, field: "PDS0148" },
      /no list/,
    ],
  ];
  test.each(cases)("%s", (_, file, where, detail) => {
    for (const blocked of [false, true]) {
      const refusal = refused({ ...file, blocked });
      expect(refusal).toMatchObject(where);
      expect(refusal.detail).toMatch(detail);
      expect(refusal.advice.length).toBeGreaterThan(10);
      expect(refusal.message).not.toContain("5555555555554444");
    }
  });

  const blocks = Buffer.from(wholeFile(ipmFile({ messages: good, blocked: true })));
  const plain = Buffer.from(wholeFile(ipmFile({ messages: good })));
  const changed = (file: Buffer, at: number, bytes: readonly number[]) => {
    const copy = Buffer.from(file);
    copy.set(bytes, at);
    return copy;
  };

  test.each([
    ["a truncated block", blocks.subarray(0, 1_500), "block", /486 of 1014 bytes/],
    ["a block missing", blocks.subarray(0, 1_014), "length", /within a message/],
    ["a block whose filler is none", changed(blocks, 1_012, [0x41]), "block", /x'41'/],
    [
      "bytes other than filler after the end mark",
      changed(blocks, blocks.length - 10, [0x20]),
      "block",
      /after the end mark/,
    ],
    ["a file cut within a message", plain.subarray(0, 700), "length", /within a message/],
    ["a length that is too long", changed(plain, 78, [0x7f]), "length", /length is/],
    ["a length that is too short", changed(plain, 78, [0, 0, 0, 3]), "length", /length is 3/],
    [
      "a length that is off by one",
      changed(plain, 81, [plain[81]! - 1]),
      "DE94|MTI|length",
      /due|no message type|length/,
    ],
    [
      "bytes after the end mark",
      Buffer.concat([plain, Buffer.from([0x40])]),
      "length|block",
      /after the end mark|block/,
    ],
    ["an element that IPM does not have", changed(plain, 82 + 4 + 6, [0xff]), "DE5[23]", /does not have/],
    ["a bitmap of one part", changed(plain, 82 + 4, [0x78]), "DE1", /second part/],
    ["a message type that is none", changed(plain, 82, [0x41]), "MTI", /no message type/],
  ])("%s", (_, file, field, detail) => {
    const refusal = refusalOf(mastercardIpm, file);
    expect(refusal.record).toBeGreaterThan(0);
    expect(refusal.field).toMatch(new RegExp(`^(${field})$`));
    expect(refusal.detail).toMatch(detail);
  });
});

describe("whatever a file holds", () => {
  const files = (
    [
      ["ASCII", true],
      ["EBCDIC", false],
      ["EBCDIC", true],
    ] as const
  ).map(([encoding, blocked]) =>
    wholeFile(ipmFile({ messages: [...randomPresentments(9, 20), chargeback, fee()], encoding, blocked })),
  );

  test("any way of cutting it gives the same records", () => {
    for (const file of files) {
      const whole = parseFile(mastercardIpm, file);
      expect(parseFile(mastercardIpm, cutInto(file, [1]))).toEqual(whole);
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 20 }),
          (lengths) => {
            expect(parseFile(mastercardIpm, cutInto(file, lengths))).toEqual(whole);
          },
        ),
        { numRuns: 40 },
      );
    }
  });

  test("and however its chunks are used again after they were read", () => {
    const [file] = files;
    const whole = parseFile(mastercardIpm, file!);
    const parser = mastercardIpm.open();
    const records = [];
    const buffer = new Uint8Array(1_000);
    for (let at = 0; at < file!.length; at += buffer.length) {
      const part = file!.subarray(at, at + buffer.length);
      buffer.set(part);
      records.push(...parser.push(buffer.subarray(0, part.length)));
      buffer.fill(0x30);
    }
    records.push(...parser.end().records);
    expect(records).toEqual(whole.records);
  });

  test("one damaged byte gives records or a refusal, never anything else", () => {
    for (const file of files) {
      fc.assert(
        fc.property(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
          const damaged = Uint8Array.from(file);
          damaged[at] = value;
          const outcome = outcomeOf(mastercardIpm, damaged);
          if (typeof outcome === "string") expect(outcome.length).toBeGreaterThan(20);
          else if (outcome.records.length < 22) {
            // A message whose type was hit is no longer known to move money; the file says so.
            expect(outcome.summary.checks.some(({ ok }) => !ok)).toBe(true);
          }
        }),
        { numRuns: 400 },
      );
    }
  });

  test("its records add up to its summary and to its checksum", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(30), (seed, count) => {
        const messages = [...randomPresentments(seed, count)];
        const { records, summary } = read({ messages, encoding: "EBCDIC", blocked: true });
        const gross = records.reduce((sum, record) => sum + record.gross.minor, 0n);
        const size = records.reduce((sum, { gross: { minor } }) => sum + (minor < 0n ? -minor : minor), 0n);
        expect(summary.totals.reduce((sum, total) => sum + total.gross, 0n)).toBe(gross);
        expect(summary.checks.find(({ name }) => name.includes("PDS0301"))).toMatchObject({
          found: size.toString(),
        });
        expect(new Set(records.map(({ key }) => key)).size).toBe(count);
      }),
      { numRuns: 40 },
    );
  });
});

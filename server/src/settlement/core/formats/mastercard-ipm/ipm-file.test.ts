import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutInto, wholeFile } from "../../../../../test/support/settlement/file-chunks.js";
import {
  ipm_file_id,
  ipm_institution,
  ipmFile,
  presentment,
  randomPresentments,
  type IpmMessageSpec,
} from "../../../../../test/support/settlement/ipm-file.js";
import { outcomeOf, parseFile } from "../../../../../test/support/settlement/parse-file.js";
import { chargeback, fee, read } from "../../../../../test/support/settlement/read-ipm.js";
import { detectFormat } from "../../index.js";
import { mastercardIpm } from "./index.js";

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

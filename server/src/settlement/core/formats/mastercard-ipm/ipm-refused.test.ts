import { describe, expect, test } from "vitest";
import { wholeFile } from "../../../../../test/support/settlement/file-chunks.js";
import {
  ipm_file_id,
  ipmFile,
  presentment,
  type IpmFile,
} from "../../../../../test/support/settlement/ipm-file.js";
import { refusalOf } from "../../../../../test/support/settlement/parse-file.js";
import { fee, refused } from "../../../../../test/support/settlement/read-ipm.js";
import { mastercardIpm } from "./index.js";

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

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cardResponsesFile,
  type CardAnswer,
} from "../../../../../test/support/settlement/card-responses-file.js";
import { cutInto } from "../../../../../test/support/settlement/file-chunks.js";
import { outcomeOf, parseFile, refusalOf } from "../../../../../test/support/settlement/parse-file.js";
import { formatInstant } from "../../../../kernel/instant.js";
import { cardResponses } from "./index.js";

const read = (answers: readonly CardAnswer[], more = {}) =>
  parseFile(cardResponses, cardResponsesFile({ batch: 41, answers, ...more }));
const refusal = (text: string) => {
  const { line, field, detail } = refusalOf(cardResponses, text);
  return `${line ?? "-"} ${field ?? "-"} ${detail}`;
};

describe("an answer", () => {
  test("that rejects an item is a decline that moves nothing, named by the item's reference", () => {
    const { records, summary } = read([
      { reference: "7HQSPQ3G8QSJ", code: "51", message: 'no "funds", today' },
      { reference: "61BWVS5T1YKY", result: "accepted" },
    ]);
    expect(records).toMatchObject([
      {
        position: { record: 1, line: 2 },
        key: "card-responses:ACQ1:M-100:41:1:7HQSPQ3G8QSJ",
        kind: "decline",
        gross: { currency: "EUR", minor: 0n },
        account: "M-100",
        references: { merchant: "7HQSPQ3G8QSJ", batch: "41" },
        decline: { code: "51", message: 'no "funds", today' },
      },
    ]);
    expect(formatInstant(records[0]!.at)).toBe("2026-03-02T06:00:00Z");
    expect(summary).toMatchObject({
      format: "card-responses",
      logicalId: "ACQ1:M-100:41:1",
      accounts: ["M-100"],
      records: 1,
      kinds: { decline: 1 },
      leftOut: { "accepted item": 1 },
      checks: [],
    });
  });

  test("has a card's number nowhere", () => {
    const message = "card 4111111111111111 is lost";
    const { records } = read([{ reference: "ABC", code: "41", message }]);
    expect(
      JSON.stringify(records, (_key, value: unknown) => (typeof value === "bigint" ? "0" : value)),
    ).not.toContain("4111111111111111");
    expect(
      refusal(cardResponsesFile({ batch: 1, answers: [{ reference: "4111 1111 1111 1111" }] })),
    ).not.toContain("1111 1111 1111");
  });
});

describe("a file is refused, with line and field,", () => {
  const answers = [{ reference: "ABC", code: "51" }];
  const whole = cardResponsesFile({ batch: 41, answers });
  test.each([
    [
      "of another version",
      cardResponsesFile({ batch: 41, answers, wrong: { version: "2" } }),
      '1 column 3 (version) version "2"',
    ],
    [
      "whose charge file has no number",
      whole.replace("M-100,41,", "M-100,x,"),
      '1 column 6 (charge file) "x" is no number',
    ],
    ["of no time", whole.replace("2026-03-02T06:00:00Z", "yesterday"), '1 column 8 (created) "yesterday"'],
    [
      "with a row of another type",
      whole.replace("\r\nR,", "\r\nX,"),
      '2 column 1 (type) "X" is none of H, R and T',
    ],
    [
      "with another result",
      whole.replace("rejected", "maybe"),
      '2 column 4 (result) "maybe" is none of accepted, rejected',
    ],
    [
      "with a rejection without a code",
      whole.replace(",51,", ",,"),
      "2 column 6 (code) a rejected item needs a code",
    ],
    ["with a currency that is none", whole.replace("EUR", "EUX"), "2 column 5 (currency)"],
    [
      "whose trailer counts otherwise",
      whole.replace("\r\nT,1,", "\r\nT,2,"),
      "3 column 2 (number) the trailer counts 2 answers, and there are 1",
    ],
    [
      "with something behind its trailer",
      `${whole}R,2,DEF,rejected,EUR,51,,\r\n`,
      "4 column 1 (type) there is something behind the trailer",
    ],
    ["that was cut off", whole.slice(0, whole.indexOf("T,1")), "- - the file ends without its trailer T"],
    ["with a row of fewer fields", whole.replace(",51,,", ",51"), "2 - the row has"],
  ])("%s", (_name, text, expected) => {
    expect(refusal(text)).toContain(expected);
  });
});

describe("any file", () => {
  const file = Buffer.from(
    cardResponsesFile({
      batch: 7,
      answers: Array.from({ length: 30 }, (_, index) => ({
        reference: `REF${index}`,
        code: "51",
        message: index % 3 === 0 ? "über, „Grenze“\nzweite Zeile" : "",
      })),
    }),
  );

  test("any way of cutting it gives the same records", () => {
    const whole = parseFile(cardResponses, file);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 6 }), (lengths) => {
        expect(parseFile(cardResponses, cutInto(file, lengths))).toEqual(whole);
      }),
      { numRuns: 100 },
    );
  });

  test("one damaged byte gives records or a refusal, never anything else", () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const damaged = Uint8Array.from(file);
        damaged[at] = value;
        const outcome = outcomeOf(cardResponses, damaged);
        if (typeof outcome === "string") expect(outcome.length).toBeGreaterThan(20);
        else expect(outcome.summary.records).toBe(outcome.records.length);
      }),
      { numRuns: 400 },
    );
  });
});

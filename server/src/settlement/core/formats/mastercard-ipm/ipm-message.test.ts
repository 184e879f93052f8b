import { describe, expect, test } from "vitest";
import {
  ipm_file_id,
  ipm_institution,
  presentment,
} from "../../../../../test/support/settlement/ipm-file.js";
import { chargeback, fee, one, read, refused } from "../../../../../test/support/settlement/read-ipm.js";
import { formatInstant } from "../../../../kernel/instant.js";
import { formatDate } from "../../../../kernel/local-date.js";
import { formatMoney } from "../../../../kernel/money.js";

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

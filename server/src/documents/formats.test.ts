import { describe, expect, test } from "vitest";
import { parseCurrency } from "../kernel/currency.js";
import { Decimal } from "../kernel/decimal.js";
import { parseInstant } from "../kernel/instant.js";
import { parseTimeZone, utc } from "../kernel/time-zone.js";
import { addressLines } from "./address-lines.js";
import { formatsOf } from "./formats.js";
import { labelsOf, languageOf } from "./labels.js";

const at = (text: string) => parseInstant(text)!;
const formats = (locale: string, currency = "EUR", zone = "UTC") =>
  formatsOf({ locale, currency: parseCurrency(currency)!, timeZone: parseTimeZone(zone) ?? utc });
/** Blanks that do not break, as ordinary ones. */
const plain = (text: string) => text.replace(/[\u00a0\u2009\u202f]/g, " ");

describe("money", () => {
  test.each([
    ["en-GB", "EUR", 123450n, "€1,234.50"],
    ["en-GB", "EUR", -5n, "−€0.05"],
    ["de-DE", "EUR", 123450n, "1.234,50 €"],
    ["fr-FR", "EUR", 123450n, "1 234,50 €"],
    ["en-US", "USD", 5n, "$0.05"],
    ["en-GB", "USD", 5n, "US$0.05"],
    ["en", "JPY", 1234n, "¥1,234"],
    ["en", "KWD", 1234n, "KWD 1.234"],
    ["en", "IQD", 1234n, "IQD 1.234"], // three digits in ISO 4217, none in the CLDR
    ["en", "CLF", 12345n, "CLF 1.2345"],
    ["en", "EUR", 123456789012345678901234567890n, "€1,234,567,890,123,456,789,012,345,678.90"],
  ])("%s writes %s %d minor units as %s", (locale, currency, minor, text) => {
    expect(plain(formats(locale, currency).money(minor))).toBe(text);
  });

  test("an exact amount has the currency's digits and all of its own", () => {
    const english = formats("en");
    expect(
      ["3", "0.002", "5.155175", "0.000000000000000001"].map((text) => english.exactAmount(Decimal.of(text))),
    ).toEqual(["3.00", "0.002", "5.155175", "0.000000000000000001"]);
  });
});

test("quantities are exact, percentages keep their digits", () => {
  expect(formats("de").number(Decimal.of("12345678901234567890.125"))).toBe("12.345.678.901.234.567.890,125");
  expect(plain(formats("en").percent(Decimal.of("9.975")))).toBe("9.975%");
  expect(plain(formats("de").percent(Decimal.of("19")))).toBe("19 %");
});

test("digits are Latin and years Gregorian in every locale", () => {
  expect(formats("ar-EG").number(1234)).toMatch(/1.?234/);
  expect(formats("th-TH").date(at("2026-01-31T00:00:00Z"))).toContain("2026");
});

test("a period is from its first day to its last, in its zone", () => {
  const march = { start: at("2026-02-28T11:00:00Z"), end: at("2026-03-31T11:00:00Z") };
  expect(plain(formats("en-GB", "EUR", "Pacific/Auckland").period(march))).toBe("1 – 31 Mar 2026");
  const day = { start: at("2026-01-31T00:00:00Z"), end: at("2026-02-01T00:00:00Z") };
  expect(plain(formats("en-GB").period(day))).toBe("31 Jan 2026");
});

test("what is no locale is English, and so are the labels of a language without a dictionary", () => {
  expect(["", "xx-nonsense-", "<script>", "root"].map((locale) => formats(locale).locale)).toEqual([
    "en",
    "en",
    "en",
    "en",
  ]);
  expect(["en", "de-AT", "fr-CA", "pl", "constructor"].map(languageOf)).toEqual([
    "en",
    "de",
    "fr",
    "en",
    "en",
  ]);
});

test("every language has every label, and the same places in it", () => {
  const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
  const textsOf = (language: string): [string, string][] =>
    Object.entries(labelsOf(language)).flatMap(([name, label]): [string, string][] =>
      typeof label === "string" ? [[name, label]] : Object.entries(label as Record<string, string>),
    );
  const english = textsOf("en");
  for (const language of ["de", "fr"]) {
    const labels = new Map(textsOf(language));
    expect(labels.size).toBe(english.length);
    for (const [name, text] of english) {
      expect(labels.get(name), `${language} ${name}`).toBeTruthy();
      expect(places(labels.get(name)!), `${language} ${name}`).toEqual(places(text));
    }
  }
});

describe("addresses", () => {
  test("stand as their country writes them, without empty lines, the country in the reader's language", () => {
    const lines = (country: string, locale = "en") =>
      addressLines(
        { line1: "1 Main St", line2: "", city: "Town", postalCode: "123", region: "RG", country },
        locale,
      );
    expect(lines("US")).toEqual(["1 Main St", "Town, RG 123", "United States"]);
    expect(lines("GB")).toEqual(["1 Main St", "Town", "RG", "123", "United Kingdom"]);
    expect(lines("DE", "de")).toEqual(["1 Main St", "123 Town", "RG", "Deutschland"]);
    expect(addressLines({ country: "nowhere" }, "en")).toEqual(["nowhere"]);
    expect(addressLines(undefined, "en")).toEqual([]);
  });
});

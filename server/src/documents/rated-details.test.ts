import { describe, expect, test } from "vitest";
import { sampleDocument, sampleLine } from "../../test/support/sample-document.js";
import { Decimal } from "../kernel/decimal.js";
import type { RatedPart } from "../rating/core/index.js";
import { describeDocument } from "./printed-document.js";
import { detailsOf } from "./rated-details.js";
import { sellerOf } from "./seller.js";

const d = (text: string) => Decimal.of(text);

/** "text | quantity | unit price | amount" of the details that a line of these parts gets. */
function printed(parts: readonly RatedPart[], locale = "en", per = Decimal.one): string[] {
  const lines = [sampleLine({ details: detailsOf(parts, per) })];
  const sections = [{ title: "Plan", subtitle: undefined, period: undefined, lines }];
  return describeDocument(sampleDocument({ sections, locale }))
    .sections[0]!.rows.slice(1)
    .map(({ text, quantity, unitPrice, amount }) => [text, quantity, unitPrice, amount].join(" | "));
}

const tier = (from: string, upTo: string | undefined, amount: string, flat = "0"): RatedPart => ({
  kind: "tier",
  from: d(from),
  upTo: upTo === undefined ? undefined : d(upTo),
  quantity: d("10"),
  unitAmount: d("0.5"),
  flatAmount: d(flat),
  amount: d(amount),
});

describe("details of what rating made a line of", () => {
  test("tiers, with the units that their price is for", () => {
    expect(printed([tier("0", "10", "5"), tier("10", undefined, "6", "1")], "en", d("1000"))).toEqual([
      "First 10 | 10 | 0.50 per 1,000 | 5.00",
      "Above 10 | 10 | 0.50 per 1,000 + fee 1.00 | 6.00",
    ]);
  });

  test("none for what its line says already", () => {
    expect(printed([tier("0", undefined, "5")])).toEqual([]);
    expect(printed([{ kind: "flat", amount: d("5") }])).toEqual([]);
    expect(printed([tier("0", undefined, "5", "1")])).toHaveLength(1);
  });

  test("every other kind, in words", () => {
    const amount = d("1.234");
    const quantity = d("1500");
    const parts: RatedPart[] = [
      { kind: "flat", amount },
      {
        kind: "package",
        quantity,
        free: d("0"),
        size: d("1000"),
        packages: d("2"),
        packageAmount: d("1"),
        amount,
      },
      {
        kind: "percentage",
        bound: "maximum",
        quantity,
        free: d("0"),
        events: 3,
        ratePercent: d("2.5"),
        fixedAmount: d("0"),
        amount,
      },
      { kind: "conversion", quantity, converted: d("2"), amount: d("0") },
      {
        kind: "cell",
        dimensions: { region: "eu", tier: "hot" },
        isDefault: false,
        quantity,
        unitAmount: d("1"),
        amount,
      },
      { kind: "cell", dimensions: {}, isDefault: true, quantity, unitAmount: d("1"), amount },
      { kind: "dynamic", quantity, multiplier: d("1.2"), amount },
      { kind: "window", position: 4, quantity, rated: d("1"), trueUp: d("0"), overage: d("0"), amount },
      { kind: "change", position: 1, units: d("5"), proratedUnits: d("2"), unitAmount: d("1"), amount },
      { kind: "tier_fee", upTo: d("10"), amount },
      { kind: "tier_fee", upTo: undefined, amount },
      { kind: "floor", amount },
    ];
    expect(printed(parts)).toEqual([
      "Flat fee |  |  | 1.234",
      "2 packages of 1,000 | 1,500 |  | 1.234",
      "3 events at their maximum | 1,500 |  | 1.234",
      "Converted from 1,500 | 2 |  | ",
      "eu · hot | 1,500 |  | 1.234",
      "Other values | 1,500 |  | 1.234",
      "Prices of the events, times 1.2 | 1,500 |  | 1.234",
      "Window 4 | 1,500 |  | 1.234",
      "Change 1: 5 units |  |  | 1.234",
      "Fee of the tier up to 10 |  |  | 1.234",
      "Fee of the last tier |  |  | 1.234",
      "Raised to zero |  |  | 1.234",
    ]);
    expect(printed(parts, "de")[1]).toBe("2 Pakete zu 1.000 | 1.500 |  | 1,234");
  });
});

test("the seller is the billing profile, or the organization's name alone", () => {
  expect(sellerOf(undefined, "Nimbus")).toEqual({ name: "Nimbus" });
  const none = {
    line2: undefined,
    region: undefined,
    email: undefined,
    taxId: undefined,
    registrationNumber: undefined,
    electronicAddress: undefined,
    contactName: undefined,
    phone: undefined,
    iban: undefined,
    bic: undefined,
    timeZone: undefined,
  };
  const profile = {
    legalName: "Nimbus GmbH",
    line1: "Torstraße 1",
    city: "Berlin",
    postalCode: "10119",
    country: "DE",
  };
  expect(sellerOf({ ...none, ...profile, bankDetails: "IBAN" }, "Nimbus")).toMatchObject({
    name: "Nimbus GmbH",
    address: { line1: "Torstraße 1", country: "DE" },
    bankDetails: "IBAN",
  });
});

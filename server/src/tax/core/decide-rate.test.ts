import { describe, expect, test } from "vitest";
import { Decimal } from "../../kernel/decimal.js";
import type { TaxRateId } from "../../kernel/ids.js";
import { parseInstant } from "../../kernel/instant.js";
import { parseTimeZone } from "../../kernel/time-zone.js";
import { decideRate, type OwnTaxRate, type TaxBuyer, type TaxSettings } from "./decide-rate.js";
import { standardRateOn, standardRates } from "./standard-rates.js";
import { checkTaxId } from "./tax-id.js";
import { decideRates } from "./tax-table.js";

const german: TaxSettings = {
  country: "DE",
  region: undefined,
  pricesIncludeTax: false,
  builtInRates: true,
  registrations: [],
};
const registered = (...countries: string[]) => ({
  ...german,
  registrations: countries.map((country) => ({ country, taxId: undefined, from: undefined, to: undefined })),
});
const own = (more: Partial<OwnTaxRate>): OwnTaxRate => ({
  id: "txr_1" as TaxRateId,
  country: "DE",
  region: undefined,
  category: "standard",
  name: "USt",
  percent: Decimal.of(19),
  treatment: "taxed",
  inclusive: undefined,
  note: undefined,
  validFrom: "2024-01-01",
  validTo: undefined,
  ...more,
});

function decide(
  buyer: TaxBuyer,
  settings: TaxSettings | undefined = german,
  {
    rates = [],
    category = "standard",
    day = "2026-03-15",
  }: { rates?: OwnTaxRate[]; category?: string; day?: string } = {},
): string {
  const rate = decideRate({ settings, rates, buyer, category, day });
  return `${rate.treatment} ${rate.percent.toString()}${rate.inclusive ? " inclusive" : ""}${rate.notice === undefined ? "" : " !"}`;
}

describe("a German seller", () => {
  test("taxes at home, businesses too", () => {
    expect(decide({ country: "DE" })).toBe("taxed 19");
    expect(decide({ country: "DE", taxId: "DE123456789" })).toBe("taxed 19");
  });

  test("leaves the tax to a business of another member state", () => {
    expect(decide({ country: "FR", taxId: "FR 12 345678901" })).toBe("reverse_charge 0");
    expect(decide({ country: "GR", taxId: "EL123456789" })).toBe("reverse_charge 0");
    expect(decide({ country: "FR", taxId: "FR12345678901" }, registered("FR", "EU"))).toBe(
      "reverse_charge 0",
    );
  });

  test("taxes a tax id of another shape as a consumer, and says so", () => {
    expect(decide({ country: "FR", taxId: "DE123456789" })).toBe("taxed 19 !");
    expect(decide({ country: "FR", taxId: "" })).toBe("taxed 19 !");
  });

  test("taxes consumers of other member states where it is registered, else at home", () => {
    expect(decide({ country: "FR" })).toBe("taxed 19 !");
    expect(decide({ country: "FR" }, registered("FR"))).toBe("taxed 20");
    expect(decide({ country: "HU" }, registered("EU"))).toBe("taxed 27");
    expect(decide({ country: "HU" }, registered("FR"))).toBe("taxed 19 !");
  });

  test("a registration counts from its first day to its last", () => {
    const settings = {
      ...german,
      registrations: [{ country: "EU", taxId: undefined, from: "2026-01-01", to: "2026-06-30" }],
    };
    const on = (day: string) => decide({ country: "FR" }, settings, { day });
    expect(["2025-12-31", "2026-01-01", "2026-06-30", "2026-07-01"].map(on)).toEqual([
      "taxed 19 !",
      "taxed 20",
      "taxed 20",
      "taxed 19 !",
    ]);
  });

  test("exports without tax, except where it is registered", () => {
    expect(decide({ country: "US" })).toBe("exempt 0");
    expect(decide({ country: "CH" })).toBe("exempt 0");
    expect(decide({ country: "CH" }, registered("CH"))).toBe("taxed 8.1");
  });

  test("obeys what the customer is said to be", () => {
    expect(decide({ country: "DE", taxExempt: "exempt" })).toBe("exempt 0");
    expect(decide({ country: "CH", taxExempt: "reverse_charge" })).toBe("reverse_charge 0");
    expect(decide({ country: "DE", taxExempt: "none" })).toBe("taxed 19");
  });

  test("taxes a customer without a country at home, and says so", () => {
    expect(decide({})).toBe("taxed 19 !");
  });

  test("may have prices that include the tax", () => {
    expect(decide({ country: "DE" }, { ...german, pricesIncludeTax: true })).toBe("taxed 19 inclusive");
  });
});

test("a seller outside the Union exports into it, unless registered there", () => {
  const american: TaxSettings = { ...german, country: "US" };
  expect(decide({ country: "DE" }, american)).toBe("exempt 0");
  expect(decide({ country: "DE", taxId: "DE123456789" }, american)).toBe("exempt 0");
  const oss = { ...registered("EU"), country: "US" };
  expect(decide({ country: "DE" }, oss)).toBe("taxed 19");
  expect(decide({ country: "DE", taxId: "DE123456789" }, oss)).toBe("reverse_charge 0");
});

test("without settings, or without a rate, no tax is charged and the reason is given", () => {
  expect(
    decideRate({ settings: undefined, rates: [], buyer: {}, category: "standard", day: "2026-01-01" }),
  ).toMatchObject({
    treatment: "not_collected",
    notice: expect.stringContaining("no tax settings") as string,
  });
  expect(decide({ country: "US" }, { ...german, country: "US" })).toBe("not_collected 0 !");
  expect(decide({ country: "DE" }, { ...german, builtInRates: false })).toBe("not_collected 0 !");
  expect(decide({ country: "DE" }, german, { day: "2023-12-31" })).toBe("not_collected 0 !");
});

describe("the organization's own rates", () => {
  test("come before Weir's; the latest that began counts, and its end brings Weir's back", () => {
    const rates = [
      own({ validFrom: "2025-01-01", percent: Decimal.of(18) }),
      own({ validFrom: "2026-01-01", percent: Decimal.of(16), validTo: "2026-06-30" }),
    ];
    const on = (day: string) => decide({ country: "DE" }, german, { rates, day });
    expect(["2024-12-31", "2025-12-31", "2026-01-01", "2026-06-30", "2026-07-01"].map(on)).toEqual([
      "taxed 19",
      "taxed 18",
      "taxed 16",
      "taxed 16",
      "taxed 19",
    ]);
  });

  test("of the category first, then the standard one with a notice", () => {
    const rates = [own({ category: "books", percent: Decimal.of(7) })];
    expect(decide({ country: "DE" }, german, { rates, category: "books" })).toBe("taxed 7");
    expect(decide({ country: "DE" }, german, { rates, category: "films" })).toBe("taxed 19 !");
    rates.push(own({ percent: Decimal.of(20) }));
    expect(decide({ country: "DE" }, german, { rates, category: "films" })).toBe("taxed 20 !");
  });

  test("of a region before those of its country", () => {
    const american: TaxSettings = { ...german, country: "US", region: "TX" };
    const rates = [
      own({ country: "US", region: "CA", percent: Decimal.of("7.25") }),
      own({ country: "US", region: "TX", percent: Decimal.of("6.25") }),
    ];
    expect(decide({ country: "US", region: "CA" }, american, { rates })).toBe("taxed 7.25");
    expect(decide({ country: "US", region: "OR" }, american, { rates })).toBe("not_collected 0 !");
    expect(decide({}, american, { rates })).toBe("taxed 6.25 !");
  });

  test("may exempt a category, or include the tax by themselves", () => {
    const rates = [
      own({ category: "insurance", treatment: "exempt", percent: Decimal.zero, note: "§ 4 Nr. 10 UStG" }),
      own({ category: "retail", inclusive: true }),
    ];
    expect(decide({ country: "DE" }, german, { rates, category: "insurance" })).toBe("exempt 0");
    expect(decide({ country: "DE" }, german, { rates, category: "retail" })).toBe("taxed 19 inclusive");
  });
});

describe("Weir's table", () => {
  test("knows every member state and the day of a change", () => {
    expect(new Set(standardRates.map(({ country }) => country)).size).toBe(27 + 9);
    const on = (country: string, day: string) => standardRateOn(country, undefined, day)?.percent.toString();
    expect([on("EE", "2025-06-30"), on("EE", "2025-07-01")]).toEqual(["22", "24"]);
    expect([on("FI", "2024-08-31"), on("FI", "2024-09-01")]).toEqual(["24", "25.5"]);
    expect([on("SK", "2024-12-31"), on("SK", "2025-01-01")]).toEqual(["20", "23"]);
    expect([on("RO", "2025-07-31"), on("RO", "2025-08-01")]).toEqual(["19", "21"]);
    expect(on("US", "2026-01-01")).toBeUndefined();
  });

  test("knows the provinces that have a harmonized rate", () => {
    const on = (region: string) => standardRateOn("CA", region, "2026-01-01")?.percent.toString();
    expect(["ON", "NS", "AB", "QC"].map(on)).toEqual(["13", "14", "5", "5"]);
  });

  test("a new rate begins with the buyer's day, not with UTC's", () => {
    const table = { settings: { ...german, country: "SK" }, rates: [] };
    const rateIn = (zone: string) =>
      decideRates(
        table,
        { country: "SK", timeZone: parseTimeZone(zone) },
        ["standard", "standard"],
        parseInstant("2024-12-31T23:30:00Z")!,
      );
    expect(rateIn("Europe/Bratislava").get("standard")?.percent.toString()).toBe("23");
    expect(rateIn("UTC").get("standard")?.percent.toString()).toBe("20");
  });
});

describe("tax ids", () => {
  test.each([
    ["AT", "ATU12345678"],
    ["BE", "BE 0123.456.789"],
    ["CH", "CHE-123.456.789 MWST"],
    ["CY", "CY12345678X"],
    ["CZ", "CZ1234567890"],
    ["ES", "ESX1234567X"],
    ["GB", "gb 123 4567 89"],
    ["GR", "EL123456789"],
    ["IE", "IE1234567WA"],
    ["IE", "IE1Z34567W"],
    ["IN", "27AAPFU0939F1ZV"],
    ["JP", "T1234567890123"],
    ["LT", "LT123456789012"],
    ["NL", "NL123456789B01"],
    ["NO", "NO 123 456 789 MVA"],
    ["SE", "SE123456789001"],
    ["US", "12-3456789"],
    [undefined, "ABC123"],
  ])("%s: %s has the shape", (country, text) => {
    expect(checkTaxId(country, text)).toMatchObject({ ok: true });
  });

  test.each([
    ["DE", "DE12345678"],
    ["DE", "ATU12345678"],
    ["FR", "FRIO123456789"],
    ["GR", "GR123456789"],
    ["ES", "ESABCDEFGHI"],
    ["NL", "NL123456789A01"],
    ["US", "x"],
    ["US", "<script>"],
  ])("%s: %s has not", (country, text) => {
    const checked = checkTaxId(country, text);
    expect(checked.ok ? "" : checked.fault).toContain(text);
  });
});

// taxRates of catalog.yaml: made, ended, refused, exported, beside what else a file describes.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { listAudit } from "../../src/audit/index.js";
import { Catalog, CatalogFiles } from "../../src/catalog/index.js";
import type { Postgres } from "../../src/engines/postgres/index.js";
import { openIdentity, type Caller, type Identity } from "../../src/identity/index.js";
import { FixedClock, sameClock } from "../../src/kernel/clock.js";
import { parseInstant } from "../../src/kernel/instant.js";
import { Refusal } from "../../src/kernel/problem.js";
import { tax_rates_max, Taxes, taxRatesSection } from "../../src/tax/index.js";
import { openTestPostgres } from "./embedded-postgres.js";

const clock = new FixedClock(parseInstant("2026-03-15T12:00:00Z")!);
const clocks = sameClock(clock);
/** Nothing here is metered. */
const meters = {
  findMeter: () => Promise.resolve(undefined),
  list: () => Promise.resolve([]),
  create: () => Promise.resolve(),
};
let postgres: Postgres;
let remove: () => Promise<void>;
let identity: Identity;
let files: CatalogFiles;
let catalog: Catalog;
let taxes: Taxes;
let caller: Caller;
let organizations = 0;

beforeAll(async () => {
  ({ postgres, remove } = await openTestPostgres());
  identity = openIdentity({ postgres, clock });
  files = new CatalogFiles({ postgres, meters, clock, clocks, sections: [taxRatesSection] });
  catalog = new Catalog({ postgres, meters, clock, clocks });
  taxes = new Taxes({ postgres, clock });
});
afterAll(() => remove());
beforeEach(async () => {
  caller = await newCaller();
});

async function newCaller(): Promise<Caller> {
  organizations += 1;
  const slug = `org-${organizations}`;
  const { id } = await identity.createOrganization({ slug, name: "Nimbus", mode: "test" });
  return { organization: id, key: "key_test" as Caller["key"], kind: "secret" };
}

async function apply(text: string, options: { dryRun?: boolean } = {}): Promise<string[]> {
  const { changes } = await files.apply(caller, text, options);
  return changes.map(({ section, key, action }) => `${section} ${key} ${action}`);
}

async function faultsOf(text: string): Promise<string[]> {
  const refusal = await files.apply(caller, text).catch((error: unknown) => error);
  if (!(refusal instanceof Refusal)) throw new Error(`not refused: ${String(refusal)}`);
  const errors = refusal.problem["errors"] as { line: number; path: string; message: string }[];
  return errors.map(({ line, path, message }) => `${line} ${path}: ${message}`);
}

/** "DE standard 19 2026-01-01–2026-12-31" */
async function rates(): Promise<string[]> {
  const found = await taxes.listRates(caller.organization, { limit: tax_rates_max });
  return found
    .map(({ country, region, category, percent, validFrom, validTo }) =>
      [country, region, category, percent.toString(), `${validFrom}–${validTo ?? ""}`]
        .filter((part) => part !== undefined)
        .join(" "),
    )
    .sort();
}
/** In no order: the clock stands still. */
const actions = async () =>
  (await listAudit(postgres, caller.organization, { first: 50 })).entries
    .map(({ action }) => action)
    .filter((action) => action !== "organization.create")
    .sort();

const german = `taxRates:
  - { country: DE, name: USt, percent: 19, validFrom: 2026-01-01 }
`;
const ended = german.replace("01-01 }", "01-01, validTo: 2026-12-31 }");
const several = `taxRates:
  - country: de
    category: books
    name: USt
    percent: "7.50"
    inclusive: false
    note: Reduced by § 12
    validFrom: 2026-01-01
    validTo: 2026-12-31
  - country: CA
    region: on
    name: HST
    percent: 13
    validFrom: 2026-07-01
  - country: NO
    category: schooling
    treatment: exempt
    name: MVA
    validFrom: 2026-01-01
`;

describe("applying", () => {
  test("makes the rates that are missing, and a second time changes nothing", async () => {
    const keys = ["DE:books:2026-01-01", "CA-ON:standard:2026-07-01", "NO:schooling:2026-01-01"];
    const created = keys.map((key) => `taxRates ${key} create`);
    expect(await apply(several, { dryRun: true })).toEqual(created);
    expect(await rates()).toEqual([]);
    expect(await apply(several)).toEqual(created);
    const stored = [
      "CA ON standard 13 2026-07-01–",
      "DE books 7.5 2026-01-01–2026-12-31",
      "NO schooling 0 2026-01-01–",
    ];
    expect(await rates()).toEqual(stored);
    const audited = ["tax_rate.add", "tax_rate.add", "tax_rate.add", "tax_rate.end"];
    expect(await actions()).toEqual(audited);
    expect(await apply(several)).toEqual(keys.map((key) => `taxRates ${key} none`));
    expect(await rates()).toEqual(stored);
    expect(await actions()).toEqual(audited);
    const [books] = await taxes.listRates(caller.organization, { limit: 1, country: "DE" });
    expect(books).toMatchObject({
      name: "USt",
      inclusive: false,
      note: "Reduced by § 12",
      region: undefined,
    });
  });

  test("decides what customers are charged", async () => {
    await taxes.setSettings(caller, { country: "NO" });
    await apply(several);
    const charged = await taxes.preview(caller.organization, { country: "NO" }, ["schooling", "standard"]);
    expect([...charged.values()].map(({ treatment }) => treatment)).toEqual(["exempt", "taxed"]);
  });

  test("ends a rate, once and for all, and shows the day", async () => {
    await apply(german);
    const shown = await files.apply(caller, ended, { dryRun: true });
    expect(shown.changes).toEqual([
      {
        section: "taxRates",
        key: "DE:standard:2026-01-01",
        action: "change",
        differences: [{ path: "validTo", after: '"2026-12-31"' }],
      },
    ]);
    expect(await apply(ended)).toEqual(["taxRates DE:standard:2026-01-01 change"]);
    expect(await apply(ended)).toEqual(["taxRates DE:standard:2026-01-01 none"]);
    expect(await rates()).toEqual(["DE standard 19 2026-01-01–2026-12-31"]);
    expect(await actions()).toEqual(["tax_rate.add", "tax_rate.end"]);
    expect(await faultsOf(german)).toEqual([
      expect.stringMatching(
        /^2 taxRates\[0\]: it ended on 2026-12-31, once and for all: say validTo: 2026-12-31/,
      ),
    ]);
    expect(await faultsOf(ended.replace("12-31", "11-30"))).toEqual([
      expect.stringMatching(/^2 taxRates\[0\]\.validTo: it ended on 2026-12-31/),
    ]);
  });

  test("leaves alone what the file does not name: single rates, and all of them without the section", async () => {
    await apply(several);
    const before = await rates();
    expect(await apply("products: [{ key: p }]\n")).toEqual(["products p create"]);
    expect(await apply("taxRates: []\n")).toEqual([]);
    expect(await apply("taxRates:\n")).toEqual([]);
    expect(await apply(german)).toEqual(["taxRates DE:standard:2026-01-01 create"]);
    expect(await rates()).toEqual(["DE standard 19 2026-01-01–", ...before].sort());
  });

  test("under one idempotency key once, though the rate was ended since", async () => {
    const first = await files.apply(caller, german, {}, "once");
    await apply(ended);
    expect(await files.apply(caller, german, {}, "once")).toEqual(first);
  });

  test("five at once make each rate once", async () => {
    const reports = await Promise.all([1, 2, 3, 4, 5].map(() => apply(ended)));
    expect(reports.flat().filter((change) => change.endsWith("create"))).toHaveLength(1);
    expect(await rates()).toEqual(["DE standard 19 2026-01-01–2026-12-31"]);
  });
});

describe("refusing", () => {
  test("names every fault with line and path, and applies nothing of the file", async () => {
    const bad = `products: [{ key: p }]
taxRates:
  - country: UK
    name: VAT
    percent: 120
    validFrom: 2026-02-30
  - country: DE
    percnt: 19
    validFrom: 2026-01-01
    validTo: 2025-12-31
  - { country: DE, name: USt, treatment: exempt, percent: 5, validFrom: 2026-01-01 }
  - { country: FR, name: TVA, percent: 20, validFrom: 2026-01-01, inclusive: maybe, treatment: free }
  - { country: AT, name: USt, percent: 20, validFrom: 2026-01-01 }
  - { country: at, name: USt, percent: 10, category: standard, validFrom: 2026-01-01 }
  - none
`;
    expect(await faultsOf(bad)).toEqual([
      expect.stringMatching(/^3 taxRates\[0\]\.country: .*the United Kingdom is GB$/),
      expect.stringMatching(/^5 taxRates\[0\]\.percent: "120" is not a number from 0 to 100/),
      expect.stringMatching(/^6 taxRates\[0\]\.validFrom: "2026-02-30" is not a day/),
      expect.stringMatching(/^7 taxRates\[1\]\.name: is missing: as it is printed/),
      expect.stringMatching(/^7 taxRates\[1\]\.percent: is missing: 19 is 19 %/),
      expect.stringMatching(/^8 taxRates\[1\]\.percnt: .*did you mean "percent"\?$/),
      expect.stringMatching(/^10 taxRates\[1\]\.validTo: the rate begins on 2026-01-01/),
      expect.stringMatching(/^11 taxRates\[2\]\.percent: an exempt rate has 0 %/),
      expect.stringMatching(/^12 taxRates\[3\]\.inclusive: must be true or false/),
      expect.stringMatching(/^12 taxRates\[3\]\.treatment: must be one of taxed, exempt, not "free"/),
      expect.stringMatching(
        /^14 taxRates\[5\]: "AT:standard:2026-01-01" is there twice: taxRates\[4\] is it too$/,
      ),
      expect.stringMatching(/^15 taxRates\[6\]: a mapping of fields is needed here, not "none"/),
    ]);
    expect(await faultsOf("taxRates: { DE: 19 }")).toEqual([
      expect.stringMatching(/^1 taxRates: must be a list, not a mapping/),
    ]);
    expect(await rates()).toEqual([]);
    expect(await actions()).toEqual([]);
  });

  test("a rate that is there and differs: it never changes", async () => {
    await apply(german);
    expect(await faultsOf(`products: [{ key: p }]\n${german.replace("19", "16")}`)).toEqual([
      expect.stringMatching(
        /^3 taxRates\[0\]: a rate never changes, and this one differs \(percent: "19" → "16"\): let the new one begin on another day/,
      ),
    ]);
    expect(await catalog.products.find(caller.organization, "p")).toBeUndefined();
    expect(await apply(german.replace("19", "16").replace("2026", "2027"))).toHaveLength(1);
    expect(await rates()).toEqual(["DE standard 16 2027-01-01–", "DE standard 19 2026-01-01–"]);
  });

  test("a fault elsewhere in the file keeps its rates from being made", async () => {
    await apply("coupons: [{ key: c, percentOff: 10 }]");
    await faultsOf(`${several}coupons: [{ key: c, percentOff: 20 }]\n`);
    expect(await rates()).toEqual([]);
  });

  test("more rates than an organization may have", async () => {
    const { organization } = caller;
    await postgres.inOrganization(
      organization,
      (sql) => sql`
        INSERT INTO tax_rates (organization, id, country, category, name, percent, treatment, valid_from, created_at)
        SELECT ${organization}, 'txr_' || n, 'FR', 'standard', 'TVA', 20, 'taxed', '2030-01-01'::date + n, now()
        FROM generate_series(1, ${tax_rates_max - 1}) AS n`,
    );
    const two = `${german}  - { country: AT, name: USt, percent: 20, validFrom: 2026-01-01 }\n`;
    expect(await faultsOf(two)).toEqual([
      "1 taxRates: at most 5000 rates, ended ones included: there are 4999, and 2 are new",
    ]);
    expect(await apply(german)).toEqual(["taxRates DE:standard:2026-01-01 create"]);
    expect(await apply(ended)).toEqual(["taxRates DE:standard:2026-01-01 change"]);
  });
});

describe("exporting", () => {
  test("writes every rate, ended ones too; applied, it changes nothing, there and in another organization", async () => {
    await apply(`${several}${german.replace("taxRates:\n", "")}`);
    const exported = await files.export(caller.organization);
    expect(exported).toBe(`taxRates:
  - country: CA
    region: ON
    name: HST
    percent: "13"
    validFrom: 2026-07-01
  - country: DE
    category: books
    name: USt
    percent: "7.5"
    inclusive: false
    note: Reduced by § 12
    validFrom: 2026-01-01
    validTo: 2026-12-31
  - country: DE
    name: USt
    percent: "19"
    validFrom: 2026-01-01
  - country: NO
    category: schooling
    name: MVA
    treatment: exempt
    validFrom: 2026-01-01
`);
    expect((await apply(exported)).filter((change) => !change.endsWith("none"))).toEqual([]);
    const there = await rates();
    caller = await newCaller();
    expect(await files.export(caller.organization)).toBe("# The catalog is empty.\n");
    expect(await rates()).toEqual([]);
    await apply(exported);
    expect(await rates()).toEqual(there);
    expect(await files.export(caller.organization)).toBe(exported);
  });
});

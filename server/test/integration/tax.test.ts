import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { listAudit } from "../../src/audit/index.js";
import type { Postgres } from "../../src/engines/postgres/index.js";
import { openIdentity, type Caller, type Identity } from "../../src/identity/index.js";
import { FixedClock } from "../../src/kernel/clock.js";
import { parseInstant } from "../../src/kernel/instant.js";
import { Refusal } from "../../src/kernel/problem.js";
import { decideRates } from "../../src/tax/core/index.js";
import { Taxes, type NewTaxRate } from "../../src/tax/index.js";
import { openTestPostgres } from "./embedded-postgres.js";

const clock = new FixedClock(parseInstant("2026-03-15T12:00:00Z")!);
let postgres: Postgres;
let remove: () => Promise<void>;
let identity: Identity;
let taxes: Taxes;
let caller: Caller;
let organizations = 0;

beforeAll(async () => {
  ({ postgres, remove } = await openTestPostgres());
  identity = openIdentity({ postgres, clock });
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

const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no refusal",
    (error: unknown) =>
      error instanceof Refusal
        ? `${error.problem.status} ${error.slug}: ${error.problem.detail}`
        : String(error),
  );
/** In no order: the clock stands still. */
const actionsOf = async () =>
  (await listAudit(postgres, caller.organization, { first: 20 })).entries.map(({ action }) => action).sort();

const german: NewTaxRate = { country: "DE", name: "USt", percent: "16", validFrom: "2026-01-01" };
const chargedIn = async (country: string) => {
  const rates = await taxes.preview(caller.organization, { country }, ["standard"]);
  const { percent, treatment } = rates.get("standard")!;
  return `${treatment} ${percent.toString()}`;
};

describe("settings", () => {
  test("are none until they are set, as a whole", async () => {
    const { organization } = caller;
    expect(await taxes.settingsOf(organization)).toBeUndefined();
    expect(await chargedIn("DE")).toBe("not_collected 0");
    await taxes.setSettings(caller, {
      country: "de",
      region: "be",
      pricesIncludeTax: true,
      builtInRates: false,
      registrations: [
        { country: "EU", from: "2026-01-01" },
        { country: "ch", taxId: "CHE-123.456.789 MWST", to: "2027-12-31" },
      ],
    });
    expect(await taxes.settingsOf(organization)).toEqual({
      country: "DE",
      region: "BE",
      pricesIncludeTax: true,
      builtInRates: false,
      registrations: [
        { country: "EU", taxId: undefined, from: "2026-01-01", to: undefined },
        { country: "CH", taxId: "CHE123456789MWST", from: undefined, to: "2027-12-31" },
      ],
    });
    const replaced = await taxes.setSettings(caller, { country: "DE" });
    expect(replaced).toEqual({
      country: "DE",
      region: undefined,
      pricesIncludeTax: false,
      builtInRates: true,
      registrations: [],
    });
    expect(await chargedIn("DE")).toBe("taxed 19");
    expect(await actionsOf()).toEqual(["organization.create", "tax_settings.set", "tax_settings.set"]);
  });

  test("list every fault by field", async () => {
    const refusal = await refusalOf(
      taxes.setSettings(caller, {
        country: "UK",
        region: "Berlin",
        registrations: [
          { country: "DE", taxId: "DE12" },
          { country: "QQ", from: "2026-02-30" },
          { country: "FR", from: "2026-02-01", to: "2026-01-01" },
        ],
      }),
    );
    for (const part of ["400", "GB", "region", "[0].taxId", "[1].country", "[1].from", "[2].to"])
      expect(refusal).toContain(part);
    const many = Array.from({ length: 101 }, () => ({ country: "DE" }));
    expect(await refusalOf(taxes.setSettings(caller, { country: "DE", registrations: many }))).toContain(
      "at most 100",
    );
  });

  test("are set once per idempotency key", async () => {
    await taxes.setSettings(caller, { country: "DE" }, "first");
    await taxes.setSettings(caller, { country: "FR" }, "second");
    expect((await taxes.setSettings(caller, { country: "DE" }, "first")).country).toBe("FR");
    expect(await refusalOf(taxes.setSettings(caller, { country: "AT" }, "first"))).toContain("422");
  });
});

describe("rates", () => {
  beforeEach(() => taxes.setSettings(caller, { country: "DE" }));

  test("of one's own come before Weir's, until they end", async () => {
    const rate = await taxes.addRate(caller, german);
    expect(await chargedIn("DE")).toBe("taxed 16");
    const ended = await taxes.endRate(caller, { rate: rate.id, lastDay: "2026-03-14" });
    expect(ended.validTo).toBe("2026-03-14");
    expect(await chargedIn("DE")).toBe("taxed 19");
    expect(await actionsOf()).toEqual([
      "organization.create",
      "tax_rate.add",
      "tax_rate.end",
      "tax_settings.set",
    ]);
  });

  test("a later one takes the place of an earlier one; two cannot begin on one day", async () => {
    await taxes.addRate(caller, german);
    await taxes.addRate(caller, { ...german, percent: "17.5", validFrom: "2026-03-15" });
    expect(await chargedIn("DE")).toBe("taxed 17.5");
    expect(await refusalOf(taxes.addRate(caller, { ...german, percent: "15" }))).toContain(
      "409 tax-rate-exists",
    );
    await taxes.addRate(caller, { ...german, category: "books", percent: "7" });
  });

  test("end once: the same day again changes nothing, another is refused", async () => {
    const { id } = await taxes.addRate(caller, german);
    expect(await refusalOf(taxes.endRate(caller, { rate: id, lastDay: "2025-12-31" }))).toContain("400");
    await taxes.endRate(caller, { rate: id, lastDay: "2026-06-30" });
    expect((await taxes.endRate(caller, { rate: id, lastDay: "2026-06-30" })).validTo).toBe("2026-06-30");
    expect(await refusalOf(taxes.endRate(caller, { rate: id, lastDay: "2026-07-31" }))).toContain(
      "409 tax-rate-ended",
    );
    expect(await refusalOf(taxes.endRate(caller, { rate: "txr_x", lastDay: "2026-07-31" }))).toContain("404");
  });

  test("are added once per idempotency key", async () => {
    const first = await taxes.addRate(caller, german, "once");
    expect((await taxes.addRate(caller, german, "once")).id).toBe(first.id);
    expect(await taxes.listRates(caller.organization, { limit: 10 })).toHaveLength(1);
  });

  test.each([
    [{ country: "Germany" }, "country"],
    [{ region: "????" }, "region"],
    [{ category: "Big Books" }, "category"],
    [{ name: "" }, "name"],
    [{ percent: "100.1" }, "percent"],
    [{ percent: "-1" }, "percent"],
    [{ percent: "1e999" }, "percent"],
    [{ percent: "1.2345678" }, "6 digits"],
    [{ treatment: "exempt" as const }, "0 %"],
    [{ validFrom: "2026-02-29" }, "validFrom"],
    [{ validFrom: "01.01.2026" }, "validFrom"],
    [{ note: "x".repeat(513) }, "note"],
  ])("%o is refused by its field", async (change, field) => {
    const refusal = await refusalOf(taxes.addRate(caller, { ...german, ...change }));
    expect(refusal).toContain("400 invalid-tax-rate");
    expect(refusal).toContain(field);
  });

  test("rows refuse to change, whoever asks", async () => {
    const { id } = await taxes.addRate(caller, german);
    const run = (change: string) =>
      postgres.inOrganization(caller.organization, (sql) => sql.unsafe(change, [id]));
    await expect(run("UPDATE tax_rates SET percent = 0 WHERE id = $1")).rejects.toThrow(/permission denied/);
    await expect(run("DELETE FROM tax_rates WHERE id = $1")).rejects.toThrow(/permission denied/);
    await run("UPDATE tax_rates SET valid_to = '2026-12-31', ended_at = now() WHERE id = $1");
    await expect(run("UPDATE tax_rates SET valid_to = NULL, ended_at = NULL WHERE id = $1")).rejects.toThrow(
      /once/,
    );
  });

  test("another organization sees none of them, nor the settings", async () => {
    const rate = await taxes.addRate(caller, german);
    const other = await newCaller();
    expect(await taxes.listRates(other.organization, { limit: 10 })).toEqual([]);
    expect(await taxes.settingsOf(other.organization)).toBeUndefined();
    expect(await refusalOf(taxes.endRate(other, { rate: rate.id, lastDay: "2026-06-30" }))).toContain("404");
  });

  test("the port gives a table that serves many buyers", async () => {
    await taxes.addRate(caller, { ...german, category: "books", percent: "7" });
    const { organization } = caller;
    const table = await postgres.inOrganization(organization, (sql) => taxes.tableOf(sql, organization));
    const percents = (country: string) =>
      [...decideRates(table, { country }, ["standard", "books"], clock.now()).values()].map((rate) =>
        rate.percent.toString(),
      );
    expect([percents("DE"), percents("US")]).toEqual([
      ["19", "7"],
      ["0", "0"],
    ]);
    const direct = await postgres.inOrganization(organization, (sql) =>
      taxes.ratesFor(sql, organization, { country: "DE" }, ["books"], clock.now()),
    );
    expect(direct.get("books")?.percent.toString()).toBe("7");
  });
});

describe("the billing profile", () => {
  const profile = {
    legalName: " Nimbus GmbH ",
    line1: "Torstraße 1",
    line2: "",
    city: "Berlin",
    postalCode: "10119",
    country: "de",
    taxId: "DE123456789",
    email: "billing@nimbus.example",
    bankDetails: "IBAN DE02 1203 0000 0000 2020 51\nBIC BYLADEM1001",
  };

  test("is none until it is set, as a whole, and audited", async () => {
    const { organization } = caller;
    expect(await identity.findBillingProfile(organization)).toBeUndefined();
    await identity.setBillingProfile(caller, profile);
    expect(await identity.findBillingProfile(organization)).toEqual({
      ...profile,
      legalName: "Nimbus GmbH",
      country: "DE",
      line2: undefined,
      region: undefined,
    });
    await identity.setBillingProfile(caller, { legalName: "Nimbus SE" }, "k");
    expect(await identity.findBillingProfile(organization)).toMatchObject({
      legalName: "Nimbus SE",
      city: undefined,
    });
    expect(await actionsOf()).toEqual(["billing_profile.set", "billing_profile.set", "organization.create"]);
    await identity.setBillingProfile(caller, profile);
    expect((await identity.setBillingProfile(caller, { legalName: "Nimbus SE" }, "k")).city).toBe("Berlin");
    const other = await newCaller();
    expect(await identity.findBillingProfile(other.organization)).toBeUndefined();
  });

  test("lists every fault by field", async () => {
    const refusal = await refusalOf(
      identity.setBillingProfile(caller, {
        legalName: " ",
        country: "Deutschland",
        email: "nobody",
        taxId: "1",
        line1: "a\u0000b",
        city: "x".repeat(129),
        bankDetails: "line\n".repeat(8) + "end",
      }),
    );
    for (const field of ["400", "legalName", "country", "email", "taxId", "line1", "city", "bankDetails"])
      expect(refusal).toContain(field);
  });
});

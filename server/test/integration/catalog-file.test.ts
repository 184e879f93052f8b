// catalog.yaml against a whole Weir: applied, compared, refused, exported, on the real stores.
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Caller } from "../../src/identity/index.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { parseInstant } from "../../src/kernel/instant.js";
import { Refusal } from "../../src/kernel/problem.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let caller: Caller;
let organizations = 0;
const guide = new URL("../../../docs/guide/catalog.md", import.meta.url);

beforeAll(async () => {
  weir = await startTestWeir("catalog-file");
});
afterAll(() => weir?.close());

beforeEach(async () => {
  caller = await newCaller();
});

async function newCaller(): Promise<Caller> {
  organizations += 1;
  const { identity } = weir.weir.services;
  const { id } = await identity.createOrganization({
    slug: `org-${organizations}`,
    name: "Test",
    mode: "test",
  });
  const { key } = await identity.createKey(
    { organization: id, key: "key_x" as Caller["key"], kind: "secret" },
    { name: "t", kind: "secret" },
  );
  return { organization: id, key: key.id, kind: "secret" };
}

const files = () => weir.weir.services.catalogFiles;
const catalog = () => weir.weir.services.catalog;

/** "plans pro create" for each change but those that change nothing. */
async function apply(text: string, options: Parameters<ReturnType<typeof files>["apply"]>[2] = {}) {
  const { changes } = await files().apply(caller, text, options);
  return changes
    .filter((change) => change.action !== "none")
    .map((change) => `${change.section} ${change.key} ${change.action}`);
}

interface Fault {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

async function faultsOf(text: string): Promise<readonly Fault[]> {
  const refusal = await files()
    .apply(caller, text)
    .catch((error: unknown) => error);
  if (!(refusal instanceof Refusal)) throw new Error(`not refused: ${String(refusal)}`);
  return refusal.problem["errors"] as readonly Fault[];
}

async function guideExample(): Promise<string> {
  const found = /```yaml\n([\s\S]*?)```/.exec(await readFile(guide, "utf8"));
  return found?.[1] ?? "";
}

/** Everything of the catalog that is stored, and how much was audited. */
async function stored(): Promise<string> {
  return weir.weir.services.postgres.inOrganization(caller.organization, async (sql) => {
    const dumps: string[] = [];
    for (const table of [
      "meters",
      "products",
      "plans",
      "plan_versions",
      "prices",
      "add_ons",
      "add_on_versions",
      "coupons",
      "coupon_archivals",
      "tax_rates",
      "audit_log",
    ]) {
      const rows = await sql.unsafe(`SELECT to_jsonb(t)::text AS row FROM ${table} t ORDER BY 1`);
      dumps.push(`${table} ${rows.map((row) => String(row["row"])).join("\n")}`);
    }
    return dumps.join("\n");
  });
}

const meter = `
meters:
  - { slug: tokens, eventType: t, aggregation: SUM, valueProperty: $.n, groupBy: { region: $.region } }
`;
const simple = (amount: string) => `${meter}
plans:
  - key: pro
    currency: USD
    prices:
      - { key: tokens, meter: tokens, perUnit: "${amount}" }
`;

describe("applying", () => {
  test("the guide's example is applied as it stands, and a second time changes nothing", async () => {
    const yaml = await guideExample();
    expect(await apply(yaml, { dryRun: true })).toContain("plans pro create");
    expect(await stored()).not.toContain('"pro"');
    expect(await apply(yaml)).toEqual([
      "meters api-tokens create",
      "meters gpu-seconds create",
      "products inference create",
      "products support create",
      "plans pro create",
      "plans payg create",
      "addOns premium-support create",
      "coupons welcome create",
      "coupons five-off create",
      "taxRates DE:digital-services:2026-01-01 create",
      "taxRates IE:books:2026-01-01 create",
    ]);
    const before = await stored();
    expect(await apply(yaml)).toEqual([]);
    expect(await stored()).toBe(before);

    const { current } = await catalog().get(caller.organization, "pro");
    expect(current).toMatchObject({ version: 1, interval: "year", trialDays: 14, graceHours: 48 });
    const tokens = current!.prices.find((price) => price.key === "tokens")!;
    expect(tokens).toMatchObject({
      charge: "usage",
      timing: "arrears",
      interval: "month",
      taxCategory: "digital-services",
      product: { key: "inference" },
      meter: { slug: "api-tokens" },
      filters: [{ property: "region", values: ["eu", "us"] }],
    });
    expect(tokens.included!.toString()).toBe("1000000");
    expect(current!.prices.find((price) => price.key === "setup")).toMatchObject({
      charge: "one_off",
      timing: "advance",
      prorated: false,
    });
  });

  test("what is exported and applied changes nothing, there and in another organization", async () => {
    await files().apply(caller, await guideExample());
    const exported = await files().export(caller.organization);
    expect(await apply(exported)).toEqual([]);
    caller = await newCaller();
    await apply(exported);
    expect(await files().export(caller.organization)).toBe(exported);
    expect(await apply(await guideExample())).toEqual([]);
  });

  test("a plan that differs gets a new version, and the diff says where", async () => {
    await apply(simple("3"));
    const report = await files().apply(caller, simple("2.5"), { dryRun: true });
    expect(report.changes.find((change) => change.section === "plans")).toMatchObject({
      action: "new_version",
      version: 2,
      differences: [{ path: "prices.tokens.perUnit", before: '"3"', after: '"2.5"' }],
    });
    expect(await apply(simple("2.5"))).toEqual(["plans pro new_version"]);
    const plan = await catalog().get(caller.organization, "pro");
    const versions = await catalog().versionsOf(caller.organization, plan.id);
    expect(versions.map(({ version }) => version)).toEqual([1, 2]);
    expect(plan.current!.version).toBe(2);
  });

  test("a version can be scheduled, and applying the same again changes nothing", async () => {
    await apply(simple("3"));
    const effectiveFrom = parseInstant("2099-01-01T00:00:00Z")!;
    expect(await apply(simple("4"), { effectiveFrom })).toEqual(["plans pro new_version"]);
    expect(await apply(simple("4"), { effectiveFrom })).toEqual([]);
    const { organization } = caller;
    expect((await catalog().get(organization, "pro")).current!.version).toBe(1);
    expect((await catalog().getVersionInForce(organization, "pro", effectiveFrom)).version).toBe(2);
    // In force now is still the first; one that comes before the scheduled one is no obstacle to it.
    expect(await apply(simple("3.5"))).toEqual(["plans pro new_version"]);
    expect((await catalog().get(organization, "pro")).current!.version).toBe(3);
    expect((await catalog().getVersionInForce(organization, "pro", effectiveFrom)).version).toBe(2);
  });

  test("a version is not put before the one that is in force", async () => {
    await apply(simple("3"));
    const late = simple("4").replace("currency: USD", "currency: USD\n    effectiveFrom: 2020-01-01");
    expect(await faultsOf(late)).toMatchObject([
      { path: "plans[0].effectiveFrom", message: expect.stringContaining("has been in force since") },
    ]);
    // The first version may begin whenever: somebody may have been subscribed elsewhere.
    const fresh = late.replace("key: pro", "key: fresh");
    expect(await apply(fresh)).toEqual(["plans fresh create"]);
    const at = parseInstant("2020-01-01T00:00:00Z")!;
    expect((await catalog().getVersionInForce(caller.organization, "fresh", at)).version).toBe(1);
    await expect(
      catalog().getVersionInForce(caller.organization, "fresh", parseInstant("2019-12-31T23:59:59.999999Z")!),
    ).rejects.toThrow(/no version in force/);
  });

  test("products change in place, coupons are archived once and for all and never change", async () => {
    await apply("products: [{ key: a }]\ncoupons: [{ key: c, percentOff: 10 }]\n");
    expect(await apply("products: [{ key: a, name: A, taxCategory: books }]")).toEqual(["products a change"]);
    expect(await faultsOf("coupons:\n  - { key: c, percentOff: 20 }")).toMatchObject([
      { line: 2, path: "coupons[0]", message: expect.stringMatching(/never changes.*"10" → "20"/) },
    ]);
    const archive = "coupons: [{ key: c, percentOff: 10, archived: true }]";
    expect(await apply(archive)).toEqual(["coupons c archive"]);
    expect(await apply(archive)).toEqual([]);
    expect(await faultsOf("coupons: [{ key: c, percentOff: 10 }]")).toMatchObject([
      { message: expect.stringContaining("archived, once and for all") },
    ]);
    expect(await files().export(caller.organization)).not.toContain("coupons");
  });

  test("under one idempotency key a file is applied once", async () => {
    const first = await files().apply(caller, simple("3"), {}, "once");
    await files().apply(caller, simple("4"));
    expect(await files().apply(caller, simple("3"), {}, "once")).toEqual(first);
    expect((await catalog().get(caller.organization, "pro")).current!.version).toBe(2);
    await expect(files().apply(caller, simple("5"), {}, "once")).rejects.toThrow(/different request/);
  });

  test("ten at once end as one after the other: each price once, versions numbered without a gap", async () => {
    await apply(simple("1"));
    const amounts = ["2", "3", "2", "3", "4", "4", "5", "5", "6", "6"];
    await Promise.all(amounts.map((amount) => files().apply(caller, simple(amount))));
    const plan = await catalog().get(caller.organization, "pro");
    const versions = await catalog().versionsOf(caller.organization, plan.id);
    expect(versions.map(({ version }) => version)).toEqual(versions.map((_, index) => index + 1));
    // A version that says what the one before says would be a change that changes nothing.
    const texts = versions.map(({ prices }) => JSON.stringify(prices[0]!.model));
    expect(texts.filter((text, index) => text === texts[index - 1])).toEqual([]);
    expect(new Set(texts).size).toBe(6);
  });

  test("of two that make the same meter and plan at once, one makes them", async () => {
    const reports = await Promise.all([1, 2, 3].map(() => apply(simple("1"))));
    expect(reports.flat().filter((change) => change === "plans pro create")).toHaveLength(1);
    const meters = await weir.weir.services.usage.meters.list(caller.organization);
    expect(meters.map(({ slug }) => slug)).toEqual(["tokens"]);
  });
});

describe("refusing", () => {
  test("a bad file is refused with line, column and path of every fault, and nothing is applied", async () => {
    const before = await stored();
    const bad = `meters:
  - slug: tokens
    eventType: t
    aggregation: SUMM
  - { slug: good, eventType: t, aggregation: COUNT }
products:
  - key: Bad Key
plans:
  - key: pro
    curency: USD
    interval: fortnight
    prices:
      - key: a
        meter: good
        graduated:
          tiers:
            - { upTo: 5, unitAmount: "x" }
            - { upTo: 3, unitAmount: 1, flatAmout: 2 }
      - key: a
        meter: nowhere
        perUnit: 12345678901234567
  - key: basic
    currency: USD
    trialDays: -1
    minimum: "10.001"
    prices:
      - { key: fee, flat: "5", meter: good }
      - { key: seats, charge: licensed, flat: "5" }
      - { key: once, charge: one_off, flat: "5", interval: week }
      - { key: nothing }
      - { key: two, flat: "5", perUnit: "5" }
coupons:
  - key: c
    percentOff: 120
    appliesTo: { products: [nothing] }
taxes: []
`;
    const faults = await faultsOf(bad);
    const shown = faults.map(({ line, path, message }) => `${line} ${path}: ${message}`);
    expect(shown).toEqual([
      expect.stringMatching(/^4 meters\[0\]\.aggregation: must be one of SUM, .*not "SUMM"$/),
      expect.stringMatching(/^7 products\[0\]\.key: lower case letters/),
      expect.stringMatching(/^9 plans\[0\]\.currency: is missing/),
      expect.stringMatching(/^10 plans\[0\]\.curency: .*did you mean "currency"\?$/),
      expect.stringMatching(/^11 plans\[0\]\.interval: must be one of week, month, quarter, year/),
      expect.stringMatching(
        /^17 plans\[0\]\.prices\[0\]\.graduated\.tiers\[0\]\.unitAmount: must be a decimal number/,
      ),
      expect.stringMatching(/^18 .*tiers\[1\]\.upTo: the last tier is open/),
      expect.stringMatching(/^18 .*tiers\[1\]\.upTo: must be above 5/),
      expect.stringMatching(/^18 .*graduated\.tiers\[1\]\.flatAmout: .*did you mean "flatAmount"\?$/),
      expect.stringMatching(/^19 plans\[0\]\.prices\[1\]\.key: "a" is there twice/),
      expect.stringMatching(/^20 plans\[0\]\.prices\[1\]\.meter: there is no meter "nowhere"/),
      expect.stringMatching(
        /^21 plans\[0\]\.prices\[1\]\.perUnit: 12345678901234567 has more than 15 digits: quote it/,
      ),
      expect.stringMatching(/^21 plans\[0\]\.prices\[1\]\.perUnit\.unitAmount: at most/),
      expect.stringMatching(/^24 plans\[1\]\.trialDays: a whole number from 0/),
      expect.stringMatching(/^25 plans\[1\]\.minimum/),
      expect.stringMatching(
        /^27 plans\[1\]\.prices\[0\]\.flat: flat is the same whatever was used: leave the meter out/,
      ),
      expect.stringMatching(/^28 plans\[1\]\.prices\[1\]\.flat: flat is the same whatever the quantity/),
      expect.stringMatching(/^29 plans\[1\]\.prices\[2\]\.interval: a one-off charge has no interval/),
      expect.stringMatching(/^30 plans\[1\]\.prices\[3\]: what does it cost\?/),
      expect.stringMatching(/^31 plans\[1\]\.prices\[4\]\.perUnit: a price has one model/),
      expect.stringMatching(/^34 coupons\[0\]\.percentOff: a percentage above 0, at most 100/),
      expect.stringMatching(/^35 coupons\[0\]\.appliesTo\.products\[0\]: there is no product "nothing"/),
      expect.stringMatching(/^36 taxes: .*there is: meters, products, plans, addOns, coupons, taxRates$/),
    ]);
    expect(faults[3]).toMatchObject({ line: 10, column: 14 });
    expect(await stored()).toBe(before);
  });

  test("a fault that only the stored catalog shows leaves nothing half-applied, meters included", async () => {
    await apply("coupons: [{ key: c, percentOff: 10 }]");
    const before = await stored();
    await faultsOf(`${simple("1")}\ncoupons: [{ key: c, percentOff: 11 }]\n`);
    expect(await stored()).toBe(before);
  });

  test("a meter that is there and measures otherwise is a fault", async () => {
    await apply(meter);
    expect(await faultsOf(meter.replace("SUM", "MAX"))).toMatchObject([
      { line: 3, path: "meters[0]", message: expect.stringContaining('aggregation: "SUM" → "MAX"') },
    ]);
  });

  test("a filter or a matrix on a dimension that the meter has not is a fault", async () => {
    const yaml = `${meter}
plans:
  - key: p
    currency: USD
    prices:
      - { key: a, meter: tokens, filters: { regoin: [eu] }, perUnit: "1" }
      - key: b
        meter: tokens
        matrix: { dimensions: [tier], cells: [{ values: [x], unitAmount: "1" }], defaultUnitAmount: "1" }
`;
    expect(await faultsOf(yaml)).toMatchObject([
      { line: 9, message: expect.stringContaining('did you mean "region"?') },
      { line: 12, path: "plans[0].prices[1].matrix.dimensions[0]" },
    ]);
  });

  test("a price of each event is for a meter that sums or counts, in a file, by the API and as an override", async () => {
    const yaml = (aggregation: string) => `meters:
  - { slug: peak, eventType: t, aggregation: ${aggregation}, valueProperty: $.n }
plans:
  - key: p
    currency: USD
    prices:
      - { key: a, meter: peak, perUnit: "1", currencies: { EUR: { perUnit: "1" } } }
      - key: b
        meter: peak
        percentage: { ratePercent: 2 }
        currencies:
          EUR: { percentage: { ratePercent: 2, eventMinimum: "0.1" } }
addOns:
  - key: d
    currency: USD
    prices: [{ key: d, meter: peak, windowed: { window: day, price: { dynamic: "1.2" } } }]
`;
    const before = await stored();
    const wanted = [
      {
        line: 12,
        path: "plans[0].prices[1].currencies.EUR.percentage",
        message: expect.stringMatching(
          /^it prices each event.*"peak" do not add up.*MAX: take a meter of SUM/,
        ),
      },
      { line: 16, path: "addOns[0].prices[0].windowed" },
    ];
    expect(await faultsOf(yaml("MAX"))).toMatchObject(wanted);
    expect(await stored()).toBe(before);

    // Over a meter that is there already it is the same, and without the two there is nothing to refuse.
    await apply(yaml("MAX").replace(', eventMinimum: "0.1"', "").replace("dynamic:", "perUnit:"));
    expect(await faultsOf(yaml("MAX"))).toMatchObject(wanted);
    const dynamic = { kind: "dynamic" as const, multiplier: Decimal.one };
    const prices = [{ key: "a", meter: "peak", model: dynamic }];
    const refused = {
      status: 400,
      errors: [{ field: "prices[0].model.dynamic", message: expect.stringContaining('"peak"') }],
    };
    const own = { name: "q", currency: "USD", prices };
    const refusals = await Promise.allSettled([
      catalog().createPlan(caller, { key: "q", ...own }),
      catalog().createVersion(caller, "p", own),
      catalog().addOns.create(caller, { key: "q", ...own }),
      catalog().addOns.createVersion(caller, "d", own),
      catalog().draftVersion(caller.organization, "p", own),
    ]);
    expect(refusals.map((each) => each.status === "rejected" && (each.reason as Refusal).problem)).toEqual(
      refusals.map(() => expect.objectContaining(refused)),
    );

    const { customers, subscriptions, subscriptionChanges } = weir.weir.services.billing;
    await customers.create(caller, { key: "acme", name: "Acme", timeZone: "UTC" });
    const overrides = { a: dynamic };
    const subscription = await subscriptions.create(caller, { customer: "acme", plan: "p" });
    const change = { subscription: subscription.id, plan: "p", overrides };
    const subscribing = subscriptions.create(caller, { customer: "acme", plan: "p", overrides });
    const overridden = { problem: { errors: [{ field: "overrides.a" }] } };
    await expect(subscribing).rejects.toMatchObject(overridden);
    await expect(subscriptionChanges.changePlan(caller, change)).rejects.toMatchObject(overridden);

    caller = await newCaller();
    expect(await apply(yaml("SUM"))).toEqual(["meters peak create", "plans p create", "addOns d create"]);
    await customers.create(caller, { key: "acme", name: "Acme", timeZone: "UTC" });
    await subscriptions.create(caller, { customer: "acme", plan: "p", overrides });
  });

  test("over REST: 400 with the faults, 413 over 1 MiB, 403 with a read key; YAML comes back by GET", async () => {
    const post = (body: string, query = "") =>
      weir.fetch(`/v1/catalog/apply${query}`, {
        method: "POST",
        headers: { "content-type": "application/yaml" },
        body,
      });
    const refused = await post("plans: [{ key: a }]");
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      type: "https://weir.dev/problems/invalid-catalog",
      errors: [{ line: 1, path: "plans[0].currency" }, { path: "plans[0].prices" }],
    });
    expect((await post(`# ${"x".repeat(1024 * 1024)}`)).status).toBe(413);
    const { secret } = await weir.weir.services.identity.createKey(caller, { name: "r", kind: "read" });
    const reading = await weir.fetch("/v1/catalog/apply?dryRun=true", {
      method: "POST",
      key: secret,
      body: "{}",
    });
    expect(reading.status).toBe(403);
    expect((await weir.fetch("/v1/catalog", { key: secret })).status).toBe(200);
    expect((await post("{}", "?dryRun=maybe")).status).toBe(400);
    const applied = await post(simple("1"), "?dryRun=true");
    expect(await applied.json()).toMatchObject({
      dryRun: true,
      changes: [{ action: "create" }, { action: "create" }],
    });
    expect(await (await weir.fetch("/v1/catalog")).text()).toBe("# The catalog is empty.\n");
  });
});

describe("what is stored", () => {
  test("never changes, whoever asks: plans, versions, prices, add-ons, coupons, a product's key", async () => {
    await files().apply(caller, await guideExample());
    await apply("coupons: [{ key: gone, percentOff: 5 }]");
    await apply("coupons: [{ key: gone, percentOff: 5, archived: true }]");
    const before = await stored();
    const changes = [
      ...["plans", "add_ons", "coupons"].flatMap((table) => [
        `UPDATE ${table} SET key = 'other'`,
        `DELETE FROM ${table}`,
      ]),
      ...["plan_versions", "add_on_versions", "prices"].flatMap((table) => [
        `UPDATE ${table} SET name = 'other'`,
        `DELETE FROM ${table}`,
      ]),
      "UPDATE plan_versions SET effective_from = now()",
      "UPDATE prices SET model = '{}'",
      "UPDATE coupon_archivals SET archived_at = now()",
      "DELETE FROM coupon_archivals",
      "TRUNCATE prices",
      "UPDATE products SET key = 'other'",
      "DELETE FROM products",
    ];
    const { postgres } = weir.weir.services;
    for (const change of changes) {
      const tried = postgres.inOrganization(caller.organization, (sql) => sql.unsafe(change));
      await expect(tried, change).rejects.toThrow(/permission denied|append-only/);
    }
    expect(await stored()).toBe(before);
  });

  test("is audited: each thing of a file, by whom, before and after", async () => {
    await apply(simple("3"));
    await apply(simple("4"));
    const entries = await weir.weir.services.postgres.inOrganization(
      caller.organization,
      (sql) => sql<{ action: string; actor: string; before: unknown; after: unknown }[]>`
        SELECT action, actor, before, after FROM audit_log WHERE action LIKE 'plan%' OR action LIKE 'meter%' ORDER BY id`,
    );
    expect(entries.map(({ action }) => action)).toEqual(["meter.create", "plan.create", "plan.new_version"]);
    expect(entries.every(({ actor }) => actor === caller.key)).toBe(true);
    expect(entries[2]).toMatchObject({
      before: { version: 1, prices: [{ perUnit: "3" }] },
      after: { version: 2, prices: [{ perUnit: "4" }] },
    });
  });

  test("what is in force follows the organization's test clock", async () => {
    const { testClocks } = weir.weir.services;
    const start = parseInstant("2031-06-01T00:00:00Z")!;
    const later = parseInstant("2031-07-01T00:00:00Z")!;
    await testClocks.start(caller, start);
    await apply(simple("3"));
    await apply(simple("4"), { effectiveFrom: later });
    await apply("coupons: [{ key: c, percentOff: 5 }]");
    const inForce = async () => (await catalog().get(caller.organization, "pro")).current;
    expect(await inForce()).toMatchObject({ version: 1, effectiveFrom: start });
    await testClocks.advance(caller, later, 30_000);
    expect(await inForce()).toMatchObject({ version: 2, effectiveFrom: later });
    expect(await apply(simple("4"))).toEqual([]);
    expect((await catalog().coupons.archive(caller, "c")).archivedAt).toBe(later);
  });
});

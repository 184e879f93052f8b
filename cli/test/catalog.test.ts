// The catalog from the command line, as a user runs it.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWeirProcess, type WeirProcess } from "../../server/test/support/weir-process.js";
import { runWith, weirCommand } from "./support/weir-command.js";

let folder: string;
let server: WeirProcess;
let weir: ReturnType<typeof weirCommand>["weir"];
let json: ReturnType<typeof weirCommand>["json"];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-cli-catalog-"));
  server = await startWeirProcess(path.join(folder, "data"));
  ({ weir, json } = weirCommand(server.url, server.key));
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function fileOf(text: string): Promise<string> {
  const file = path.join(folder, "catalog.yaml");
  await writeFile(file, text);
  return file;
}

const catalog = (amount: string) => `meters:
  - { slug: tokens, eventType: t, aggregation: SUM, valueProperty: $.n }
plans:
  - key: pro
    name: Pro
    currency: USD
    prices:
      - { key: fee, flat: "20" }
      - key: tokens
        meter: tokens
        graduated: { per: 1000, tiers: [{ upTo: 5000, unitAmount: "${amount}" }, { unitAmount: "0.5" }] }
taxRates:
  - { country: DE, name: USt, percent: 19, validFrom: 2026-01-01 }
addOns:
  - { key: support, currency: USD, prices: [{ key: support, flat: "5" }] }
`;

test("a file is shown, applied, and applied again without effect; what is exported changes nothing", async () => {
  const file = await fileOf(catalog("1"));
  const shown = await weir("plans", "apply", "-f", file, "--dry-run");
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining("+ plans pro: create") });
  expect(shown.stdout).toContain("4 would change, 0 stay as they are.");
  expect((await weir("plans", "list")).stdout).toContain("No plans");

  const unasked = await weir("plans", "apply", "-f", file);
  expect(unasked).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
  expect((await weir("plans", "list")).stdout).toContain("No plans");

  expect((await weir("plans", "apply", "-f", file, "--yes")).stdout).toContain("4 changed");
  expect((await weir("plans", "apply", "-f", file)).stdout).toContain("0 would change, 4 stay");
  const exported = await weir("plans", "export");
  const again = await runWith({ WEIR_URL: server.url, WEIR_KEY: server.key }, ["plans", "apply", "-f", "-"], {
    input: exported.stdout,
  });
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("0 would change, 4 stay") });
});

test("a change is a new version, with a diff; show and versions print the tiers", async () => {
  const file = await fileOf(catalog("2"));
  const from = ["--effective-from", "2099-01-01"];
  const applied = await weir("plans", "apply", "-f", file, "--yes", ...from);
  expect(applied.stdout).toContain("~ plans pro: new version version 2 from 2099-01-01T00:00:00Z");
  expect(applied.stdout).toMatch(/prices\.tokens\.graduated\.tiers\[0\]\.unitAmount: "1" → "2"/);
  expect((await weir("plans", "show", "pro")).stdout).toMatch(
    /version 1 .*\n[\s\S]*graduated +5000 +1 +1000/,
  );
  const versions = await json<{ version: number; effectiveFrom: string }[]>("plans", "versions", "pro");
  expect(versions.map(({ version }) => version)).toEqual([1, 2]);
  expect((await weir("plans", "versions", "pro")).stdout).toContain("from 2099-01-01T00:00:00Z");
  expect((await weir("add-ons", "list")).stdout).toContain("support");
  expect((await weir("add-ons", "show", "support")).stdout).toMatch(/flat \/ month ahead/);
});

test("faults are printed as compilers do, with file, line and column", async () => {
  const file = await fileOf("plans:\n  - key: pro\n    curency: USD\n    prices: [{ key: a, flat: x }]\n");
  const { code, stderr } = await weir("plans", "apply", "-f", file, "--yes");
  expect(code).toBe(3);
  expect(stderr).toContain(
    `${file}:3:14: plans[0].curency: there is no such field; did you mean "currency"?`,
  );
  expect(stderr).toContain(`${file}:4:30: plans[0].prices[0].flat.amount: must be a decimal number, not "x"`);
  expect(await weir("plans", "apply", "-f", path.join(folder, "nowhere.yaml"))).toMatchObject({ code: 2 });
});

test("tax rates are made and ended with the rest of a file, and the diff says when", async () => {
  const ended = catalog("1").replace("validFrom: 2026-01-01", "validFrom: 2026-01-01, validTo: 2026-12-31");
  const file = await fileOf(ended);
  const shown = await weir("plans", "apply", "-f", file, "--dry-run");
  expect(shown.stdout).toContain('~ taxRates DE:standard:2026-01-01: change\n    validTo: – → "2026-12-31"');
  await weir("plans", "apply", "-f", file, "--yes");
  expect((await weir("tax", "rates", "list")).stdout).toMatch(
    /DE +standard +USt +19 +2026-01-01 +2026-12-31/,
  );
  const other = await fileOf(ended.replace("percent: 19", "percent: 16"));
  const refused = await weir("plans", "apply", "-f", other, "--yes");
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(/catalog\.yaml:13:5: taxRates\[0\]: a rate never changes/);
});

test("a price of each event on a meter that does not add up is refused, in a file and without one", async () => {
  const file = await fileOf(`meters:
  - { slug: peak, eventType: t, aggregation: MAX, valueProperty: $.n }
plans:
  - key: peaks
    currency: USD
    prices:
      - { key: a, meter: peak, perUnit: "1" }
      - { key: b, meter: peak, percentage: { ratePercent: 2, freeEvents: 5 } }
`);
  const refused = await weir("plans", "apply", "-f", file, "--yes");
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(/:8:32: plans\[0\]\.prices\[1\]\.percentage: it prices each event.*"peak"/);
  await weir("meters", "create", "peak", ["--event-type", "t"], ["--aggregation", "MAX", "--value", "$.n"]);
  const prices = JSON.stringify([{ key: "a", meter: "peak", model: { dynamic: "1.2" } }]);
  const created = await weir("plans", "create", "peaks", "--currency", "USD", "--prices", prices);
  expect(created.code).toBe(3);
  expect(created.stderr).toContain("prices[0].model.dynamic");
});

test("add-ons without a file: create, show, add a version, list the versions", async () => {
  const money = ["--currency", "USD"];
  const fee = ["--price", "backup flat 5"];
  const metered = ["--price", "restores tokens 0.5 per 1000"];
  const shown = await weir("add-ons", "create", "backup", ["--name", "Backups"], money, fee, metered);
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining("version 1  Backups, USD") });
  expect(await json("add-ons", "show", "backup")).toMatchObject({
    key: "backup",
    current: {
      version: 1,
      name: "Backups",
      interval: "month",
      prices: [
        { key: "backup", charge: "flat", model: { flat: { amount: "5" } } },
        { key: "restores", charge: "usage", meter: "tokens" },
      ],
    },
  });
  const dearer = ["--price", "backup flat 7"];
  const added = await weir("add-ons", "add-version", "backup", money, ["--interval", "year"], dearer);
  expect(added).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("version 2  backup, USD, by the year"),
  });
  const versions = await json<{ version: number }[]>("add-ons", "versions", "backup");
  expect(versions.map(({ version }) => version)).toEqual([1, 2]);
  expect((await weir("add-ons", "list")).stdout).toMatch(/backup +backup +2 +USD +year +backup/);

  const refusals: [number, string, string[]][] = [
    [3, "is taken by another add-on", ["create", "backup", ...money, ...fee]],
    [3, "prices[0].meter", ["create", "other", ...money, "--price", "a nowhere 1"]],
    [2, "give at least one --price", ["create", "other", ...money]],
    [3, "There is no add-on", ["add-version", "other", ...money, ...fee]],
    [2, "weir add-ons list", ["versions", "other"]],
    [2, "weir add-ons list", ["show", "other"]],
  ];
  for (const [code, said, words] of refusals) {
    const refused = await weir("add-ons", ...words);
    expect(refused.code, words.join(" ")).toBe(code);
    expect(refused.stderr).toContain(said);
  }
});

test("products and coupons without a file", async () => {
  expect((await weir("products", "list")).stdout).toContain("weir products create");
  expect((await weir("coupons", "list")).stdout).toContain("weir coupons create");
  await json("products", "create", "inference", "--tax-category", "digital-services");
  expect(await json("products", "change", "inference", "--name", "Inference")).toMatchObject({
    name: "Inference",
    taxCategory: "digital-services",
  });
  expect((await weir("products", "list")).stdout).toMatch(/inference +Inference +digital-services/);
  const scope = ["--months", "3", "--products", "inference"];
  await json("coupons", "create", "welcome", "--percent-off", "20", ...scope);
  await json("coupons", "create", "five", "--amount-off", "USD=5", "--amount-off", "EUR=4.50", "--forever");
  const listed = (await weir("coupons", "list")).stdout;
  expect(listed).toMatch(/welcome +20 % +3 months +inference/);
  expect(listed).toMatch(/five +5 USD, 4\.5 EUR|five +4\.5 EUR, 5 USD/);
  await weir("coupons", "archive", "five");
  expect((await weir("coupons", "list")).stdout).not.toContain("five");
  expect((await weir("coupons", "list", "--archived")).stdout).toContain("five");
  expect(await weir("coupons", "create", "bad", "--percent-off", "120")).toMatchObject({ code: 3 });
});

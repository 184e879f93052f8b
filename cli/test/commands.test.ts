import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWeirProcess, type WeirProcess } from "../../server/test/support/weir-process.js";
import { program, runWith, weirCommand } from "./support/weir-command.js";

let folder: string;
let server: WeirProcess;
let weir: ReturnType<typeof weirCommand>["weir"];
let json: ReturnType<typeof weirCommand>["json"];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-cli-"));
  server = await startWeirProcess(path.join(folder, "data"));
  ({ weir, json } = weirCommand(server.url, server.key));
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const fileOf = async (name: string, text: string): Promise<string> => {
  const file = path.join(folder, name);
  await writeFile(file, text);
  return file;
};

/** Repeats a question until its answer is as wished: usage is visible within a second or two. */
async function until<T>(ask: () => Promise<T>, wished: (answer: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await ask();
    if (wished(answer) || attempt === 40) return answer;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

describe("exit codes", () => {
  test("2 for a wrong command line, 3 for a refusal, 4 for no answer", async () => {
    expect(await weir("usage")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("missing required argument"),
    });
    expect(await weir("frobnicate")).toMatchObject({ code: 2 });
    expect(await weir("usage", "tokens", "--window", "week")).toMatchObject({ code: 2 });
    expect(await weir("meters", "show", "nope")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("nope"),
    });
    expect(await runWith({ WEIR_URL: server.url }, ["meters", "list"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("WEIR_KEY"),
    });
    const wrong = await runWith({ WEIR_URL: server.url, WEIR_KEY: "weir_secret_wrong_wrong_wrong" }, [
      "meters",
      "list",
    ]);
    expect(wrong.code).toBe(3);
    const away = await runWith({ WEIR_URL: "http://127.0.0.1:9", WEIR_KEY: "k" }, [
      "meters",
      "create",
      "a",
      "--event-type",
      "t",
      "--aggregation",
      "count",
    ]);
    expect(away).toMatchObject({ code: 4, stderr: expect.stringContaining("Is Weir running there?") });
  });
});

test("a reader that has seen enough, as head has, ends it quietly", async () => {
  const child = spawn(process.execPath, [program, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = (await once(child, "exit")) as [number];
  expect([code, errors]).toEqual([0, ""]);
});

test("says what to do where there is nothing yet", async () => {
  expect((await weir("customers", "list")).stdout).toContain("weir customers create");
  expect((await weir("plans", "list")).stdout).toContain("weir plans create");
  expect((await weir("imports", "list")).stdout).toContain("weir events import");
  expect((await weir("invoices", "list")).stdout).toContain("weir invoices preview");
});

describe("tax", () => {
  test("settings and rates are set, listed, ended, and say what a customer would be charged", async () => {
    expect((await weir("tax", "settings")).stdout).toContain("weir tax settings --country");
    const settings = await weir(
      "tax",
      "settings",
      "--country",
      "DE",
      "--prices-include-tax",
      "--registration",
      "EU::2026-01-01",
    );
    expect(settings.stdout).toMatch(/include tax[\s\S]*EU from 2026-01-01/);
    expect(await weir("tax", "settings", "--region", "BE")).toMatchObject({ code: 2 });
    expect((await weir("tax", "rates", "list")).stdout).toContain("weir tax rates add");
    expect((await weir("tax", "rates", "list", "--built-in", "--country", "ee")).stdout).toMatch(
      /24 +2025-07-01/,
    );
    const rate = await json<{ id: string }>(
      "tax",
      "rates",
      "add",
      "DE",
      "--percent",
      "7",
      "--category",
      "books",
      "--from",
      "2024-01-01",
      "--include-tax",
      "no",
    );
    expect((await weir("tax", "rates", "list")).stdout).toContain(rate.id);
    expect(await json("tax", "check", "--country", "DE", "--category", "standard,books")).toMatchObject([
      { category: "standard", percent: "19", inclusive: true },
      { category: "books", percent: "7", inclusive: false },
    ]);
    expect((await weir("tax", "check", "--country", "FR", "--tax-id", "FR12345678901")).stdout).toContain(
      "reverse charge",
    );
    const ended = await json("tax", "rates", "end", rate.id, "--last-day", "2024-12-31");
    expect(ended).toMatchObject({ validTo: "2024-12-31" });
    const check = await weir("tax", "check", "--country", "DE", "--category", "books");
    expect(check.stderr).toContain("the standard rate applies");
    expect(await weir("tax", "rates", "add", "DE", "--from", "2024-01-01")).toMatchObject({ code: 2 });
    expect(await weir("tax", "rates", "add", "DE", "--percent", "x", "--from", "2024-01-01")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("percent"),
    });
  });
});

test("the billing profile is set as a whole, and its bank details are read from a file", async () => {
  expect((await weir("organization", "billing-profile")).stdout).toContain("No billing profile");
  const bank = await fileOf("bank.txt", "IBAN DE02 1203\nBIC BYLADEM1001\n");
  const set = await weir(
    "organization",
    "billing-profile",
    "--name",
    "Nimbus GmbH",
    "--country",
    "DE",
    "--bank-details",
    `@${bank}`,
  );
  expect(set.stdout).toMatch(/Nimbus GmbH[\s\S]*IBAN DE02 1203\n +BIC/);
  expect(await json("organization", "billing-profile")).toMatchObject({
    legalName: "Nimbus GmbH",
    city: null,
  });
  expect(await weir("organization", "billing-profile", "--city", "Berlin")).toMatchObject({ code: 2 });
});

describe("events", () => {
  test("are sent, seen as usage, listed, amended and voided", async () => {
    await json(
      "meters",
      "create",
      "units",
      "--event-type",
      "job",
      "--aggregation",
      "sum",
      "--value",
      "$.units",
      "--group-by",
      "region=$.region",
      "--filter",
      "$.free not_exists",
    );
    const file = await fileOf(
      "events.ndjson",
      ["a", "b", "c"]
        .map((id, n) =>
          JSON.stringify({
            id,
            source: "cli",
            type: "job",
            subject: "acme",
            data: { units: n + 1, region: n < 2 ? "eu" : "us" },
          }),
        )
        .join("\n"),
    );
    expect(await json("events", "send", file)).toMatchObject({ accepted: 3, duplicates: 0 });
    expect(await json("events", "send", file)).toMatchObject({ accepted: 0, duplicates: 3 });
    const conflicting = await json(
      "events",
      "send",
      "--id",
      "a",
      "--source",
      "cli",
      "--type",
      "job",
      "--subject",
      "acme",
      "--data",
      '{"units": 9}',
    );
    expect(conflicting).toMatchObject({ accepted: 0, conflicts: [{ index: 0, source: "cli", id: "a" }] });

    const usage = (...args: string[]) =>
      json<{ data: { value: string }[] }>("usage", "units", "--from", "1d", ...args);
    const values = (answer: { data: { value: string }[] }) => answer.data.map((row) => row.value);
    expect(
      values(
        await until(
          () => usage(),
          (answer) => values(answer)[0] === "6",
        ),
      ),
    ).toEqual(["6"]);
    expect(values(await usage("--group-by", "region", "--top", "1"))).toEqual(["3"]);
    expect(values(await usage("--filter", "region=us"))).toEqual(["3"]);
    const table = await weir("usage", "units", "--from", "1d", "--group-by", "region,subject");
    expect(table.stdout).toMatch(/SUBJECT +REGION +VALUE/);
    expect((await weir("usage", "units", "--from", "1d", "--csv")).stdout.split("\n")[0]).toContain("value");
    const parquet = path.join(folder, "usage.parquet");
    expect((await weir("usage", "units", "--from", "1d", "--parquet", parquet)).code).toBe(0);
    expect((await readFile(parquet)).subarray(0, 4).toString()).toBe("PAR1");

    const target = ["--source", "cli", "--id", "a", "--reason", "wrong count"];
    expect(await json("events", "amend", ...target, "--data", '{"units": 10, "region": "eu"}')).toMatchObject(
      { action: "amended", revision: 1 },
    );
    expect(
      await json("events", "void", "--source", "cli", "--id", "b", "--reason", "test run"),
    ).toMatchObject({ action: "voided" });
    expect(
      values(
        await until(
          () => usage(),
          (answer) => values(answer)[0] === "13",
        ),
      ),
    ).toEqual(["13"]);
    const listed = await json<{ id: string; voided: boolean }[]>(
      "events",
      "list",
      "--from",
      "1d",
      "--subject",
      "acme",
    );
    expect(listed.map(({ id, voided }) => [id, voided])).toEqual(expect.arrayContaining([["b", true]]));
    expect((await weir("events", "amend", ...target)).code).toBe(2);
  });

  test("of one line each come from standard input too, and unsafe numbers are refused before they change", async () => {
    const env = { WEIR_URL: server.url, WEIR_KEY: server.key };
    const event = (id: string, data: string) =>
      `{"id":"${id}","source":"stdin","type":"job","subject":"in","data":${data}}`;
    const sent = await runWith(env, ["--json", "events", "send", "-"], {
      input: `${event("1", "{}")}\n${event("2", '{"units":1}')}\n`,
    });
    expect(JSON.parse(sent.stdout)).toMatchObject({ accepted: 2, unmeteredEvents: [{ index: 0 }] });
    const unsafe = await runWith(env, ["events", "send", "-"], {
      input: event("3", '{"units":0.12345678901234567}'),
    });
    expect(unsafe).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("quote the number 0.12345678901234567"),
    });
  });
});

describe("an import", () => {
  const rows = 60_000;
  const rowsDone = async () => {
    const headers = { authorization: `Bearer ${server.key}` };
    const response = await fetch(`${server.url}/v1/imports`, { headers });
    const { imports } = (await response.json()) as { imports: { rowsDone: number }[] };
    return imports[0]?.rowsDone ?? 0;
  };
  const csv = `time,account,units\n${Array.from({ length: rows }, (_, row) => `2024-03-${String(1 + (row % 28)).padStart(2, "0")} 12:00:00,acct-${row % 7},${row % 10}`).join("\n")}\n`;
  const mapping = [
    "--type",
    "old",
    "--time",
    "{time}",
    "--subject",
    "{account}",
    "--data",
    "units={units}",
    "--chunk",
    "500",
  ];

  test("that is killed goes on where it stopped, and counts everything once", async () => {
    await json(
      "meters",
      "create",
      "old-units",
      "--event-type",
      "old",
      "--aggregation",
      "SUM",
      "--value",
      "$.units",
    );
    const file = await fileOf("old.csv", csv);
    const env = { WEIR_URL: server.url, WEIR_KEY: server.key };
    for (const share of [0, 0.1, 0.2]) {
      const killWhen = async () => (await rowsDone()) > rows * share;
      const killed = await runWith(env, ["events", "import", file, ...mapping], { killWhen });
      expect(killed.code).toBe(-1);
    }
    const [stopped] = await json<{ status: string; rowsDone: number }[]>("imports", "list");
    expect(stopped?.status).toBe("running");
    expect(stopped?.rowsDone).toBeGreaterThan(0);
    expect(stopped?.rowsDone).toBeLessThan(rows);
    const done = await json<{ status: string; rowsDone: number }>("events", "import", file, ...mapping);
    expect(done).toMatchObject({ status: "completed", rowsDone: rows });
    const expected = Array.from({ length: rows }, (_, row) => row % 10).reduce(
      (sum, units) => sum + units,
      0,
    );
    const usage = await until(
      () =>
        json<{ data: { value: string }[] }>(
          "usage",
          "old-units",
          "--from",
          "2024-03-01",
          "--to",
          "2024-04-01",
        ),
      (answer) => answer.data[0]?.value === String(expected),
    );
    expect(usage.data.map((row) => row.value)).toEqual([String(expected)]);
    const other = await fileOf("other.csv", csv.slice(0, -20));
    const refused = await weir("events", "import", other, ...mapping, "--name", "old.csv");
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining("another file or mapping") });
  });

  test("names the lines that are wrong, and a dry run sends nothing", async () => {
    const file = await fileOf("bad.csv", "time,account,units\n2024-01-01,a,1\nsoon,b,2\n");
    expect(await weir("events", "import", file, ...mapping)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("line 2"),
    });
    const long = await fileOf(
      "long.csv",
      `time,account,units\n2024-01-01 00:00:00,a,1\n2024-01-01 00:00:00,${"x".repeat(2000)},2\n`,
    );
    const refused = await weir("events", "import", long, ...mapping);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('"line":3');
    const dry = await json<{ rows: number; events: number }>(
      "events",
      "import",
      await fileOf("dry.csv", csv),
      ...mapping,
      "--dry-run",
    );
    expect(dry).toMatchObject({ rows, events: rows });
    expect((await json<{ name: string }[]>("imports", "list")).map(({ name }) => name)).not.toContain(
      "dry.csv",
    );
  });
});

describe("an import by the server", () => {
  const mapping = ["--type", "job", "--time", "{time}", "--subject", "{account}", "--data", "units={units}"];

  test("uploads the file, follows it, and names the lines that were not taken", async () => {
    const file = await fileOf(
      "served.csv",
      "time,account,units\n2024-01-01 00:00:00,served,1\nsoon,served,2\n2024-01-01 00:00:00,served,3\n",
    );
    const told = await weir("events", "import", file, ...mapping, "--server");
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(
      /served\.csv \(imp_\w+\), completed[^]*accepted +2\n[^]*3 .*"soon" is not a time/,
    );
    const shown = await json<{ id: string; rejected: number; file: { run: string } }>(
      "imports",
      "show",
      "served.csv",
    );
    expect(shown).toMatchObject({ rejected: 1, rejections: [{ line: 3 }] });
    expect((await weir("imports", "list")).stdout).toContain(shown.id);
    expect((await weir("runs", "show", shown.file.run)).stdout).toContain("take a piece");
    const again = await weir("events", "import", file, ...mapping, "--name", "other");
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('line 3: "soon"') });
  });

  test("ends with 1 when the file cannot be read to its end, and with 2 for a mapping that does not fit", async () => {
    const file = await fileOf("quotes.csv", 'time,account,units\n2024-01-01 00:00:00,quotes,"1\n');
    const told = await weir("events", "import", file, ...mapping, "--server");
    expect(told).toMatchObject({ code: 1, stderr: expect.stringContaining("the import is failed") });
    expect(told.stdout).toContain("failure");
    const wrong = await weir("events", "import", file, ...mapping, "--server", "--subject", "{nobody}");
    expect(wrong).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--subject: there is no column"),
    });
  });
});

test("keys are made, shown once, and revoked; the audit log says by whom", async () => {
  const { key, secret } = await json<{ key: { id: string }; secret: string }>(
    "keys",
    "create",
    "ci",
    "--kind",
    "read",
  );
  const reader = weirCommand(server.url, secret);
  expect((await reader.weir("meters", "list")).code).toBe(0);
  expect((await reader.weir("meters", "archive", "units")).code).toBe(3);
  expect((await weir("keys", "list")).stdout).not.toContain(secret);
  expect((await weir("keys", "revoke", key.id)).stdout).toContain("revoked");
  expect((await reader.weir("meters", "list")).code).toBe(3);
  const audit = await json<{ action: string }[]>("audit", "--target", key.id);
  expect(audit.map(({ action }) => action)).toEqual(["key.revoke", "key.create"]);
});

test("config has no secrets", async () => {
  const { stdout } = await weir("config");
  expect(stdout).toContain("ingest.dedupWindowDays");
  expect(stdout).not.toContain(server.key);
});

test("usage is watched live", async () => {
  const env = { WEIR_URL: server.url, WEIR_KEY: server.key };
  const { value } = (await json<{ data: { value: string }[] }>("usage", "units", "--from", "1d")).data[0] ?? {
    value: "0",
  };
  const wanted = `"value":"${Number(value) + 100}"`;
  const watching = runWith(env, ["--json", "usage", "units", "--from", "1d", "--watch"], {
    killAt: wanted,
    kill_ms: 30_000,
  });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const sent = ["--type", "job", "--subject", "acme", "--data", '{"units": 100, "region": "eu"}'];
  await json("events", "send", ...sent);
  const { stdout } = await watching;
  const [first = ""] = stdout.split("\n");
  expect(first).toContain(`"value":"${value}"`);
  expect(stdout).toContain(wanted);
});

describe("customers and subscriptions", () => {
  const catalog = `plans:
  - key: team
    currency: USD
    prices: [{ key: fee, charge: flat, flat: "20" }, { key: seats, charge: licensed, perUnit: "10" }]
  - key: club
    currency: USD
    interval: year
    prices: [{ key: fee, charge: flat, flat: "200" }]
addOns:
  - { key: support, currency: USD, prices: [{ key: support, flat: "5" }] }
coupons:
  - { key: spring, name: Spring, percentOff: 10, duration: months, months: 3 }
`;

  test("a customer is created, changed, handed a subject and erased", async () => {
    const create = ["customers", "create", "globex", "--name", "Globex", "--time-zone", "Pacific/Auckland"];
    const address = ["--city", "Auckland", "--country", "NZ", "--email", "g@globex.example"];
    const { code } = await weir(...create, ...address, "--terms", "14", "--subject", "globex-1");
    expect(code).toBe(0);
    await weir("customers", "create", "hooli", "--payer", "globex");
    const updated = await json(
      "customers",
      "update",
      "globex",
      "--email",
      "",
      "--tax-exempt",
      "reverse_charge",
    );
    expect(updated).toMatchObject({
      email: null,
      taxExempt: "reverse_charge",
      paymentTermsDays: 14,
      address: { city: "Auckland", country: "NZ" },
    });
    await weir("customers", "subjects", "reassign", "hooli", "globex-1", "--at", "2026-01-01");
    expect((await weir("customers", "subjects", "list", "hooli")).stdout).toContain("2026-01-01T00:00:00Z");
    expect((await weir("customers", "list")).stdout).toMatch(/hooli.*globex/);
    expect(await weir("customers", "erase", "globex", "--confirm", "no")).toMatchObject({ code: 3 });
    expect((await weir("customers", "erase", "globex", "--confirm", "globex")).stdout).toContain("globex-1");
    expect(await weir("customers", "show", "globex")).toMatchObject({ code: 2 });
  });

  test("a subscription is created, changed and canceled; show prints its timeline", async () => {
    const response = await fetch(new URL("/graphql", server.url), {
      method: "POST",
      headers: { authorization: `Bearer ${server.key}`, "content-type": "application/json" },
      body: JSON.stringify({
        query:
          "mutation ($yaml: String!) { applyCatalog(yaml: $yaml) { ... on RefusalError { message details } } }",
        variables: { yaml: catalog },
      }),
    });
    expect(JSON.stringify(await response.json())).not.toContain("message");
    await weir("customers", "create", "umbrella");
    const start = ["--start", "2026-01-10", "--anchor", "anniversary", "--quantity", "seats=3"];
    expect(await weir("subscriptions", "create", "umbrella", "team", ...start)).toMatchObject({ code: 0 });
    await weir("subscriptions", "set-quantity", "umbrella", "seats", "5");
    await weir("subscriptions", "add-on", "attach", "umbrella", "support", "--quantity", "2");
    await weir("subscriptions", "coupon", "redeem", "umbrella", "spring");
    await weir("subscriptions", "change-plan", "umbrella", "club", "--period-end");
    await weir("subscriptions", "cancel", "umbrella", "--at", "2036-01-01");
    const { stdout } = await weir("subscriptions", "show", "umbrella");
    for (const line of [
      /canceled/,
      /plan team 1, monthly/,
      /plan club 1, yearly/,
      /seats: 3/,
      /seats: 5/,
      /add-on support × 2 begins/,
      /coupon spring ends/,
      /2036-01-02T00:00:00Z +subscription ends/,
    ])
      expect(stdout).toMatch(line);
    await weir("subscriptions", "uncancel", "umbrella");
    expect((await weir("subscriptions", "list", "--customer", "umbrella")).stdout).toContain("active");
    expect(await weir("subscriptions", "uncancel", "umbrella")).toMatchObject({ code: 3 });
  });
});

// The real thing, end to end: 8,819 LLM requests of a public trace, imported for 20 customers, priced by graduated
// tiers, and compared to the cent with arithmetic that shares nothing with Weir.
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWeirProcess, type WeirProcess } from "../../server/test/support/weir-process.js";
import { weirCommand } from "./support/weir-command.js";

const trace = fileURLToPath(new URL("../../../shared/data/usage/azure-llm-2023-code.csv", import.meta.url));
const present = existsSync(trace);
if (!present) console.warn(`SKIPPED: the trace ${trace} is not on this machine`);

const customers = Array.from({ length: 20 }, (_, index) => `customer-${String(index + 1).padStart(2, "0")}`);

// Per million tokens, in micro-dollars, so that whole numbers suffice: tiers up to 1 M, 5 M, and beyond.
const inputTiers = [
  { upTo: 1_000_000n, microUsd: 0n },
  { upTo: 5_000_000n, microUsd: 2_500_000n },
  { upTo: undefined, microUsd: 1_370_000n },
];
const outputTiers = [
  { upTo: 100_000n, microUsd: 10_000_000n },
  { upTo: undefined, microUsd: 7_770_000n },
];

interface Request {
  readonly row: number;
  readonly input: bigint;
  readonly output: bigint;
}

/** Graduated, by hand: amount in cents, half away from zero, from tokens × micro-dollars a million. */
function centsOf(tokens: bigint, tiers: readonly { upTo: bigint | undefined; microUsd: bigint }[]): bigint {
  let below = 0n;
  let scaled = 0n; // 10^-12 dollars
  for (const { upTo, microUsd } of tiers) {
    const top = upTo === undefined || upTo > tokens ? tokens : upTo;
    if (top > below) scaled += (top - below) * microUsd;
    below = upTo ?? tokens;
  }
  const unit = 10_000_000_000n; // a cent in 10^-12 dollars
  return (scaled * 2n + unit) / (unit * 2n);
}

function formatCents(cents: bigint): string {
  return `${cents / 100n}.${String(cents % 100n).padStart(2, "0")}`;
}

function readTrace(): Request[] {
  return readFileSync(trace, "utf8")
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line, row) => {
      const [, input = "", output = ""] = line.split(",");
      return { row, input: BigInt(input), output: BigInt(output) };
    });
}

describe.skipIf(!present)("the Azure trace, billed per token", () => {
  let folder: string;
  let weir: WeirProcess;
  let command: ReturnType<typeof weirCommand>;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "weir-azure-"));
    weir = await startWeirProcess(path.join(folder, "data"));
    command = weirCommand(weir.url, weir.key);
  });
  afterAll(async () => {
    await weir?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test("20 customers' amounts equal a plain computation to the cent, and a line leads to its requests", async () => {
    const { weir: run, json } = command;
    for (const [slug, value] of [
      ["input-tokens", "$.input"],
      ["output-tokens", "$.output"],
    ] as const) {
      await json(
        "meters",
        "create",
        slug,
        "--event-type",
        "llm.request",
        "--aggregation",
        "SUM",
        "--value",
        value,
      );
    }
    const price = (key: string, meter: string, tiers: typeof inputTiers) =>
      `${key} ${meter} graduated ${tiers.map(({ upTo, microUsd }) => `${upTo ?? "inf"}:${Number(microUsd) / 1e6}`).join(" ")} per 1000000`;
    await json(
      ["plans", "create", "tokens", "--currency", "USD"],
      ["--price", price("input", "input-tokens", inputTiers)],
      ["--price", price("output", "output-tokens", outputTiers)],
    );

    const importTrace = () =>
      json<{ rowsDone: number; accepted: number; duplicates: number; status: string }>(
        ["events", "import", trace, "--name", "azure-code", "--type", "llm.request", "--source", "azure"],
        [
          "--time",
          "{TIMESTAMP}",
          "--for-each-subject",
          customers.join(","),
          "--id",
          "azure-code/{row}/{subject}",
        ],
        ["--data", "input={ContextTokens}", "--data", "output={GeneratedTokens}"],
      );
    const requests = readTrace();
    const done = await importTrace();
    expect(done).toMatchObject({ status: "completed", rowsDone: requests.length, duplicates: 0 });
    expect(done.accepted).toBe(requests.length * customers.length);
    // Once more, from the start: nothing changes.
    expect(await importTrace()).toEqual(done);

    for (const [index, key] of customers.entries()) {
      // Half of them live where the trace's day has another date.
      const zone = index % 2 === 0 ? "America/Los_Angeles" : "Pacific/Auckland";
      await json("customers", "create", key, "--time-zone", zone, "--subject", key);
      await json("subscriptions", "create", key, "tokens", "--start", "2023-11-05");
    }
    const expected = {
      input: centsOf(sum(requests, "input"), inputTiers),
      output: centsOf(sum(requests, "output"), outputTiers),
    };
    for (const key of customers) {
      const preview = await json<{
        totals: { total: { amount: string } };
        lines: { price: { key: string }; quantity: string; eventCount: number; money: { amount: string } }[];
      }>("invoices", "preview", key, "--at", "2023-11-16T18:30:00Z");
      const lines = Object.fromEntries(preview.lines.map((line) => [line.price.key, line]));
      expect(lines["input"]).toMatchObject({
        quantity: String(sum(requests, "input")),
        eventCount: requests.length,
        money: { amount: formatCents(expected.input) },
      });
      expect(lines["output"]).toMatchObject({
        quantity: String(sum(requests, "output")),
        money: { amount: formatCents(expected.output) },
      });
      expect(preview.totals.total.amount).toBe(formatCents(expected.input + expected.output));
    }

    // An invoice's line, explained: every request of the trace stands behind it, once, with its tokens.
    const [key = ""] = customers;
    const { invoice } = await json<{ invoice: { id: string } }>(
      "invoices",
      "create",
      key,
      "--at",
      "2023-11-16T18:30:00Z",
    );
    const explained = await json<{
      reproduced: boolean;
      recorded: { tiers: { quantity: string }[]; money: { amount: string } };
      events: { id: string; value: string }[];
    }>("invoices", "explain", invoice.id, "--line", "input", "--events", "all");
    expect(explained.reproduced).toBe(true);
    expect(explained.recorded.money.amount).toBe(formatCents(expected.input));
    expect(explained.recorded.tiers.map((tier) => tier.quantity)).toEqual([
      "1000000",
      "4000000",
      String(sum(requests, "input") - 5_000_000n),
    ]);
    expect(new Map(explained.events.map(({ id, value }) => [id, value]))).toEqual(
      new Map(requests.map(({ row, input }) => [`azure-code/${row}/${key}`, String(input)])),
    );
    expect(explained.events).toHaveLength(requests.length);

    // For people: the same, as text.
    const text = await run("invoices", "explain", invoice.id, "--line", "input", "--events", "2");
    expect(text.code).toBe(0);
    expect(text.stdout).toContain("the same, digit for digit");
    expect(text.stdout).toContain(`azure-code/0/${key}`);
  });
});

function sum(requests: readonly Request[], field: "input" | "output"): bigint {
  return requests.reduce((total, request) => total + request[field], 0n);
}

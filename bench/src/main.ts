import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { BenchOptions, Figure, FigureRow } from "./figure.js";
import { measureBacktest } from "./figures/backtest.js";
import { measureCharges } from "./figures/charges.js";
import { measureFreshness } from "./figures/freshness.js";
import { measureIngestBatches, measureIngestLargeIndex } from "./figures/ingest-batches.js";
import { measureIngestSingle } from "./figures/ingest-single.js";
import { measureInvoiceRun } from "./figures/invoice-run.js";
import { measureLedger } from "./figures/ledger.js";
import { measureQuery30Days } from "./figures/query-30-days.js";
import { measureRating } from "./figures/rating.js";
import { measureSettlement } from "./figures/settlement.js";
import { measureStoredBytesAndStart } from "./figures/stored-bytes.js";
import { writeFigures } from "./readme.js";
import { formatTable } from "./report.js";

/** The rows of the issues' tables, in their order. */
const figures: Readonly<Record<string, Figure>> = {
  "ingest-batches": measureIngestBatches,
  "ingest-large-index": measureIngestLargeIndex,
  "ingest-single": measureIngestSingle,
  freshness: measureFreshness,
  "query-30-days": measureQuery30Days,
  "stored-bytes": measureStoredBytesAndStart,
  rating: measureRating,
  "invoice-run": measureInvoiceRun,
  backtest: measureBacktest,
  charges: measureCharges,
  ledger: measureLedger,
  settlement: measureSettlement,
};

const usage = `npm run bench -- [--quick] [--only name,…] [--keys N] [--events N] [--repetitions N] [--dir folder] [--keep]

  --quick         a few seconds for each figure, on little data: does it run?
  --only          some of: ${Object.keys(figures).join(", ")}
  --keys          keys in the index before ingest-large-index (100,000,000)
  --events        events of query-30-days (50,000,000)
  --repetitions   of each load; the median counts (3)
  --dir           where the data goes; it needs some 25 GB (the system's folder for temporary files)
  --keep          leave the data and the servers' logs there
  --readme FILE   measure nothing: write the figures of a results file into README.md; may be repeated, the last file's
                  figure stands
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      keys: { type: "string" },
      events: { type: "string" },
      repetitions: { type: "string" },
      dir: { type: "string" },
      keep: { type: "boolean", default: false },
      readme: { type: "string", multiple: true },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(usage);
  if (values.readme !== undefined) {
    const readme = fileURLToPath(new URL("../../README.md", import.meta.url));
    return console.log(`${writeFigures(readme, values.readme)} figures written to ${readme}`);
  }
  const quick = values.quick;
  const dir = mkdtempSync(join(values.dir ?? tmpdir(), "weir-bench-"));
  const options: BenchOptions = {
    quick,
    repetitions: Number(values.repetitions ?? (quick ? 1 : 3)),
    warmupSeconds: quick ? 1 : 5,
    loadSeconds: quick ? 2 : 15,
    indexKeys: Number(values.keys ?? (quick ? 1_000_000 : 100_000_000)),
    queryEvents: Number(values.events ?? (quick ? 1_000_000 : 50_000_000)),
    dir,
    say: (text) => console.error(text),
  };
  const names = values.only?.split(",") ?? Object.keys(figures);
  const unknown = names.filter((name) => figures[name] === undefined);
  if (unknown.length > 0) throw new Error(`unknown figures: ${unknown.join(", ")}\n${usage}`);
  const rows: FigureRow[] = [];
  const failures: { name: string; error: string }[] = [];
  for (const name of names) {
    options.say(name);
    try {
      rows.push(...((await figures[name]?.(options)) ?? []));
    } catch (error) {
      failures.push({ name, error: error instanceof Error ? error.message : String(error) });
      options.say(`  failed: ${failures.at(-1)?.error ?? ""}`);
    }
  }
  const at = new Date().toISOString();
  const machine = {
    processor: cpus()[0]?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
  };
  const results = fileURLToPath(new URL("../results/", import.meta.url));
  mkdirSync(results, { recursive: true });
  const file = join(results, `${at.replaceAll(/[:.]/g, "-")}${quick ? "-quick" : ""}.json`);
  writeFileSync(file, `${JSON.stringify({ at, quick, machine, rows, failures }, undefined, 2)}\n`);
  console.log(
    `\n${formatTable(rows)}\n\n${machine.cores} cores (${machine.processor ?? "?"}), Node ${machine.node}; ${file}`,
  );
  for (const { name, error } of failures) console.log(`FAILED ${name}: ${error}`);
  if (values.keep || failures.length > 0) console.log(`data and logs: ${dir}`);
  else rmSync(dir, { recursive: true, force: true });
  // Missed targets are reported, not failed: a shared machine would fail CI by chance.
  process.exitCode = failures.length > 0 ? 1 : 0;
}

await main();

import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import path from "node:path";
import {
  detectFormat,
  detection_bytes,
  FileRefused,
  type FileSummary,
  type SettlementFormat,
  type SettlementParser,
} from "../../src/settlement/core/index.js";
import { IpmParser } from "../../src/settlement/core/formats/mastercard-ipm/index.js";
import { instantFromMs } from "../../src/kernel/instant.js";
import { formatMoney } from "../../src/kernel/money.js";
import { UnreadableCases } from "./rating-case.js";
import { expectationOf, UnreadableExpectation, type Expectation } from "./settlement-expectation.js";

const chunk_bytes = 64 * 1024;
/** Of checks, rows and differences so many are printed for a file. */
const lines_max = 20;

export interface SettlementResult {
  readonly kind: "passed" | "failed" | "skipped";
  /** Below the folder. */
  readonly file: string;
  /** What is printed of it. */
  readonly lines: readonly string[];
}

/**
 * Reads every file below a folder. A file passes when it is read and what lies beside it as its expectation agrees, or when its name says
 * that it is wrong (camt.wrong.xml) and it is refused. JSON files are expectations, not cases.
 * @throws UnreadableCases when there is no such folder, or nothing in it
 */
export function runSettlementCases(folder: string): SettlementResult[] {
  const files = filesBelow(folder);
  if (files.length === 0) throw new UnreadableCases(`${folder} has no files`);
  return files.map((file) => runFile(folder, file));
}

function filesBelow(folder: string): string[] {
  try {
    if (!statSync(folder).isDirectory()) throw new UnreadableCases(`${folder} is no folder`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new UnreadableCases(`There is no folder ${folder}`);
    throw error;
  }
  const below = (inside: string): string[] =>
    readdirSync(inside, { withFileTypes: true })
      .sort((one, other) => (one.name < other.name ? -1 : 1))
      .flatMap((entry) => {
        const full = path.join(inside, entry.name);
        if (entry.isDirectory()) return below(full);
        return statSync(full).isFile() && !entry.name.toLowerCase().endsWith(".json") ? [full] : [];
      });
  return below(folder);
}

function runFile(folder: string, file: string): SettlementResult {
  const name = path.relative(folder, file);
  const isWrong = /\.wrong(\.|$)/i.test(path.basename(file));
  const format = formatOf(file);
  if (format instanceof FileRefused) {
    const lines = [`no format: ${format.detail}. ${format.advice}.`];
    return isWrong
      ? { kind: "passed", file: name, lines: [...lines, "refused, as its name says"] }
      : { kind: "skipped", file: name, lines };
  }
  try {
    const siblings = readdirSync(path.dirname(file));
    const expectation = expectationOf(file, siblings);
    const summary = readFile(file, format, expectation);
    const lines = summaryLines(format, summary);
    if (isWrong)
      return {
        kind: "failed",
        file: name,
        lines: [...lines, "its name says that it is wrong, and it was read"],
      };
    if (expectation === undefined) return { kind: "passed", file: name, lines };
    const differences = expectation.differences(summary);
    if (differences.length === 0)
      return { kind: "passed", file: name, lines: [...lines, `as in ${expectation.name}`] };
    const named = limited(differences.map((difference) => `not as in ${expectation.name}: ${difference}`));
    return { kind: "failed", file: name, lines: [...lines, ...named] };
  } catch (error) {
    if (error instanceof UnreadableExpectation) return { kind: "failed", file: name, lines: [error.message] };
    if (!(error instanceof FileRefused)) throw error;
    const lines = [`format: ${format.name}, ${format.title}`, `refused: ${error.message}`];
    return isWrong
      ? { kind: "passed", file: name, lines: [...lines, "refused, as its name says"] }
      : { kind: "failed", file: name, lines };
  }
}

function formatOf(file: string): SettlementFormat | FileRefused {
  try {
    return detectFormat(headOf(file), path.basename(file));
  } catch (error) {
    if (error instanceof FileRefused) return error;
    throw error;
  }
}

function headOf(file: string): Uint8Array {
  for (const chunk of chunksOf(file, detection_bytes)) return chunk;
  return new Uint8Array(0);
}

function readFile(file: string, format: SettlementFormat, expectation: Expectation | undefined): FileSummary {
  const parser = parserOf(format, expectation);
  for (const chunk of chunksOf(file, chunk_bytes)) parser.push(chunk);
  return parser.end().summary;
}

function parserOf(format: SettlementFormat, expectation: Expectation | undefined): SettlementParser {
  if (format.name === "mastercard-ipm" && expectation?.onMessage !== undefined) {
    return new IpmParser(expectation.onMessage);
  }
  return format.open({ landedAt: instantFromMs(Date.now()) });
}

function* chunksOf(file: string, bytes: number): Generator<Uint8Array> {
  const descriptor = openSync(file, "r");
  try {
    for (;;) {
      const chunk = new Uint8Array(bytes);
      const read = readSync(descriptor, chunk);
      if (read === 0) return;
      yield chunk.subarray(0, read);
    }
  } finally {
    closeSync(descriptor);
  }
}

function summaryLines(format: SettlementFormat, summary: FileSummary): string[] {
  const counted = (counts: Readonly<Partial<Record<string, number>>>) =>
    Object.entries(counts)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  const totals = summary.totals.map(({ currency, gross, fee, net }) => {
    const money = (minor: bigint) => formatMoney({ currency, minor });
    return fee === 0n && net === 0n ? money(gross) : `${money(gross)}, fees ${money(fee)}, net ${money(net)}`;
  });
  const leftOut = counted(summary.leftOut);
  return [
    `format: ${format.name}, ${format.title} (${summary.variant})`,
    `records: ${summary.records}${summary.records === 0 ? "" : ` (${counted(summary.kinds)})`}`,
    ...totals.map((total) => `total: ${total}`),
    ...(leftOut === "" ? [] : [`moves no money: ${leftOut}`]),
    ...limited(
      summary.checks.map(({ name, expected, found, ok }) =>
        ok ? `check ok: ${name}: ${found}` : `check failed: ${name}: expected ${expected}, found ${found}`,
      ),
    ),
    ...limited(
      summary.refusedRows.map(({ position, field, detail, advice }) => {
        const where = [`line ${position.line ?? position.record}`, field]
          .filter((part) => part !== undefined)
          .join(", ");
        return `row refused: ${where}: ${detail}. ${advice}.`;
      }),
    ),
  ];
}

function limited(lines: readonly string[]): string[] {
  return lines.length <= lines_max
    ? [...lines]
    : [...lines.slice(0, lines_max), `… and ${lines.length - lines_max} more such lines`];
}

/** What `npm run cases -- settlement` prints: every file with what it holds, and the count. */
export function settlementReport(results: readonly SettlementResult[]): string {
  const lines = results.flatMap(({ kind, file, lines: said }) => [
    `${kind === "failed" ? "FAILED " : kind} ${file}`,
    ...said.map((line) => `        ${line}`),
  ]);
  const count = (kind: SettlementResult["kind"]) => results.filter((result) => result.kind === kind).length;
  return [...lines, `${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`].join(
    "\n",
  );
}

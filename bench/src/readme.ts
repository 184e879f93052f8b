import { readFileSync, writeFileSync } from "node:fs";
import type { FigureRow } from "./figure.js";
import { formatTable } from "./report.js";

/** What a run left in its results file. */
export interface Results {
  readonly at: string;
  readonly quick: boolean;
  readonly machine: {
    readonly processor?: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly node: string;
  };
  readonly rows: readonly FigureRow[];
}

const begin = "<!-- figures -->";
const end = "<!-- /figures -->";

/**
 * Writes the figures of results files between the markers of a README; where two files have the same figure, the later
 * file's stands.
 * @throws Error for results of --quick, which are not for publishing, and for a README without the markers
 */
export function writeFigures(readme: string, files: readonly string[]): number {
  const runs = files.map((file) => JSON.parse(readFileSync(file, "utf8")) as Results);
  const quick = files.filter((_, index) => runs[index]?.quick !== false);
  if (quick.length > 0) throw new Error(`not for publishing, since made with --quick: ${quick.join(", ")}`);
  const rows = new Map(runs.flatMap((run) => run.rows.map((row) => [row.name, row] as const)));
  const text = readFileSync(readme, "utf8");
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${readme} has no ${begin} … ${end}`);
  const machines = new Set(
    runs.map(({ at, machine }) => {
      const { cores, processor = "unknown processor", memoryGiB, node } = machine;
      return `${cores} cores (${processor}), ${memoryGiB} GiB, Node ${node}, ${at.slice(0, 10)}`;
    }),
  );
  const figures = `${begin}\n\n${formatTable([...rows.values()])}\n\nMeasured on ${[...machines].join("; ")}, the load generator on the same machine.\n\n`;
  writeFileSync(readme, text.slice(0, from) + figures + text.slice(to));
  return rows.size;
}

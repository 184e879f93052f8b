import type { FigureRow } from "./figure.js";

/** The rows as a table for people. */
export function formatTable(rows: readonly FigureRow[]): string {
  const head = ["figure", "measured", "unit", "target", "", "reference", "ratio"];
  const cells = rows.map((row) => [
    row.name,
    formatNumber(row.figure),
    row.unit,
    row.target,
    row.met === undefined ? "" : row.met ? "met" : "MISSED",
    row.reference === undefined ? "" : `${formatNumber(row.reference)} (${row.referenceName ?? ""})`,
    row.ratio === undefined ? "" : `${formatNumber(row.ratio)}×`,
  ]);
  // Laid out as prettier does, so that README.md passes the check.
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const isNumber = (column: number) => column === 1 || column === 6;
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, column) =>
    isNumber(column) ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  return [line(head), `| ${rule.join(" | ")} |`, ...cells.map(line)].join("\n");
}

function formatNumber(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString("en");
  return value.toPrecision(3).replace(/\.?0+$/, (zeros) => (zeros.includes(".") ? "" : zeros));
}

import Table from "cli-table3";
import type { CliContext } from "./context.js";

/** Rows as a table for people; `empty` says what to do when there are none. */
export function printTable(
  context: CliContext,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  empty: string,
): void {
  if (rows.length === 0) {
    context.out.write(`${empty}\n`);
    return;
  }
  const table = new Table({
    head: [...heads],
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 0 },
    // Numbers stand below one another.
    colAligns: heads.map((_, column) => (rows.every((row) => isNumber(row[column])) ? "right" : "left")),
    chars: {
      top: "",
      "top-mid": "",
      "top-left": "",
      "top-right": "",
      bottom: "",
      "bottom-mid": "",
      "bottom-left": "",
      "bottom-right": "",
      left: "",
      "left-mid": "",
      mid: "",
      "mid-mid": "",
      right: "",
      "right-mid": "",
      middle: "  ",
    },
  });
  table.push(...rows.map((row) => row.map(visible)));
  context.out.write(`${table.toString()}\n`);
}

function isNumber(cell: string | undefined): boolean {
  return cell === undefined || /^(-?[\d ]+(\.\d+)?|[–∞]?)$/.test(cell);
}

/** Names and values in two columns. */
export function printFields(
  context: CliContext,
  fields: readonly (readonly [string, string | null | undefined])[],
): void {
  const width = Math.max(...fields.map(([name]) => name.length));
  for (const [name, value] of fields) {
    if (value !== null && value !== undefined && value !== "")
      context.out.write(`${name.padEnd(width)}  ${visible(value)}\n`);
  }
}

export function printJson(context: CliContext, value: unknown): void {
  context.out.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Text from customers must not steer the terminal. */
export function visible(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "\uFFFD");
}

/** 1234567.5 → 1 234 567.5, for eyes; --json has the exact text. */
export function grouped(decimal: string | null): string {
  if (decimal === null) return "–";
  const [whole = "", fraction] = decimal.split(".");
  const spaced = whole.replace(/\B(?=(\d{3})+(?!\d))/g, " ");
  return fraction === undefined ? spaced : `${spaced}.${fraction}`;
}

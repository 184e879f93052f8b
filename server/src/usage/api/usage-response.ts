import type { FastifyReply } from "fastify";
import { formatInstant } from "../../kernel/instant.js";
import type { UsageResult, UsageRow } from "../usage-query.js";

/** A usage result as JSON. `numbers`: "text" keeps every digit, "json" is what OpenMeter's clients expect. */
export function describeUsage(result: UsageResult, numbers: "text" | "json") {
  const value = (row: UsageRow) => (row.value === null || numbers === "text" ? row.value : Number(row.value));
  return {
    meter: result.meter,
    aggregation: result.aggregation,
    ...(result.from === null ? {} : { from: formatInstant(result.from) }),
    to: formatInstant(result.to),
    ...(result.windowSize === null ? {} : { windowSize: result.windowSize }),
    complete: result.complete,
    data: result.rows.map((row) => ({
      value: value(row),
      windowStart: formatInstant(row.windowStart),
      windowEnd: formatInstant(row.windowEnd),
      subject: row.subject,
      groupBy: row.groupBy,
    })),
  };
}

/** CSV per RFC 4180, with a header; text that a spreadsheet would run as a formula is quoted with a '. */
export function sendUsageCsv(reply: FastifyReply, result: UsageResult): FastifyReply {
  const names = Object.keys(result.rows[0]?.groupBy ?? {});
  const lines = [["window_start", "window_end", "subject", ...names, "value"]];
  for (const row of result.rows) {
    lines.push([
      formatInstant(row.windowStart),
      formatInstant(row.windowEnd),
      guard(row.subject ?? ""),
      ...names.map((name) => guard(row.groupBy[name] ?? "")),
      row.value ?? "",
    ]);
  }
  const text = lines.map((cells) => cells.map(quote).join(",")).join("\r\n");
  return reply.header("content-type", "text/csv; charset=utf-8").send(`${text}\r\n`);
}

function guard(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

function quote(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

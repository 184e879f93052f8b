import { encodeParquet, type Columnar } from "../../engines/columnar/index.js";
import { formatInstant } from "../../kernel/instant.js";
import type { UsageResult } from "../usage-query.js";

const structure =
  "window_start DateTime64(6, 'UTC'), window_end DateTime64(6, 'UTC'), subject Nullable(String), dimensions Map(String, String), value Nullable(Decimal(76, 18))";

/** A usage answer as a Parquet file: one row per window and group, values exact. */
export async function exportUsageParquet(columnar: Columnar, result: UsageResult): Promise<Uint8Array> {
  const instant = (text: string) => text.replace("T", " ").replace("Z", "");
  const rows = result.rows.map((row) => ({
    window_start: instant(formatInstant(row.windowStart)),
    window_end: instant(formatInstant(row.windowEnd)),
    subject: row.subject,
    dimensions: row.groupBy,
    value: row.value,
  }));
  return encodeParquet(columnar, structure, rows);
}

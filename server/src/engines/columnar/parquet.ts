import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Columnar } from "./open-columnar.js";

/**
 * Writes rows as a Parquet file. It is ClickHouse that writes it, through files beside the store: chDB gives binary
 * out only so. With a server this needs a server on this machine that may read and write its user files.
 * @param structure ClickHouse's column list, such as "day Date, value Decimal(38, 18)"
 * @param rows as JSON objects; decimals as strings
 */
export async function encodeParquet(
  columnar: Columnar,
  structure: string,
  rows: readonly unknown[],
): Promise<Uint8Array> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "weir-parquet-"));
  try {
    const input = path.join(folder, "rows.ndjson");
    const output = path.join(folder, "rows.parquet");
    await writeFile(input, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const file = (name: string, format: string) =>
      `file('${name.replaceAll("'", "\\'")}', '${format}', '${structure.replaceAll("'", "\\'")}')`;
    await columnar.system.command(
      "write parquet",
      `INSERT INTO FUNCTION ${file(output, "Parquet")} SELECT * FROM ${file(input, "JSONEachRow")}`,
    );
    return await readFile(output);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

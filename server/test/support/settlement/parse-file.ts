import {
  FileRefused,
  type FileSummary,
  type SettlementFormat,
  type SettlementRecord,
} from "../../../src/settlement/core/index.js";

export interface ParsedFile {
  readonly records: SettlementRecord[];
  readonly summary: FileSummary;
}

/** Reads a small file whole. @throws FileRefused */
export function parseFile(
  format: SettlementFormat,
  file: Uint8Array | string | Iterable<Uint8Array>,
): ParsedFile {
  const chunks = typeof file === "string" ? [Buffer.from(file)] : file instanceof Uint8Array ? [file] : file;
  const parser = format.open();
  const records: SettlementRecord[] = [];
  for (const chunk of chunks) records.push(...parser.push(chunk));
  const { records: last, summary } = parser.end();
  records.push(...last);
  return { records, summary };
}

/** Why a file is refused; fails when it is not. */
export function refusalOf(
  format: SettlementFormat,
  file: Uint8Array | string | Iterable<Uint8Array>,
): FileRefused {
  try {
    parseFile(format, file);
  } catch (error) {
    if (error instanceof FileRefused) return error;
    throw error;
  }
  throw new Error("the file was not refused");
}

/** What became of a file, whatever it is: comparable, and an error other than FileRefused stays one. */
export function outcomeOf(
  format: SettlementFormat,
  file: Uint8Array | Iterable<Uint8Array>,
): ParsedFile | string {
  try {
    return parseFile(format, file);
  } catch (error) {
    if (error instanceof FileRefused) return error.message;
    throw error;
  }
}

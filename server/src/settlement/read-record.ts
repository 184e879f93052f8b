import type { Objects } from "../engines/objects/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { SettlementRecord } from "./core/index.js";
import { FileReading } from "./file-reading.js";
import { objectKeyOf } from "./file-readings.js";
import type { StoredFile } from "./store/files.js";

/** A record as its file has it, read up to there. @returns "elsewhere" when the file is not in this data directory */
export async function readRecordAt(
  objects: Objects,
  organization: OrganizationId,
  file: StoredFile,
  position: number,
): Promise<SettlementRecord | undefined | "elsewhere"> {
  const key = objectKeyOf(organization, file);
  if (!(await objects.has(key))) return "elsewhere";
  const content = await objects.get(key);
  const reading = new FileReading({ name: file.name, askedFormat: file.askedFormat, content });
  try {
    await reading.skip(position - 1);
    const { records } = await reading.next(1);
    return records[0];
  } finally {
    reading.close();
  }
}

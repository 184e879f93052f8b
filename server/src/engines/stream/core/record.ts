import { crc32c } from "@node-rs/crc32";

/**
 * A small JSON file with a checksum of its own, so that a flipped bit in a digit is not taken for another number:
 * `{"crc32c":…,"record":{…}}` and a newline.
 */
export function formatRecord(record: unknown): string {
  const text = JSON.stringify(record);
  return `{"crc32c":${crc32c(text)},"record":${text}}\n`;
}

/** The record's value; undefined when the text is damaged in any way. */
export function parseRecord(text: string): unknown {
  const parts = /^\{"crc32c":(\d{1,10}),"record":(.*)\}\n$/s.exec(text);
  if (parts?.[1] === undefined || parts[2] === undefined || Number(parts[1]) !== crc32c(parts[2]))
    return undefined;
  try {
    const value: unknown = JSON.parse(parts[2]);
    return value;
  } catch {
    return undefined;
  }
}

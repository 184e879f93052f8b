/**
 * File names of a stream's folder, all in one folder so that every rename is atomic:
 *
 *     segment-000000000012.frames              frames in the order they were accepted
 *     batch-000000000003.frames                the same bytes, under a manifest
 *     batch-000000000003.manifest.json
 *     batch-000000000003.01.frames             a part of a bisected batch
 *     watermark.json
 *     quarantine/                              kept, never read again by the stream
 *     anything.tmp                             never finished: deleted at start
 */
export type StreamFile =
  | { readonly kind: "segment"; readonly name: string; readonly number: number }
  | { readonly kind: "batch"; readonly name: string; readonly number: number; readonly part: string }
  | { readonly kind: "manifest"; readonly name: string; readonly number: number; readonly part: string }
  | { readonly kind: "watermark"; readonly name: string }
  | { readonly kind: "unfinished"; readonly name: string }
  | { readonly kind: "foreign"; readonly name: string };

export const watermark_name = "watermark.json";
export const quarantine_folder = "quarantine";
export const unfinished_suffix = ".tmp";

const segmentPattern = /^segment-(\d{12})\.frames$/;
const batchPattern = /^batch-(\d{12})(?:\.([01]{1,64}))?\.(frames|manifest\.json)$/;

export function segmentName(number: number): string {
  return `segment-${padded(number)}.frames`;
}

export function batchName(number: number, part: string): string {
  return `${batchStem(number, part)}.frames`;
}

export function manifestName(number: number, part: string): string {
  return `${batchStem(number, part)}.manifest.json`;
}

export function batchStem(number: number, part: string): string {
  return `batch-${padded(number)}${part === "" ? "" : `.${part}`}`;
}

export function parseName(name: string): StreamFile {
  if (name === watermark_name) return { kind: "watermark", name };
  if (name.endsWith(unfinished_suffix)) return { kind: "unfinished", name };
  const segment = segmentPattern.exec(name);
  if (segment?.[1] !== undefined) return { kind: "segment", name, number: Number(segment[1]) };
  const batch = batchPattern.exec(name);
  if (batch?.[1] === undefined) return { kind: "foreign", name };
  const kind = batch[3] === "frames" ? "batch" : "manifest";
  return { kind, name, number: Number(batch[1]), part: batch[2] ?? "" };
}

function padded(number: number): string {
  return String(number).padStart(12, "0");
}

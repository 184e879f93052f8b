import { z } from "zod";
import { parseRecord } from "./record.js";

/**
 * What is pinned about a batch before its INSERT; a replay repeats it unchanged. The format is version 1; a manifest
 * that does not parse is treated as lost, and its batch is inserted anew after a discard.
 */
const schema = z.strictObject({
  format: z.literal(1),
  id: z.string().min(1),
  number: z.int().positive(),
  part: z.string().regex(/^[01]{0,64}$/),
  writer: z.string().min(1),
  signal: z.enum(["usage", "logs", "traces", "metrics"]),
  /** The segments whose frames these are; a part has all segments of its batch. */
  segments: z.array(z.int().positive()),
  firstSequence: z.int().positive(),
  lastSequence: z.int().positive(),
  envelopes: z.int().nonnegative(),
  rowCounts: z.array(z.int().nonnegative()),
  fileBytes: z.int().nonnegative(),
  fileCrc32c: z.int().nonnegative(),
  settings: z.record(z.string(), z.union([z.string(), z.number()])),
  engineVersion: z.string(),
  token: z.string().min(1),
  /** True once another token or engine may have left rows under this id: they are discarded before the insert. */
  discardFirst: z.boolean(),
});

export type Manifest = z.infer<typeof schema>;

export function parseManifest(text: string): Manifest | undefined {
  const parsed = schema.safeParse(parseRecord(text));
  return parsed.success ? parsed.data : undefined;
}

export function batchId(writer: string, signal: string, number: number, part: string): string {
  return `${writer}.${signal}.${number}${part === "" ? "" : `.${part}`}`;
}

/** `nonce` makes the token unlike any earlier one of the same id, whatever became of the folder in between. */
export function tokenOf(id: string, nonce: string): string {
  return `${id}:${nonce}`;
}

/** The same frames under a new token, after whatever the old one left behind has been discarded. */
export function reissue(
  manifest: Manifest,
  pinned: Pick<Manifest, "settings" | "engineVersion">,
  nonce: string,
): Manifest {
  return { ...manifest, ...pinned, token: tokenOf(manifest.id, nonce), discardFirst: true };
}

import { z } from "zod";
import { parseRecord } from "./record.js";

/** The file `watermark.json`: all that survives of what is confirmed. */
const schema = z.strictObject({
  format: z.literal(1),
  writer: z.string().min(1),
  signal: z.string().min(1),
  /** Everything up to here is inserted or quarantined. */
  sequence: z.int().nonnegative(),
  /** The last batch number that is confirmed, whole or in part, and the highest segment number in it. */
  batch: z.int().nonnegative(),
  segment: z.int().nonnegative(),
});

export type WatermarkRecord = z.infer<typeof schema>;

export function parseWatermark(text: string): WatermarkRecord | undefined {
  const parsed = schema.safeParse(parseRecord(text));
  return parsed.success ? parsed.data : undefined;
}

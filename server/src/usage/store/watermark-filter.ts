import type { Watermark } from "../../engines/stream/index.js";

/** A watermark as query parameters: rows count when `sequence <= sequences[indexOf(writers, writer)]`. */
export function watermarkParameters(watermark: Watermark): { writers: string[]; sequences: number[] } {
  return {
    writers: watermark.map((entry) => entry.writer),
    sequences: watermark.map((entry) => entry.sequence),
  };
}

/** The condition that goes with `watermarkParameters`; a writer that is not in the watermark counts nothing. */
export const at_watermark =
  "has({writers:Array(String)}, writer) AND sequence <= {sequences:Array(UInt64)}[indexOf({writers:Array(String)}, writer)]";

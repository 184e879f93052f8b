import type { Watermark } from "../../engines/stream/index.js";

/** A watermark as query parameters: rows count when `sequence <= sequences[indexOf(writers, writer)]`. */
export function watermarkParameters(watermark: Watermark): { writers: string[]; sequences: number[] } {
  return {
    writers: watermark.map((entry) => entry.writer),
    sequences: watermark.map((entry) => entry.sequence),
  };
}

/**
 * The same condition for a watermark of one writer, which is every watermark of one process: constants instead of a
 * look-up for each row (of 3 million rows, sums of 2,000 subjects took 206 ms with the look-up, 108 ms without).
 */
const at_one_writer = "writer = {writers:Array(String)}[1] AND sequence <= {sequences:Array(UInt64)}[1]";

export function atWatermark(watermark: Watermark): string {
  return watermark.length === 1 ? at_one_writer : at_watermark;
}

/** The condition that goes with `watermarkParameters`; a writer that is not in the watermark counts nothing. */
export const at_watermark =
  "has({writers:Array(String)}, writer) AND sequence <= {sequences:Array(UInt64)}[indexOf({writers:Array(String)}, writer)]";

import { z } from "zod";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { UsageWatermark } from "../usage-port.js";

/** Where a walk through a line's events goes on, and as of when. */
export interface EvidenceCursor {
  readonly watermark: UsageWatermark;
  readonly after: string;
}

const shape = z.object({
  watermark: z.array(z.object({ writer: z.string().max(64), sequence: z.number().int() })).max(1000),
  after: z.string().max(1000),
});

export function writeEvidenceCursor(cursor: EvidenceCursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString("base64url");
}

/** @throws Refusal 400 for anything that `writeEvidenceCursor` does not give */
export function readEvidenceCursor(text: string): EvidenceCursor {
  try {
    return shape.parse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
  } catch {
    const detail = "Give the cursor of the page before, unchanged, or none for the first page.";
    throw new Refusal(makeProblem("invalid-cursor", 400, "The cursor is not valid", detail));
  }
}

import type { Frame } from "./frame.js";
import { readFrame, readVarint } from "./frame.js";
import { salvage_hash_bytes_max } from "./limits.js";

export interface PlacedFrame {
  readonly frame: Frame;
  readonly start: number;
  readonly end: number;
}

/** Bytes [start, end) of a file that are no frame to be kept. */
export interface Damage {
  readonly start: number;
  readonly end: number;
  readonly reason: string;
}

export interface Survey {
  readonly frames: readonly PlacedFrame[];
  readonly damage: readonly Damage[];
  /** Ranges of sequence numbers, both ends included, that should be here and are not. */
  readonly missing: readonly { readonly first: number; readonly last: number }[];
}

export interface SurveyBounds {
  /** The last sequence before this file. */
  readonly after: number;
  /** The sequence of the file's last frame, where something else than the file tells: the manifest, or the next file. */
  readonly last: number | undefined;
}

/**
 * Finds the sound frames of a file. Behind damage it goes on only where that is proved to be a frame of ours, because a
 * tenant may send a body that contains another tenant's frame, checksum and all:
 *
 * - the damaged frame's length agrees with the fields inside it (readFrame's witness), so its end is known; or
 * - one frame alone is missing, everything from the candidate on parses with consecutive sequences, and the last one is the
 *   one that the manifest or the next file demands. A forgery within the one damaged frame would need that frame's own sequence.
 *
 * Otherwise the rest of the file is damage: kept aside, reported, not guessed at.
 */
export function surveyFrames(bytes: Uint8Array, bounds: SurveyBounds): Survey {
  const frames: PlacedFrame[] = [];
  const damage: Damage[] = [];
  const missing: { first: number; last: number }[] = [];
  let last = bounds.after;
  let offset = 0;
  while (offset < bytes.length) {
    const reading = readFrame(bytes, offset);
    if (reading.kind === "frame") {
      const { frame, end } = reading;
      if (frame.sequence <= last) {
        damage.push({
          start: offset,
          end,
          reason: `sequence ${frame.sequence} repeats; ${last} came before`,
        });
      } else {
        if (frame.sequence > last + 1) missing.push({ first: last + 1, last: frame.sequence - 1 });
        frames.push({ frame, start: offset, end });
        last = frame.sequence;
      }
      offset = end;
      continue;
    }
    const next = followWitnesses(bytes, offset, last) ?? searchForFrames(bytes, offset, last, bounds.last);
    const end = next ?? bytes.length;
    damage.push({ start: offset, end, reason: reading.reason });
    offset = end;
  }
  if (bounds.last !== undefined && last < bounds.last) missing.push({ first: last + 1, last: bounds.last });
  return { frames, damage, missing };
}

/** Skips damaged frames whose end is witnessed, up to a sound one with a sequence that leaves room for them. */
function followWitnesses(bytes: Uint8Array, from: number, last: number): number | undefined {
  let skipped = 0;
  for (let offset = from; offset < bytes.length; ) {
    const reading = readFrame(bytes, offset);
    if (reading.kind === "frame") return reading.frame.sequence > last + skipped ? offset : undefined;
    if (reading.end === undefined) return undefined;
    skipped += 1;
    offset = reading.end;
  }
  return undefined;
}

function searchForFrames(
  bytes: Uint8Array,
  from: number,
  last: number,
  lastDemanded: number | undefined,
): number | undefined {
  if (lastDemanded === undefined || lastDemanded < last + 2) return undefined;
  let hashBudget = salvage_hash_bytes_max;
  for (let offset = from + 1; offset < bytes.length; offset += 1) {
    const length = readVarint(bytes, offset, bytes.length);
    if (length === undefined || bytes[length.end] !== 0x0d) continue;
    let expected = last + 2;
    let at = offset;
    while (at < bytes.length) {
      const reading = readFrame(bytes, at);
      hashBudget -= Math.min(length.value, bytes.length - at);
      if (reading.kind === "damaged" || reading.frame.sequence !== expected) break;
      expected += 1;
      at = reading.end;
    }
    if (at === bytes.length && expected - 1 === lastDemanded) return offset;
    if (hashBudget < 0) return undefined;
  }
  return undefined;
}

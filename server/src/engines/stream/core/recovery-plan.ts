import type { Manifest } from "./manifest.js";
import { batchName, manifestName, parseName, unfinished_suffix, type StreamFile } from "./names.js";
import type { WatermarkRecord } from "./watermark.js";

/** What a start finds in the folder. */
export interface FolderState {
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** By file name of the manifest; undefined when its text is damaged. */
  readonly manifests: ReadonlyMap<string, Manifest | undefined>;
  readonly watermark: WatermarkRecord;
}

export interface PlannedBatch {
  readonly number: number;
  readonly part: string;
  /** Undefined when the manifest is damaged or gone: it is rebuilt from the frames, and discards before it inserts. */
  readonly manifest: Manifest | undefined;
  /** False when the frames are gone although the manifest is there: something other than Weir took them. */
  readonly framesPresent: boolean;
  /** Its insert is confirmed; only the deletion of its files is due. */
  readonly confirmed: boolean;
}

export interface RecoveryPlan {
  /** In this order: renames, deletions, one sync of the folder. Doing it twice is the same as once. */
  readonly renames: readonly { readonly from: string; readonly to: string }[];
  readonly deletions: readonly string[];
  /** In order of their sequences. Those without a manifest come first; their frames tell where they belong. */
  readonly batches: readonly PlannedBatch[];
  /** Numbers, rising. Only the last one may have bytes that were never durable. */
  readonly segments: readonly number[];
  readonly problems: readonly string[];
  readonly nextSegment: number;
  readonly nextBatch: number;
}

interface BatchFiles {
  readonly number: number;
  readonly part: string;
  frames?: StreamFile;
  unfinishedFrames?: { readonly name: string; readonly bytes: number };
  manifestFile?: StreamFile;
  manifest?: Manifest | undefined;
}

/**
 * Decides what becomes of every file. The rules, by the crash that leaves them (docs/spec/stream.md has the table):
 * a manifest is the commit point of a batch; before it the segments are the truth, after it the batch; a bisected
 * batch is superseded once both halves are complete; what the watermark has passed is only waiting to be deleted.
 */
export function planRecovery(state: FolderState): RecoveryPlan {
  const { watermark } = state;
  const problems: string[] = [];
  const renames: { from: string; to: string }[] = [];
  const deletions = new Set<string>();
  const segments = new Map<number, string>();
  const groups = new Map<string, BatchFiles>();

  const groupOf = (number: number, part: string): BatchFiles => {
    const key = batchName(number, part);
    const group = groups.get(key) ?? { number, part };
    groups.set(key, group);
    return group;
  };
  for (const { name, bytes } of state.files) {
    const file = parseName(name);
    switch (file.kind) {
      case "segment":
        segments.set(file.number, name);
        break;
      case "batch":
        groupOf(file.number, file.part).frames = file;
        break;
      case "manifest": {
        const group = groupOf(file.number, file.part);
        group.manifestFile = file;
        group.manifest = state.manifests.get(name);
        break;
      }
      case "unfinished": {
        deletions.add(name);
        const target = parseName(name.slice(0, -unfinished_suffix.length));
        if (target.kind === "batch") groupOf(target.number, target.part).unfinishedFrames = { name, bytes };
        break;
      }
      case "foreign":
        problems.push(`${name} is none of the stream's files; left alone`);
        break;
      case "watermark":
        break;
    }
  }

  const dropped = new Set<BatchFiles>();
  const drop = (group: BatchFiles): void => {
    dropped.add(group);
    if (group.frames !== undefined) deletions.add(group.frames.name);
    if (group.manifestFile !== undefined) deletions.add(group.manifestFile.name);
  };
  const complete = (group: BatchFiles | undefined): group is BatchFiles =>
    group?.manifest !== undefined && group.frames !== undefined;

  // Halves and the whole: shorter paths first, so that a half that is itself superseded has been decided.
  for (const whole of [...groups.values()].sort((a, b) => a.part.length - b.part.length)) {
    if (dropped.has(whole) || (whole.manifestFile === undefined && whole.frames === undefined)) continue;
    const halves = ["0", "1"].map((half) => groups.get(batchName(whole.number, whole.part + half)));
    const passed = whole.manifest !== undefined && watermark.sequence >= whole.manifest.firstSequence;
    if (halves.every(complete) || (passed && halves.some(complete))) drop(whole);
    else for (const half of halves) if (half !== undefined) drop(half);
  }

  const batches: PlannedBatch[] = [];
  for (const group of groups.values()) {
    if (dropped.has(group)) continue;
    const { number, part, manifest } = group;
    const confirmed = manifest !== undefined && manifest.lastSequence <= watermark.sequence;
    if (group.frames !== undefined) {
      if (manifest === undefined && group.manifestFile !== undefined) {
        problems.push(`${group.manifestFile.name} is damaged; it is rebuilt from the frames`);
      }
      batches.push({ number, part, manifest, framesPresent: true, confirmed });
      for (const segment of manifest?.segments ?? []) {
        const name = segments.get(segment);
        if (name !== undefined) deletions.add(name);
        segments.delete(segment);
      }
      continue;
    }
    if (group.manifestFile === undefined) continue; // only an unfinished file, deleted above
    if (manifest === undefined || confirmed) {
      if (!confirmed) problems.push(`${group.manifestFile.name} is damaged and has no frames; deleted`);
      deletions.add(group.manifestFile.name);
      continue;
    }
    const unfinished = group.unfinishedFrames;
    const sources = manifest.segments.map((segment) => segments.get(segment));
    const [only] = sources;
    if (unfinished !== undefined && unfinished.bytes === manifest.fileBytes) {
      deletions.delete(unfinished.name);
      renames.push({ from: unfinished.name, to: batchName(number, part) });
    } else if (part === "" && sources.length === 1 && only !== undefined) {
      renames.push({ from: only, to: batchName(number, part) });
    } else if (part === "" && sources.length > 0 && sources.every((source) => source !== undefined)) {
      // Its frames were never renamed into place, so it was never inserted: the segments make a new batch.
      deletions.add(manifestName(number, part));
      continue;
    } else {
      problems.push(
        `the frames of batch ${manifest.id} are gone: sequences ${manifest.firstSequence} to ${manifest.lastSequence}`,
      );
      batches.push({ number, part, manifest, framesPresent: false, confirmed });
      continue;
    }
    batches.push({ number, part, manifest, framesPresent: true, confirmed });
    for (const segment of manifest.segments) {
      const name = segments.get(segment);
      if (name !== undefined && name !== renames.at(-1)?.from) deletions.add(name);
      segments.delete(segment);
    }
  }

  batches.sort((a, b) => (a.manifest?.firstSequence ?? 0) - (b.manifest?.firstSequence ?? 0));
  const segmentsSeen = batches.flatMap((batch) => batch.manifest?.segments ?? []);
  return {
    renames,
    deletions: [...deletions].sort(),
    batches,
    segments: [...segments.keys()].sort((a, b) => a - b),
    problems,
    nextSegment: Math.max(watermark.segment, 0, ...segments.keys(), ...segmentsSeen) + 1,
    nextBatch: Math.max(watermark.batch, 0, ...batches.map((batch) => batch.number)) + 1,
  };
}

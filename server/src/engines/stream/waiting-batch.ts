import type { Manifest } from "./core/index.js";

/** A batch whose manifest is durable, on its way to the sink. */
export interface WaitingBatch {
  manifest: Manifest;
  bytes: number;
  /** The file is not what the manifest pins: some of its frames are lost. */
  damaged: boolean;
  /** The token was made by this process: no other run can have inserted under it after its discard. */
  tokenIsOurs: boolean;
  /** What other tokens left behind has been discarded since the token was made. */
  discarded: boolean;
}

export function waiting(
  manifest: Manifest,
  state: { tokenIsOurs: boolean; damaged?: boolean },
): WaitingBatch {
  const { tokenIsOurs, damaged = false } = state;
  return { manifest, bytes: manifest.fileBytes, damaged, tokenIsOurs, discarded: false };
}

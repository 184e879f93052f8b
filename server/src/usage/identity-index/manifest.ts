import { crc32c } from "@node-rs/crc32";

/** What is known of one run without reading it. */
export interface RunSummary {
  readonly id: number;
  readonly keys: number;
  /** Keys are spread over this many records by their first word. */
  readonly blocks: number;
  /** Seconds since 1970; `earliest` is the maximum when every key is kept for good. */
  readonly earliestExpiry: number;
  readonly latestExpiry: number;
  /** Day of expiry (-1: never) and the number of keys that expire on it. */
  readonly days: readonly (readonly [day: number, keys: number])[];
}

/** The one record that says which runs exist; every change of it is one LMDB transaction. */
export interface Manifest {
  readonly format: 1;
  readonly nextRun: number;
  /** False while the index lacks keys that usage_events has: it was lost, and is being rebuilt. */
  readonly complete: boolean;
  /** True from the moment before the first key was let go. */
  readonly forgotten: boolean;
  readonly runs: readonly RunSummary[];
}

export const empty_manifest: Manifest = {
  format: 1,
  nextRun: 1,
  complete: false,
  forgotten: false,
  runs: [],
};

/** Thrown when what is stored cannot be right; the index must be rebuilt. */
export class IdentityIndexDamaged extends Error {
  override readonly name = "IdentityIndexDamaged";
  readonly retry = false;
}

export function encodeManifest(manifest: Manifest): Buffer {
  const text = JSON.stringify(manifest);
  return Buffer.from(`${crc32c(text).toString(16).padStart(8, "0")}${text}`, "utf8");
}

export function decodeManifest(bytes: Uint8Array): Manifest {
  const whole = Buffer.from(bytes).toString("utf8");
  const text = whole.slice(8);
  if (crc32c(text).toString(16).padStart(8, "0") !== whole.slice(0, 8)) {
    throw new IdentityIndexDamaged("the manifest of the identity index fails its checksum");
  }
  const value = JSON.parse(text) as Manifest; // our own text, whole by its checksum
  if (value.format !== 1) throw new IdentityIndexDamaged("the identity index has another format");
  return value;
}

import * as path from "node:path";
import { batchStem, quarantine_folder, type Manifest } from "./core/index.js";
import { replaceFile } from "./durable-file.js";
import type { FileLayer } from "./file-layer.js";

const reason_suffix = ".reason.json";
const damage_suffix = ".damaged";

/**
 * The folder `quarantine/`: envelopes that no insert accepts, each as a file of one frame beside the reason, and bytes
 * that damage made unreadable. Nothing in it is ever read or deleted by the stream.
 */
export class Quarantine {
  readonly #files: FileLayer;
  readonly #directory: string;
  #names: Set<string>;

  private constructor(files: FileLayer, directory: string, names: Set<string>) {
    this.#files = files;
    this.#directory = directory;
    this.#names = names;
  }

  static async open(files: FileLayer, streamDirectory: string): Promise<Quarantine> {
    const directory = path.join(streamDirectory, quarantine_folder);
    await files.makeDirectory(directory);
    const entries = await files.list(directory);
    return new Quarantine(files, directory, new Set(entries.map((entry) => entry.name)));
  }

  get envelopes(): number {
    return this.#countOf(reason_suffix);
  }

  get damaged(): number {
    return this.#countOf(damage_suffix);
  }

  /** Durable when it resolves. Keeping the same batch again replaces it. */
  async keepEnvelope(manifest: Manifest, frame: Uint8Array, reason: string, at: string): Promise<void> {
    const stem = batchStem(manifest.number, manifest.part);
    await replaceFile(this.#files, this.#directory, `${stem}.frames`, [frame]);
    const explained = {
      id: manifest.id,
      sequence: manifest.firstSequence,
      reason,
      at,
      token: manifest.token,
    };
    await replaceFile(
      this.#files,
      this.#directory,
      stem + reason_suffix,
      `${JSON.stringify(explained, null, 2)}\n`,
    );
    await this.#files.syncDirectory(this.#directory);
    this.#names.add(stem + reason_suffix);
  }

  /** Keeps bytes [start, …) of a stream file. @returns the name they are kept under */
  async keepDamage(fileName: string, start: number, bytes: Uint8Array): Promise<string> {
    const name = `${fileName}.${start}-${start + bytes.length}${damage_suffix}`;
    await replaceFile(this.#files, this.#directory, name, [bytes]);
    await this.#files.syncDirectory(this.#directory);
    this.#names.add(name);
    return path.join(quarantine_folder, name);
  }

  #countOf(suffix: string): number {
    let count = 0;
    for (const name of this.#names) if (name.endsWith(suffix)) count += 1;
    return count;
  }
}

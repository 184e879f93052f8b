import type { Log } from "../../kernel/log.js";
import { disk_check_interval_ms } from "./core/index.js";
import type { FileLayer } from "./file-layer.js";

/** Free bytes of the stream's disk, looked up about once a second while somebody asks. */
export class DiskSpace {
  readonly #files: FileLayer;
  readonly #directory: string;
  readonly #log: Log;
  #freeBytes = Number.POSITIVE_INFINITY;
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #checking = false;

  constructor(files: FileLayer, directory: string, log: Log) {
    this.#files = files;
    this.#directory = directory;
    this.#log = log;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Free bytes as last seen, less what was written since; starts a new look when that one is old. */
  look(): number {
    if (!this.#checking && performance.now() - this.#checkedAtMs >= disk_check_interval_ms)
      void this.refresh();
    return this.#freeBytes;
  }

  spend(bytes: number): void {
    this.#freeBytes -= bytes;
  }

  async refresh(): Promise<void> {
    this.#checking = true;
    try {
      this.#freeBytes = await this.#files.freeBytes(this.#directory);
    } catch (error) {
      this.#log.warn("free disk space cannot be read; the last known value stands", { error: String(error) });
    } finally {
      this.#checkedAtMs = performance.now();
      this.#checking = false;
    }
  }
}

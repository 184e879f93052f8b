import type { Objects } from "../engines/objects/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import { FileReading } from "./file-reading.js";
import type { StoredFile } from "./store/files.js";

const readings_max = 16;
const idle_ms_max = 60_000;

/** Where a file's object lies. */
export function objectKeyOf(organization: OrganizationId, file: Pick<StoredFile, "id">): string {
  return `${objectsOf(organization)}/${file.id}`;
}

export function objectsOf(organization: OrganizationId): string {
  return `settlement/${organization}`;
}

/**
 * Files that are being read in this process, from step to step of their runs. One that is not here, after a restart or a
 * step that failed, is read from its beginning past what was staged of it.
 */
export class FileReadings {
  readonly #objects: Objects;
  readonly #open = new Map<string, { readonly reading: FileReading; readonly timer: NodeJS.Timeout }>();

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  /** The file, read up to behind its first `given` records. Whoever takes it gives it back, or closes it. */
  async take(organization: OrganizationId, file: StoredFile, given: number): Promise<FileReading> {
    const key = keyOf(file);
    const kept = this.#open.get(key);
    if (kept !== undefined) {
      this.#open.delete(key);
      clearTimeout(kept.timer);
      if (kept.reading.given === given) return kept.reading;
      kept.reading.close();
    }
    const content = await this.#objects.get(objectKeyOf(organization, file));
    const reading = new FileReading({ name: file.name, askedFormat: file.askedFormat, content });
    try {
      await reading.skip(given);
      return reading;
    } catch (error) {
      reading.close();
      throw error;
    }
  }

  giveBack(file: StoredFile, reading: FileReading): void {
    const key = keyOf(file);
    const [oldest] = this.#open.keys();
    if (this.#open.size >= readings_max && oldest !== undefined) this.#close(oldest);
    const timer = setTimeout(() => this.#close(key), idle_ms_max);
    this.#open.set(key, { reading, timer: timer.unref() });
  }

  closeAll(): void {
    for (const key of this.#open.keys()) this.#close(key);
  }

  #close(key: string): void {
    const kept = this.#open.get(key);
    if (kept === undefined) return;
    this.#open.delete(key);
    clearTimeout(kept.timer);
    kept.reading.close();
  }
}

function keyOf({ id, attempt }: StoredFile): string {
  return `${id} ${attempt}`;
}

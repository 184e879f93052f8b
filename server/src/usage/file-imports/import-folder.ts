import { createHash, type Hash } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat, statfs, type FileHandle } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import type { ImportId, OrganizationId } from "../../kernel/ids.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { Utf8Check } from "./utf8-check.js";

export interface ImportFolderOptions {
  /** Made when missing. */
  readonly dir: string;
  readonly fileBytesMax: number;
  readonly diskFreeBytesMin: number;
}

/** A file that is on disk for good. */
export interface SpooledFile {
  readonly bytes: number;
  /** SHA-256 of its content, in hexadecimal. */
  readonly sha256: string;
}

const part = ".part";
const disk_check_bytes = 16 * 1024 * 1024;

/** The uploaded files in the data directory: `{organization}/{import}`, and `.part` behind the name while one arrives. */
export class ImportFolder {
  readonly #on: ImportFolderOptions;

  constructor(options: ImportFolderOptions) {
    this.#on = options;
  }

  pathOf(organization: OrganizationId, id: ImportId): string {
    return path.join(this.#on.dir, organization, id);
  }

  /**
   * Writes a stream to the file of an import, and syncs it; nothing is left of one that fails.
   * @param onBytes  hears of each piece's length before it is written, and may refuse
   * @throws Refusal 413 over the limit, 400 for what is not UTF-8, 503 when the disk is full
   */
  async spool(
    organization: OrganizationId,
    id: ImportId,
    body: Readable,
    onBytes: (bytes: number) => void,
  ): Promise<SpooledFile> {
    const target = this.pathOf(organization, id);
    const folder = path.dirname(target);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await syncFolder(this.#on.dir);
    const draft = `${target}${part}`;
    const hash = createHash("sha256");
    try {
      const file = await open(draft, "wx", 0o600);
      let bytes: number;
      try {
        bytes = await this.#copy(body, file, hash, onBytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, target);
      await syncFolder(folder);
      return { bytes, sha256: hash.digest("hex") };
    } catch (error) {
      await rm(draft, { force: true });
      await rm(target, { force: true });
      throw error;
    }
  }

  async #copy(
    body: Readable,
    file: FileHandle,
    hash: Hash,
    onBytes: (bytes: number) => void,
  ): Promise<number> {
    const { fileBytesMax } = this.#on;
    const utf8 = new Utf8Check();
    let bytes = 0;
    let checkedAt = -disk_check_bytes;
    // Not destroyed when refused: then the client, which may still be sending, could not read the refusal.
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (bytes - checkedAt >= disk_check_bytes) {
        await this.#checkDisk();
        checkedAt = bytes;
      }
      bytes += chunk.length;
      if (bytes > fileBytesMax) throw refuseSize(fileBytesMax);
      if (!utf8.push(chunk)) throw notUtf8(bytes - chunk.length);
      onBytes(chunk.length);
      hash.update(chunk);
      for (let written = 0; written < chunk.length; )
        written += (await file.write(chunk, written)).bytesWritten;
    }
    if (!utf8.complete) throw notUtf8(bytes);
    return bytes;
  }

  async #checkDisk(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#on.dir);
    if (bavail * bsize >= this.#on.diskFreeBytesMin) return;
    const detail =
      "The disk of Weir has too little room for a file. Free some of it, or send the rows yourself.";
    throw new Refusal(
      makeProblem("unavailable", 503, "Temporarily unavailable", detail, {
        reason: "disk_full",
        retryAfterSeconds: 30,
      }),
    );
  }

  async delete(organization: OrganizationId, id: ImportId): Promise<void> {
    await rm(this.pathOf(organization, id), { force: true });
  }

  async isThere(organization: OrganizationId, id: ImportId): Promise<boolean> {
    return (await stat(this.pathOf(organization, id)).catch(() => undefined)) !== undefined;
  }

  /** Before anything arrives: makes the folder, and deletes what a crash cut off. */
  async open(): Promise<void> {
    await mkdir(this.#on.dir, { recursive: true, mode: 0o700 });
    for (const [organization, names] of await this.#entries()) {
      for (const name of names)
        if (name.endsWith(part)) await rm(path.join(this.#on.dir, organization, name), { force: true });
    }
  }

  /** Every whole file that is there. */
  async list(): Promise<ReadonlyMap<OrganizationId, readonly ImportId[]>> {
    const entries = await this.#entries();
    return new Map(
      entries.map(([organization, names]) => [
        organization,
        names.filter((name) => !name.endsWith(part)) as ImportId[],
      ]),
    );
  }

  async #entries(): Promise<[OrganizationId, string[]][]> {
    const folders = await readdir(this.#on.dir);
    return Promise.all(
      folders.map(
        async (name) =>
          [name as OrganizationId, await readdir(path.join(this.#on.dir, name))] as [
            OrganizationId,
            string[],
          ],
      ),
    );
  }
}

export function refuseSize(bytes_max: number): Refusal {
  const detail = `A file of an import holds at most ${bytes_max} bytes, decompressed (WEIR_IMPORT_BYTES_MAX). Split it, and import each part under its own name.`;
  return new Refusal(
    makeProblem("import-too-large", 413, "The file is too large", detail, { limit: bytes_max }),
  );
}

function notUtf8(from: number): Refusal {
  const detail = `The file is not UTF-8, somewhere behind byte ${from}. Convert it, then send it again.`;
  return new Refusal(makeProblem("body-not-utf8", 400, "The body is not UTF-8", detail));
}

async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

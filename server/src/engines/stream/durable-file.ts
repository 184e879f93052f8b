import * as path from "node:path";
import { errorCodeOf } from "./errors.js";
import type { FileLayer } from "./file-layer.js";
import { unfinished_suffix } from "./core/index.js";

/**
 * Replaces a file as a whole: afterwards, and after any crash on the way, it holds the old bytes or the new ones. The name
 * is durable once the folder is synced, which is left to the caller, who may have more names to sync.
 */
export async function replaceFile(
  files: FileLayer,
  directory: string,
  name: string,
  content: string | readonly Uint8Array[],
): Promise<void> {
  const unfinished = await writeUnfinished(files, directory, name, content);
  await files.rename(unfinished, path.join(directory, name));
}

/**
 * Writes `name.tmp` and syncs its bytes. A failure leaves nothing of it, so that a full disk is not kept full.
 * @returns its path
 */
export async function writeUnfinished(
  files: FileLayer,
  directory: string,
  name: string,
  content: string | readonly Uint8Array[],
): Promise<string> {
  const unfinished = path.join(directory, name + unfinished_suffix);
  const chunks = typeof content === "string" ? [Buffer.from(content)] : content;
  const file = await files.create(unfinished, "replace");
  try {
    let position = 0;
    for (const chunk of chunks) {
      await file.write(chunk, position);
      position += chunk.length;
    }
    await file.syncData();
    await file.close();
  } catch (error) {
    await file.close().catch(() => {});
    await removeFile(files, unfinished).catch(() => {});
    throw error;
  }
  return unfinished;
}

/** Deletes a file that may be gone already. */
export async function removeFile(files: FileLayer, file: string): Promise<void> {
  try {
    await files.unlink(file);
  } catch (error) {
    if (errorCodeOf(error) !== "ENOENT") throw error;
  }
}

/** Renames a file that may have been renamed already. */
export async function renameOnce(files: FileLayer, from: string, to: string): Promise<void> {
  try {
    await files.rename(from, to);
  } catch (error) {
    if (errorCodeOf(error) !== "ENOENT") throw error;
    await (await files.openExisting(to)).close(); // throws ENOENT when both are gone
  }
}

import * as path from "node:path";
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

/** Writes `name.tmp` and syncs its bytes. @returns its path */
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
  } finally {
    await file.close();
  }
  return unfinished;
}

/** Deletes a file that may be gone already. */
export async function removeFile(files: FileLayer, file: string): Promise<void> {
  try {
    await files.unlink(file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Bytes that the files under a folder take on disk (not their lengths: maps are sparse); 0 when there is none. */
export function folderBytes(dir: string): number {
  let bytes = 0;
  try {
    for (const path of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
      const found = statSync(join(dir, path), { throwIfNoEntry: false });
      if (found?.isFile() === true) bytes += found.blocks * 512;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return bytes;
}

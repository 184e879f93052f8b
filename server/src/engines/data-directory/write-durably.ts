import { open, rename } from "node:fs/promises";
import path from "node:path";

/**
 * Writes a file that only its owner may read, in one step: after a crash it is there whole, as it was before, or not at all.
 * Its bytes and its name are on disk when this resolves.
 */
export async function writeDurably(file: string, content: string | Uint8Array): Promise<void> {
  const draft = `${file}.draft`;
  const handle = await open(draft, "w", 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
  const folder = await open(path.dirname(file), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

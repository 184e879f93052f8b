import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UsageError, type CliContext } from "./context.js";

/**
 * Writes a file as it comes: to its name in this folder, to another one, or, for "-", to standard output.
 * @throws UsageError for a file that cannot be written
 */
export async function saveStream(
  context: CliContext,
  { name, content }: { readonly name: string; readonly content: ReadableStream<Uint8Array> },
  out = name,
): Promise<void> {
  let bytes = 0;
  const counted = Readable.from(
    (async function* () {
      for await (const chunk of content) {
        bytes += chunk.byteLength;
        yield chunk;
      }
    })(),
  );
  if (out === "-") {
    await pipeline(counted, context.out, { end: false });
    return;
  }
  try {
    await pipeline(counted, createWriteStream(out));
  } catch (error) {
    // Of the file, not of the connection.
    if (error instanceof Error && "syscall" in error && "path" in error)
      throw new UsageError(`--out ${out}: ${error.message}`);
    throw error;
  }
  context.err.write(`${out}: ${bytes} bytes\n`);
}

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import type { Import, ImportUpload } from "@weir/sdk";
import type { CliContext } from "../context.js";
import { ProgressBar } from "./progress-bar.js";

const look_ms = 500;

/**
 * Uploads a file and follows the import until it ends. Interrupted after the upload, it goes on without us; run again, the
 * same file is found by its name.
 */
export async function uploadFile(context: CliContext, file: string, upload: ImportUpload): Promise<Import> {
  const { size } = await stat(file);
  const sending = new ProgressBar(context.err, size);
  const source = createReadStream(file);
  let sent = 0;
  source.on("data", (chunk) => {
    sent += chunk.length;
    sending.update(sent, "sent");
  });
  let current: Import;
  try {
    current = await context.weir.imports.upload(upload, Readable.toWeb(source) as ReadableStream<Uint8Array>);
  } finally {
    source.destroy();
    sending.end();
  }
  const bar = new ProgressBar(context.err, size);
  try {
    while (current.status === "running") {
      await new Promise((resolve) => setTimeout(resolve, look_ms));
      current = await context.weir.imports.get(current.id);
      const rejected = current.rejected === 0 ? "" : `, ${current.rejected} rejected`;
      bar.update(
        current.file?.bytesDone ?? 0,
        `${current.rowsDone} rows, ${current.accepted + current.duplicates} events${rejected}`,
      );
    }
  } finally {
    bar.end();
  }
  return current;
}

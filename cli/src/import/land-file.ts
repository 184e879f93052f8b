import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import type { SettlementFile, SettlementUpload } from "@weir/sdk";
import type { CliContext } from "../context.js";
import { ProgressBar } from "./progress-bar.js";

const look_ms = 300;

/** Sends a settlement file, and follows it until nothing more happens to it by itself. Interrupted, it goes on without us. */
export async function landFile(
  context: CliContext,
  path: string,
  upload: SettlementUpload,
): Promise<SettlementFile & { readonly alreadyLanded: boolean }> {
  const { size } = await stat(path);
  const sending = new ProgressBar(context.err, size);
  const source = createReadStream(path);
  let sent = 0;
  source.on("data", (chunk) => {
    sent += chunk.length;
    sending.update(sent, `${upload.name}: sent`);
  });
  let landed: SettlementFile & { readonly alreadyLanded: boolean };
  try {
    const body = Readable.toWeb(source) as ReadableStream<Uint8Array>;
    landed = await context.weir.settlement.upload(upload, body);
  } finally {
    source.destroy();
    sending.end();
  }
  const { alreadyLanded } = landed;
  return { ...(await followFile(context, landed)), alreadyLanded };
}

/** Shows how far a file is until it is posted, held or refused, or its run has failed. */
export async function followFile(context: CliContext, file: SettlementFile): Promise<SettlementFile> {
  // Read, matched, posted: three times through the file.
  const bar = new ProgressBar(context.err, 3);
  let current = file;
  try {
    while (isAtWork(current)) {
      await new Promise((resolve) => setTimeout(resolve, look_ms));
      current = await context.weir.settlement.get(file.id);
      const { name, state, bytes, bytesDone, records, matched, posted } = current;
      const share = (done: number, all: number) => (all === 0 ? 0 : Math.min(1, done / all));
      const isRead = state !== "landed" && state !== "parsing";
      const done = share(bytesDone, bytes) + (isRead ? share(matched, records) + share(posted, records) : 0);
      bar.update(done, `${name}: ${state}, ${records} records`);
    }
  } finally {
    bar.end();
  }
  return current;
}

function isAtWork({ state, failure }: SettlementFile): boolean {
  return failure === null && state !== "posted" && state !== "held" && state !== "refused";
}

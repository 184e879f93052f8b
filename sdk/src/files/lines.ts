import type { Readable } from "node:stream";

const newline = 0x0a;

/**
 * The lines of a stream, each with where it ends; `text` is missing for one of more than `bytes_max`, which is passed over
 * without being kept.
 */
export async function* linesOf(
  stream: Readable,
  bytes_max: number,
): AsyncGenerator<{ readonly bytes: number; readonly text: string | undefined }> {
  let read = 0;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  const take = (end: number, last: Buffer) => {
    const length = pendingBytes + last.length;
    const text =
      length > bytes_max
        ? undefined
        : Buffer.concat([...pending, last])
            .toString("utf8")
            .replace(/\r$/, "");
    pending = [];
    pendingBytes = 0;
    return { bytes: end, text };
  };
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      yield take(read + at + 1, chunk.subarray(from, at));
      from = at + 1;
    }
    const rest = chunk.subarray(from);
    pendingBytes += rest.length;
    if (pendingBytes > bytes_max) pending = [];
    else if (rest.length > 0) pending.push(rest);
    read += chunk.length;
  }
  if (pendingBytes > 0) yield take(read, Buffer.alloc(0));
}

const chunk_bytes = 64 * 1024;

/** Collects pieces of a file into chunks of some 64 KiB, so that a million rows are written without holding them. */
export function* inChunks(pieces: Iterable<string | Uint8Array>): Generator<Uint8Array> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    const encoded = typeof piece === "string" ? Buffer.from(piece) : piece;
    held.push(encoded);
    bytes += encoded.length;
    if (bytes < chunk_bytes) continue;
    yield Buffer.concat(held, bytes);
    held = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(held, bytes);
}

/** The whole of a small file. */
export function wholeFile(chunks: Iterable<Uint8Array>): Uint8Array {
  return Buffer.concat([...chunks]);
}

/** A file in pieces of these lengths, over and over. */
export function* cutInto(file: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < file.length; turn += 1) {
    const end = at + Math.max(1, lengths[turn % lengths.length] ?? 1);
    yield file.subarray(at, end);
    at = end;
  }
}

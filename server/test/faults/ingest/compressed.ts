import { deflateSync, gzipSync } from "node:zlib";
import { loadZstd } from "../../../src/http/zstd.js";

/** Compresses as a Content-Encoding says; not at all by an empty one. */
export type Compress = (bytes: Buffer, encoding: string) => Uint8Array;

export async function loadCompress(): Promise<Compress> {
  const zstd = await loadZstd();
  return (bytes, encoding) => {
    if (encoding === "gzip") return gzipSync(bytes);
    if (encoding === "deflate") return deflateSync(bytes);
    if (encoding === "zstd") return zstd.compress(bytes);
    return bytes;
  };
}

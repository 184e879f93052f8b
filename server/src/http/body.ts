import { Readable, type Transform } from "node:stream";
import { promisify } from "node:util";
import { createGunzip, createInflate, gunzip, inflate } from "node:zlib";
import type { FastifyInstance } from "fastify";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { loadZstd, type Zstd } from "./zstd.js";

const gunzipAsync = promisify(gunzip);
const inflateAsync = promisify(inflate);
/**
 * Gives every route its body as raw bytes, decompressed (gzip, deflate, zstd) and never larger than the limit: a
 * bomb is refused after the limit's worth of memory.
 */
export async function acceptRawBodies(app: FastifyInstance, bytesMax: number): Promise<void> {
  const zstd = await loadZstd();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: bytesMax }, (request, body: Buffer, done) => {
    const encoding = request.headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
    if (encoding === "identity" || encoding === "") {
      done(null, body);
      return;
    }
    decompress(body, encoding, bytesMax, zstd).then((bytes) => done(null, bytes), done);
  });
}

/** @throws Refusal 415 for another encoding, 400 for damaged bytes, 413 over the limit */
async function decompress(
  body: Uint8Array,
  encoding: string,
  bytesMax: number,
  zstd: Zstd,
): Promise<Uint8Array> {
  try {
    switch (encoding) {
      case "gzip":
      case "x-gzip":
        return await gunzipAsync(body, { maxOutputLength: bytesMax });
      case "deflate":
        return await inflateAsync(body, { maxOutputLength: bytesMax });
      case "zstd":
        return decompressZstd(body, bytesMax, zstd);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (error instanceof RangeError || (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE")
      throw tooLarge(bytesMax);
    throw damaged(encoding);
  }
  throw unsupported(encoding);
}

/**
 * A body as it comes, decompressed, for what is too large to be held in memory. zstd can only be read whole here, so a body in
 * it holds at most `zstdBytesMax`; gzip and deflate have no limit of their own.
 * @throws Refusal 415, and for zstd 400 and 413; what is damaged otherwise, `work` finds as it reads
 */
export async function withDecodedBody<T>(
  body: Readable,
  contentEncoding: string | undefined,
  zstdBytesMax: number,
  work: (decoded: Readable) => Promise<T>,
): Promise<T> {
  const encoding = contentEncoding?.trim().toLowerCase() ?? "";
  try {
    if (encoding === "" || encoding === "identity") return await work(body);
    if (encoding === "zstd") {
      const whole = await readWhole(body, zstdBytesMax);
      return await work(Readable.from([await decompress(whole, encoding, zstdBytesMax, await loadZstd())]));
    }
    if (!/^(x-)?gzip$|^deflate$/.test(encoding)) throw unsupported(encoding);
    return await withDecoder(body, encoding === "deflate" ? createInflate() : createGunzip(), work);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (/^(Z_|ERR_STREAM_PREMATURE|ECONNRESET)/.test(code)) throw damaged(encoding);
    throw error;
  } finally {
    // So that a client that is still sending can read why not.
    body.resume();
  }
}

async function withDecoder<T>(
  body: Readable,
  decoder: Transform,
  work: (decoded: Readable) => Promise<T>,
): Promise<T> {
  // It may find damage before anybody reads; whoever does is told.
  decoder.on("error", () => undefined);
  const fail = (error: Error) => decoder.destroy(error);
  body.once("error", fail);
  body.pipe(decoder);
  try {
    return await work(decoder);
  } finally {
    body.unpipe(decoder);
    body.off("error", fail);
    decoder.destroy();
  }
}

async function readWhole(body: Readable, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function damaged(encoding: string): Refusal {
  const detail = `The body is ${encoding === "" ? "" : `not ${encoding}, or is `}cut off.`;
  return new Refusal(makeProblem("body-damaged", 400, "The body does not decompress", detail));
}

function unsupported(encoding: string): Refusal {
  const detail = `"${encoding}" is not an encoding Weir reads. Send gzip, deflate, zstd, or none.`;
  return new Refusal(makeProblem("unsupported-encoding", 415, "Unsupported content encoding", detail));
}

function decompressZstd(body: Uint8Array, bytesMax: number, zstd: Zstd): Uint8Array {
  const size = zstdContentSize(body);
  if (size !== undefined && size > bytesMax) throw tooLarge(bytesMax);
  try {
    return zstd.decompress(body, { defaultHeapSize: bytesMax });
  } catch (error) {
    if (size === undefined && isTooSmall(error)) throw tooLarge(bytesMax);
    throw error;
  }
}

/** ZSTD_error_dstSize_tooSmall: without a declared size, the room was `bytesMax`. */
function isTooSmall(error: unknown): boolean {
  return error instanceof Error && /code -70\b/.test(error.message);
}

/** The content size that a zstd frame declares (RFC 8878, 3.1.1.1), or undefined when it declares none. */
function zstdContentSize(body: Uint8Array): number | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < 6 || view.getUint32(0, true) !== 0xfd2fb528) throw new Error("not a zstd frame");
  const descriptor = view.getUint8(4);
  const flag = descriptor >> 6;
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const at = 5 + (singleSegment ? 0 : 1) + dictionaryBytes;
  const sizeBytes = flag === 0 ? (singleSegment ? 1 : 0) : 1 << flag;
  if (body.length < at + sizeBytes) throw new Error("a zstd frame that ends in its header");
  if (sizeBytes === 0) return undefined;
  if (sizeBytes === 1) return view.getUint8(at);
  if (sizeBytes === 2) return view.getUint16(at, true) + 256;
  if (sizeBytes === 4) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}

function tooLarge(bytesMax: number): Refusal {
  const detail = `A body holds at most ${bytesMax} bytes after decompression. Send less at a time.`;
  return new Refusal(
    makeProblem("body-too-large", 413, "The body is too large", detail, { limit: bytesMax }),
  );
}

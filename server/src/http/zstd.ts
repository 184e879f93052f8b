import { createRequire } from "node:module";

/** zstd in WebAssembly; both calls are synchronous and throw Error with zstd's own negative code in the message. */
export interface Zstd {
  compress(bytes: Uint8Array): Uint8Array;
  decompress(bytes: Uint8Array, options: { defaultHeapSize: number }): Uint8Array;
}

let loading: Promise<Zstd> | undefined;

/**
 * Loads it once a process: initialised again, the package fails later calls (codes -72 and -10). Its ESM entry
 * imports its wasm in a way that Node refuses; its CommonJS entry works.
 */
export function loadZstd(): Promise<Zstd> {
  return (loading ??= load());
}

async function load(): Promise<Zstd> {
  const zstd = createRequire(import.meta.url)("@bokuweb/zstd-wasm") as Zstd & { init(): Promise<void> };
  await zstd.init();
  return zstd;
}

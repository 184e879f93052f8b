/**
 * A blocked Bloom filter over the keys of one run: 16 bits a key, six of them set within one 64-byte line, so a look-up
 * costs one cache miss and lets some 0.2 % of absent keys through. It takes its positions from words 1 to 3 of the
 * key, which are already a hash.
 */
const bits_per_key = 16;
const words_per_line = 16;

export function createFilter(keysMax: number): Uint32Array<ArrayBuffer> {
  const lines = Math.max(1, Math.ceil((keysMax * bits_per_key) / (words_per_line * 32)));
  return new Uint32Array(lines * words_per_line);
}

export function addToFilter(filter: Uint32Array, word1: number, word2: number, word3: number): void {
  const line = lineOf(filter, word1);
  for (let shift = 0; shift < 27; shift += 9) {
    const low = (word2 >>> shift) & 511;
    filter[line + (low >>> 5)] = (filter[line + (low >>> 5)] ?? 0) | (1 << (low & 31));
    const high = (word3 >>> shift) & 511;
    filter[line + (high >>> 5)] = (filter[line + (high >>> 5)] ?? 0) | (1 << (high & 31));
  }
}

/** False: the run does not have the key. True: look. */
export function mayContain(filter: Uint32Array, word1: number, word2: number, word3: number): boolean {
  const line = lineOf(filter, word1);
  for (let shift = 0; shift < 27; shift += 9) {
    const low = (word2 >>> shift) & 511;
    if ((((filter[line + (low >>> 5)] ?? 0) >>> (low & 31)) & 1) === 0) return false;
    const high = (word3 >>> shift) & 511;
    if ((((filter[line + (high >>> 5)] ?? 0) >>> (high & 31)) & 1) === 0) return false;
  }
  return true;
}

function lineOf(filter: Uint32Array, word1: number): number {
  return Math.floor((word1 * (filter.length / words_per_line)) / 0x1_0000_0000) * words_per_line;
}

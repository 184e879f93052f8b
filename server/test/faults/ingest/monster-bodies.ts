import { deflateSync, gzipSync } from "node:zlib";
import { event, json, lines } from "./sent-event.js";

export const mebibyte = 1024 * 1024;
export const body_bytes_max = 16 * mebibyte;

/** Bodies, their headers, and the statuses and problems that may answer them. */
export const monsters: readonly [
  name: string,
  make: () => string | Uint8Array,
  headers: Record<string, string>,
  expected: (number | string)[],
][] = [
  ["a list a million deep", () => nested("[", "]", 1_000_000), json, [400]],
  ["lists left open", () => repeated("[", 2_000_000), json, [400]],
  ["objects left open", () => repeated('{"a":', 1_000_000), json, [400]],
  ["data a million lists deep", () => withData(nested("[", "]", 1_000_000)), json, ["field-too-large"]],
  ["data 200,000 objects deep", () => withData(nested('{"a":', "}", 200_000)), json, ["field-too-large"]],
  [
    "deep data in lines",
    () => withData(nested("[", "]", 1_000_000)).slice(1, -1),
    lines,
    ["field-too-large"],
  ],
  [
    "deep data beside a surrogate",
    () => withData(nested('["\\ud83d\\ude00",', "]", 500_000)),
    json,
    ["field-too-large"],
  ],
  [
    "a string of 15 MiB as data",
    () => withData(`"${repeated("x", 15 * mebibyte)}"`),
    json,
    ["field-too-large"],
  ],
  ["a string of 15 MiB as id", () => withId(`"${repeated("x", 15 * mebibyte)}"`), json, ["field-too-large"]],
  ["15 MiB of escapes", () => withId(`"${repeated("\\u0041", 2_500_000)}"`), json, ["field-too-large"]],
  [
    "a number of 10 million digits",
    () => withData(`{"n":${repeated("9", 10_000_000)}}`),
    json,
    ["unsafe-number"],
  ],
  [
    "a fraction of 10 million digits",
    () => withData(`{"n":0.${repeated("1", 10_000_000)}}`),
    json,
    ["unsafe-number"],
  ],
  ["a quoted number of 60,000 digits", () => withData(`{"n":"${repeated("9", 60_000)}"}`), json, [202, 204]],
  [
    "an exponent of a million digits",
    () => withData(`{"n":1e${repeated("9", 1_000_000)}}`),
    json,
    ["unsafe-number"],
  ],
  ["1e400", () => withData('{"n":1e400}'), json, ["unsafe-number"]],
  [
    "a number beside one that loses digits, 300,000 times",
    () => `[${repeated("1,", 300_000)}12345678901234567890]`,
    json,
    [413],
  ],
  [
    "half a million members",
    () => withData(`{${Array.from({ length: 500_000 }, (_, n) => `"${n}":1`).join()}}`),
    json,
    ["field-too-large"],
  ],
  [
    "__proto__ and constructor",
    () => withData('{"__proto__":{"n":1},"constructor":{"prototype":1},"n":0}'),
    json,
    [202, 204],
  ],
  [
    "an event that is __proto__",
    () => '[{"__proto__":{"id":"x","source":"s","type":"t","subject":"a"}}]',
    json,
    [400],
  ],
  [
    "keys given twice",
    () => '[{"id":"p","id":"q","source":"s","type":"none","type":"none","subject":"a","data":1,"data":{}}]',
    json,
    [202, 204],
  ],
  [
    "invalid UTF-8",
    () => Buffer.concat([Buffer.from(withId('"')), Buffer.from([0xff, 0xfe, 0xc0, 0x80])]),
    json,
    ["body-not-utf8"],
  ],
  ["a surrogate in UTF-8", () => Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), json, ["body-not-utf8"]],
  ["half a surrogate pair", () => withId('"\\ud800"'), json, ["invalid-text"]],
  ["half a pair in a key", () => withData('{"a":{"\\udfff":1}}'), json, ["invalid-text"]],
  ["halves in the wrong order", () => withId('"\\udc00\\ud800"'), json, ["invalid-text"]],
  [
    "NUL in every field",
    () =>
      '[{"id":"\\u0000","source":"\\u0000","type":"\\u0000","subject":"\\u0000","data":{"\\u0000":"\\u0000"}}]',
    json,
    ["invalid-text"],
  ],
  [
    "NUL in the data, as key and as value",
    () => JSON.stringify([event("nul", { type: "none", data: { "\0": "\0" } })]),
    json,
    [202, 204],
  ],
  [
    "a source of Weir's own",
    () => JSON.stringify([event("own", { source: "weir:correction:s" })]),
    json,
    ["invalid-event"],
  ],
  ["a NUL byte", () => "\0", json, [400]],
  ["16 bits a character", () => Buffer.from(JSON.stringify([event("u16")]), "utf16le"), json, [400]],
  ["a byte order mark", () => `\uFEFF${JSON.stringify([event("bom", { type: "none" })])}`, json, [202, 204]],
  ["only white space", () => repeated(" \n\t\r", 3_000_000), json, ["body-empty"]],
  ["15 million empty lines", () => repeated("\n", 15_000_000), lines, ["body-empty"]],
  ["5 million lines that are no JSON", () => repeated("x\n", 5_000_000), lines, [413]],
  ["5 million lines of numbers", () => repeated("1\n", 5_000_000), lines, [413]],
  ["5 million elements", () => `[${repeated("1,", 5_000_000)}1]`, json, [413]],
  ["a million empty objects", () => `[${repeated("{},", 1_000_000)}{}]`, json, [413]],
  [
    "10,000 events with every fault",
    () => JSON.stringify(Array(10_000).fill({ data_base64: "", time: 1 })),
    json,
    [400],
  ],
  ["10,001 events", () => JSON.stringify(full(10_001)), json, ["too-many-events"]],
  ["10,000 events", () => JSON.stringify(full(10_000)), json, [202, 204]],
  ["16 MiB and a byte", () => Buffer.alloc(body_bytes_max + 1, 0x20), json, ["body-too-large"]],
  ["16 MiB", () => Buffer.alloc(body_bytes_max, 0x20), json, ["body-empty"]],
  ["a gzip of 1 GiB of zeros", gzipBomb, { ...json, "content-encoding": "gzip" }, ["body-too-large"]],
  [
    "a deflate of 64 MiB of zeros",
    () => deflateSync(Buffer.alloc(64 * mebibyte)),
    { ...json, "content-encoding": "deflate" },
    ["body-too-large"],
  ],
  [
    "a zstd of 1 GiB that says so",
    () => zstdBomb(1024 * mebibyte),
    { ...json, "content-encoding": "zstd" },
    ["body-too-large"],
  ],
  [
    "a zstd of 1 GiB that says 100 bytes",
    () => zstdBomb(100),
    { ...json, "content-encoding": "zstd" },
    [400, 413],
  ],
  [
    "a zstd of 1 GiB that says nothing",
    () => zstdBomb(undefined),
    { ...json, "content-encoding": "zstd" },
    ["body-too-large"],
  ],
  [
    "a zstd that says 2^63 bytes",
    () => zstdBomb(2n ** 63n),
    { ...json, "content-encoding": "zstd" },
    ["body-too-large"],
  ],
  [
    "a zstd that ends in its header",
    () => zstdBomb(2n ** 40n).subarray(0, 7),
    { ...json, "content-encoding": "zstd" },
    ["body-damaged"],
  ],
  [
    "a zstd that needs a dictionary",
    () => Buffer.from("28b52ffd2301020304" + "0100000000", "hex"),
    { ...json, "content-encoding": "zstd" },
    ["body-damaged"],
  ],
  [
    "a frame that zstd skips",
    () => Buffer.from("502a4d18040000000000000028b52ffd", "hex"),
    { ...json, "content-encoding": "zstd" },
    ["body-damaged"],
  ],
  ["an empty gzip", () => gzipSync(""), { ...json, "content-encoding": "gzip" }, ["body-empty"]],
  ["gzip within gzip", () => gzipSync(gzipSync("[]")), { ...json, "content-encoding": "gzip" }, [400]],
  [
    "a good gzip and then garbage",
    () => Buffer.concat([gzipSync(JSON.stringify([event("gz", { type: "none" })])), Buffer.from("garbage")]),
    { ...json, "content-encoding": "gzip" },
    [202, 204, 400],
  ],
];

const repeated = (text: string, times: number) => text.repeat(times);
const nested = (open: string, close: string, depth: number) => open.repeat(depth) + "1" + close.repeat(depth);
const withData = (data: string) => `[{"id":"x","source":"s","type":"none","subject":"a","data":${data}}]`;
const withId = (id: string) => `[{"id":${id},"source":"s","type":"none","subject":"a"}]`;
const full = (count: number) => Array.from({ length: count }, (_, n) => event(`f${n}`, { type: "none" }));

/** 64 members of 16 MiB: a stream of 1 GiB in 1 MiB. */
export function gzipBomb(): Uint8Array {
  const member = gzipSync(Buffer.alloc(16 * mebibyte));
  return Buffer.concat(Array<Buffer>(64).fill(member));
}

/** A zstd frame of 8,192 blocks, each one byte repeated 131,072 times, that declares any size. */
export function zstdBomb(declared: number | bigint | undefined): Buffer {
  const head = Buffer.alloc(declared === undefined ? 6 : 14);
  head.writeUInt32LE(0xfd2fb528, 0);
  head[4] = declared === undefined ? 0 : 0xc0;
  head[5] = 0x50; // a window of 1 MiB
  if (declared !== undefined) head.writeBigUInt64LE(BigInt(declared), 6);
  const blocks = Buffer.alloc(8_192 * 4);
  for (let block = 0; block < 8_192; block += 1) {
    blocks.writeUIntLE((131_072 << 3) | (1 << 1) | (block === 8_191 ? 1 : 0), block * 4, 3);
    blocks[block * 4 + 3] = 0x20;
  }
  return Buffer.concat([head, blocks]);
}

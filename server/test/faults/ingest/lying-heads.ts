import { body_bytes_max, mebibyte } from "./monster-bodies.js";
import { event } from "./sent-event.js";

/** A request's head up to its body, with these headers too. */
export type Head = (headers: string) => string;

export interface RawSending {
  /** Whether the sender ends after it. */
  readonly end?: boolean;
  /** For an answer. */
  readonly waitMs?: number;
}

const small = JSON.stringify([event("raw", { type: "none" })]);

/** Requests as they go over the wire, whose head is not what follows, or is not HTTP. */
export const lyingHeads: readonly (readonly [
  what: string,
  make: (head: Head) => string,
  sending: RawSending,
])[] = [
  ["too short a length", (head) => head("content-length: 10") + small, {}],
  ["too long a length, then the end", (head) => head("content-length: 100000") + small, { end: true }],
  ["too long a length, then nothing", (head) => head("content-length: 100000") + small, { waitMs: 150 }],
  ["a length over the limit", (head) => head(`content-length: ${body_bytes_max + 1}`), {}],
  ["a length over everything", (head) => head("content-length: 99999999999999999999999"), {}],
  ["a negative length", (head) => head("content-length: -1") + small, {}],
  ["two lengths", (head) => head("content-length: 5\r\ncontent-length: 6") + small, {}],
  ["a length and chunks", (head) => head("content-length: 5\r\ntransfer-encoding: chunked") + small, {}],
  ["a chunk that is none", (head) => head("transfer-encoding: chunked") + "zz\r\n", {}],
  ["a chunk of 2^60", (head) => head("transfer-encoding: chunked") + "fffffffffffffff\r\nx", { waitMs: 150 }],
  ["a chunk cut off", (head) => head("transfer-encoding: chunked") + "10\r\nabc", { end: true }],
  ["a coding that is none", (head) => head("transfer-encoding: nonsense") + small, {}],
  ["a header of a megabyte", (head) => head(`x: ${"x".repeat(mebibyte)}`), {}],
  [
    "ten thousand headers",
    (head) => head(Array.from({ length: 10_000 }, (_, n) => `x${n}: 1`).join("\r\n")),
    {},
  ],
  ["an expectation nobody knows", (head) => head("expect: miracles\r\ncontent-length: 2") + "[]", {}],
  ["no HTTP at all", () => "\x16\x03\x01\x02\x00\x01\x00 hello\r\n\r\n", {}],
  ["a line of a megabyte", () => `POST /${"x".repeat(mebibyte)} HTTP/1.1\r\n\r\n`, {}],
  ["another version of HTTP", (head) => head("content-length: 2").replace("HTTP/1.1", "HTTP/9.9") + "[]", {}],
];

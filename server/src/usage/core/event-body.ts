import { findUnsafeNumber } from "../../kernel/json-number.js";
import { data_depth_max } from "./content-fingerprint.js";
import type { EventFault } from "./event.js";

/** How a request body carries its events. */
export type BodyFormat = "single" | "batch" | "json" | "ndjson";

/** The candidates of a body, in order, and the faults already found in its bytes, by index. */
export interface EventCandidates {
  readonly values: readonly unknown[];
  readonly faults: ReadonlyMap<number, EventFault>;
}

export type BodyFault = {
  readonly kind: "not_utf8" | "not_json" | "wrong_shape" | "empty" | "too_many";
  readonly message: string;
};

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
// An escaped surrogate may be a lone one, which has no UTF-8 form: two ids could become one.
const surrogate_escape = /\\u[dD][89a-fA-F]/;

/**
 * Splits a body into event candidates, at most `eventsMax`. Whatever JSON.parse would silently change is found in the
 * text.
 */
export function readEventBody(
  body: Uint8Array,
  format: BodyFormat,
  eventsMax: number,
): EventCandidates | BodyFault {
  let text: string;
  try {
    text = decoder.decode(body);
  } catch {
    return { kind: "not_utf8", message: "the body is not valid UTF-8" };
  }
  if (text.trim() === "") return { kind: "empty", message: "the body is empty; send at least one event" };
  return format === "ndjson" ? readLines(text, eventsMax) : readJson(text, format, eventsMax);
}

function tooMany(found: string, eventsMax: number): BodyFault {
  return {
    kind: "too_many",
    message: `the request has ${found} events; send at most ${eventsMax} at a time`,
  };
}

function readJson(
  text: string,
  format: "single" | "batch" | "json",
  eventsMax: number,
): EventCandidates | BodyFault {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { kind: "not_json", message: `the body is not JSON: ${(error as Error).message}` };
  }
  const isArray = Array.isArray(value);
  if (format === "single" && isArray) {
    return {
      kind: "wrong_shape",
      message: "one event is a JSON object; a list goes as application/cloudevents-batch+json",
    };
  }
  if (format === "batch" && !isArray) {
    return {
      kind: "wrong_shape",
      message: "a batch is a JSON array; one event goes as application/cloudevents+json",
    };
  }
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.length > eventsMax) return tooMany(String(values.length), eventsMax);
  const faults = new Map<number, EventFault>();
  if (isSuspect(text)) {
    const texts = isArray ? elementTexts(text) : [text];
    texts.forEach((element, index) => noteTextFault(faults, index, element, values[index]));
  }
  return { values, faults };
}

function readLines(text: string, eventsMax: number): EventCandidates | BodyFault {
  const values: unknown[] = [];
  const faults = new Map<number, EventFault>();
  let number = 0;
  for (const line of text.split("\n")) {
    number += 1;
    if (line.trim() === "") continue;
    // Before it is parsed: a line that is no JSON costs 7 µs, and a body has room for eight million.
    if (values.length === eventsMax) return tooMany(`more than ${eventsMax}`, eventsMax);
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      const message = `line ${number} is not JSON: ${(error as Error).message}`;
      faults.set(values.length, { code: "invalid-event", field: "", message });
    }
    if (isSuspect(line)) noteTextFault(faults, values.length, line, value);
    values.push(value);
  }
  return { values, faults };
}

function isSuspect(text: string): boolean {
  return findUnsafeNumber(text) !== undefined || surrogate_escape.test(text);
}

function noteTextFault(faults: Map<number, EventFault>, index: number, text: string, value: unknown): void {
  const fault = findTextFault(text, value);
  if (fault !== undefined) faults.set(index, fault);
}

/** What JSON.parse changed in silence when it made `value` of `text`. */
export function findTextFault(text: string, value: unknown): EventFault | undefined {
  const unsafe = findUnsafeNumber(text);
  if (unsafe !== undefined) {
    const message = `${unsafe.token.slice(0, 64)} would lose digits as a JSON number; send it as a string`;
    return { code: "unsafe-number", field: "data", message };
  }
  if (surrogate_escape.test(text) && !isWellFormed(value)) {
    const message = "a string holds half of a surrogate pair, which is not Unicode text";
    return { code: "invalid-text", field: "", message };
  }
  return undefined;
}

const lone_surrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** Data that nests deeper than the limit is refused elsewhere, and not walked here. */
function isWellFormed(value: unknown, depth = 0): boolean {
  if (typeof value === "string") return !lone_surrogate.test(value);
  if (value === null || typeof value !== "object" || depth > data_depth_max + 1) return true;
  return Object.entries(value).every(([key, item]) => isWellFormed(key) && isWellFormed(item, depth + 1));
}

/** The text of each element of a JSON array that is known to parse. */
function elementTexts(text: string): string[] {
  const texts: string[] = [];
  let depth = 0;
  let inString = false;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const c = text.charCodeAt(at);
    if (inString) {
      if (c === 0x5c) at += 1;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x5b || c === 0x7b) {
      depth += 1;
      if (depth === 1) start = at + 1;
    } else if (c === 0x5d || c === 0x7d) {
      depth -= 1;
      if (depth === 0 && text.slice(start, at).trim() !== "") texts.push(text.slice(start, at));
    } else if (c === 0x2c && depth === 1) {
      texts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return texts;
}

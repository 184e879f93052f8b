import { formatInstant, type Instant } from "../../kernel/instant.js";

/*
 * Boundaries keep their microseconds: a JavaScript Date would cut them to milliseconds, and an event could fall
 * into two spans or none. They travel as text (`${timestampText(at)}::text::timestamptz`, the inner cast keeps the
 * driver from making a Date of it) and come back as `(extract(epoch FROM …) * 1000000)::bigint::text`.
 */

export function timestampText(at: Instant): string {
  const known = texts.get(at);
  if (known !== undefined) return known;
  if (texts.size >= texts_max) texts.clear();
  const text = formatInstant(at);
  texts.set(at, text);
  return text;
}

// What is written together mostly names a few instants: periods of one month, one time of recording.
const texts_max = 1_000;
const texts = new Map<Instant, string>();

/** @param micros  microseconds since 1970 as text */
export function instantOfMicros(micros: string): Instant {
  return Number(micros) as Instant;
}

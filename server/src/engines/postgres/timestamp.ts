import { formatInstant, type Instant } from "../../kernel/instant.js";

/*
 * Boundaries keep their microseconds: a JavaScript Date would cut them to milliseconds, and an event could fall
 * into two spans or none. They travel as text (`${timestampText(at)}::text::timestamptz`, the inner cast keeps the
 * driver from making a Date of it) and come back as `(extract(epoch FROM …) * 1000000)::bigint::text`.
 */

export function timestampText(at: Instant): string {
  return formatInstant(at);
}

/** @param micros  microseconds since 1970 as text */
export function instantOfMicros(micros: string): Instant {
  return Number(micros) as Instant;
}

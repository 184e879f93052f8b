import type { Instant } from "../../kernel/instant.js";
import type { Period } from "./service-period.js";

/** A subject for a half-open span of time; open while `to` is undefined. */
export interface SubjectSpan {
  readonly subject: string;
  readonly from: Instant;
  readonly to: Instant | undefined;
}

/** A subject for the part of a period that it belonged to the customer. */
export interface BilledSpan {
  readonly subject: string;
  readonly from: Instant;
  readonly to: Instant;
}

/** The parts of a customer's spans that fall into a period, by subject and time. */
export function cutToPeriod(spans: readonly SubjectSpan[], period: Period): BilledSpan[] {
  const cut: BilledSpan[] = [];
  for (const span of spans) {
    const from = span.from > period.start ? span.from : period.start;
    const to = span.to !== undefined && span.to < period.end ? span.to : period.end;
    if (from < to) cut.push({ subject: span.subject, from, to });
  }
  return cut.sort((a, b) => (a.subject === b.subject ? a.from - b.from : a.subject < b.subject ? -1 : 1));
}

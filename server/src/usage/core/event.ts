import type { Instant } from "../../kernel/instant.js";
import { parseInstant } from "../../kernel/instant.js";
import type { JsonValue } from "../../kernel/json.js";
import { contentFingerprint, data_depth_max } from "./content-fingerprint.js";

/** A valid usage event, as a CloudEvent that fits Weir's limits. */
export interface UsageEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly time: Instant;
  /** False when the sender gave no time and the server's was taken. */
  readonly timeGiven: boolean;
  /** JSON text of `data`; '' when there was none. */
  readonly dataText: string;
  readonly data: JsonValue | undefined;
  /** Of type, subject and data: see content-fingerprint.ts. */
  readonly fingerprint: string;
}

/** One reason why an event is refused; `code` is the last part of a problem's type. */
export interface EventFault {
  readonly code:
    | "invalid-event"
    | "field-too-large"
    | "event-too-old"
    | "event-too-far-ahead"
    | "unsafe-number"
    | "invalid-text";
  readonly field: string;
  readonly message: string;
}

/** The times an event may carry: [from, until]. */
export interface TimeBounds {
  readonly now: Instant;
  readonly oldest: Instant;
  readonly newest: Instant;
}

export interface EventRules {
  /** CloudEvents media types demand `specversion`; plain JSON may leave it out. */
  readonly specversionRequired: boolean;
  readonly times: TimeBounds;
}

/** Limits of each field, in characters. */
export const field_length_max = {
  id: 512,
  source: 1024,
  type: 256,
  subject: 512,
  data: 65_536,
} as const;

/** Sources that begin so are Weir's own: corrections and backfills claim identities under them. */
export const reserved_source = "weir:";

// The widest range that DateTime64(6) and the clock of an import share.
const year_1970 = 0;
const year_2200 = 7_258_118_400_000_000;
export const importTimes = (now: Instant): TimeBounds => ({
  now,
  oldest: year_1970 as Instant,
  newest: Math.min(year_2200, now + 300_000_000) as Instant,
});

/**
 * Checks one parsed JSON value against CloudEvents 1.0 and the limits. It returns the event, or every fault.
 * The shape follows the JSON event format of CloudEvents 1.0.2, section 3; `data_base64` is refused, since a
 * meter could not read it.
 */
export function parseUsageEvent(value: unknown, rules: EventRules): UsageEvent | EventFault[] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return [{ code: "invalid-event", field: "", message: "an event is a JSON object" }];
  }
  const raw = value as Record<string, unknown>;
  const { id, source, type, subject, time: rawTime, data } = raw;
  const content = data as JsonValue | undefined;
  // Walks the data first: what nests too deeply must not reach JSON.stringify, which would run out of stack.
  const fingerprint = contentFingerprint(
    typeof type === "string" ? type : "",
    typeof subject === "string" ? subject : "",
    content,
  );
  const dataText =
    data === undefined || data === null || fingerprint === undefined ? "" : JSON.stringify(data);
  const time = rawTime === undefined || rawTime === null ? rules.times.now : readTime(rawTime);

  // The usual case first: one chain of tests, no allocation.
  if (
    isText(id, field_length_max.id) &&
    isText(source, field_length_max.source) &&
    !source.startsWith(reserved_source) &&
    isText(type, field_length_max.type) &&
    isText(subject, field_length_max.subject) &&
    fingerprint !== undefined &&
    time !== undefined &&
    time >= rules.times.oldest &&
    time <= rules.times.newest &&
    dataText.length <= field_length_max.data &&
    (raw["specversion"] === "1.0" || (raw["specversion"] === undefined && !rules.specversionRequired)) &&
    raw["data_base64"] === undefined &&
    isJsonContent(raw["datacontenttype"])
  ) {
    const timeGiven = rawTime !== undefined && rawTime !== null;
    return { source, id, type, subject, time, timeGiven, dataText, data: content, fingerprint };
  }
  return explainFaults(raw, fingerprint === undefined ? undefined : dataText, time, rules);
}

function isText(value: unknown, length_max: number): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= length_max && !value.includes("\0");
}

function readTime(value: unknown): Instant | undefined {
  return typeof value === "string" ? parseInstant(value) : undefined;
}

function isJsonContent(contentType: unknown): boolean {
  if (contentType === undefined || contentType === null) return true;
  return typeof contentType === "string" && /^(application|text)\/([\w.-]+\+)?json\b/i.test(contentType);
}

function explainFaults(
  raw: Record<string, unknown>,
  dataText: string | undefined,
  time: Instant | undefined,
  rules: EventRules,
): EventFault[] {
  const faults: EventFault[] = [];
  for (const field of ["id", "source", "type", "subject"] as const) {
    const value = raw[field];
    if (typeof value !== "string" || value.length === 0) {
      faults.push({ code: "invalid-event", field, message: `${field} must be a non-empty string` });
    } else if (value.length > field_length_max[field]) {
      const message = `${field} has ${value.length} characters, at most ${field_length_max[field]} are kept`;
      faults.push({ code: "field-too-large", field, message });
    } else if (value.includes("\0")) {
      const message = `${field} has the character U+0000, which PostgreSQL cannot keep`;
      faults.push({ code: "invalid-text", field, message });
    }
  }
  const { source } = raw;
  if (typeof source === "string" && source.startsWith(reserved_source)) {
    const message = `a source that begins with "${reserved_source}" is Weir's own; choose another`;
    faults.push({ code: "invalid-event", field: "source", message });
  }
  if (raw["specversion"] !== "1.0" && (raw["specversion"] !== undefined || rules.specversionRequired)) {
    faults.push({ code: "invalid-event", field: "specversion", message: 'specversion must be "1.0"' });
  }
  if (raw["data_base64"] !== undefined) {
    faults.push({ code: "invalid-event", field: "data_base64", message: "send JSON in `data` instead" });
  }
  if (!isJsonContent(raw["datacontenttype"])) {
    const message = "data must be JSON, so datacontenttype is application/json or absent";
    faults.push({ code: "invalid-event", field: "datacontenttype", message });
  }
  if (dataText === undefined) {
    const message = `data nests deeper than ${data_depth_max} levels`;
    faults.push({ code: "field-too-large", field: "data", message });
  } else if (dataText.length > field_length_max.data) {
    const message = `data has ${dataText.length} characters as JSON, at most ${field_length_max.data} are kept`;
    faults.push({ code: "field-too-large", field: "data", message });
  }
  if (time === undefined) {
    const message = "time must be RFC 3339 with an offset, such as 2026-01-31T12:00:00Z, or absent";
    faults.push({ code: "invalid-event", field: "time", message });
  } else if (time < rules.times.oldest) {
    const message =
      "older than the deduplication window; send history through an import (`weir events import`)";
    faults.push({ code: "event-too-old", field: "time", message });
  } else if (time > rules.times.newest) {
    const message = "too far ahead of the organization's clock; check the sender's clock";
    faults.push({ code: "event-too-far-ahead", field: "time", message });
  }
  return faults;
}

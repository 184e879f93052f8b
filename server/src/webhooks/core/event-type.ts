/**
 * Everything that is told to receivers, with when it happens. A domain that publishes another type adds its line here; the name is
 * the thing and what became of it. Names are for good: receivers choose by them.
 */
export const event_types = {
  "invoice.finalized": "An invoice was made final: it has its number, and is posted.",
  "invoice.voided": "A final invoice was taken back as if it had never been.",
  "credit_note.issued":
    "A credit note was written: parts of an invoice, or with its voiding all of it, are given back.",
} as const satisfies Readonly<Record<`${string}.${string}`, string>>;

export type EventType = keyof typeof event_types;

/** Sent to one endpoint when somebody tests it; not to be chosen. */
export const test_event_type = "webhook.test";

/** Which types an endpoint can choose to get all of a type: it, its thing's wildcard, and the one for all. */
export function patternsFor(type: string): readonly string[] {
  return [type, `${type.slice(0, type.indexOf("."))}.*`, "*"];
}

/** Whether an endpoint that chose these patterns gets a type. */
export function wants(patterns: readonly string[], type: string): boolean {
  return patternsFor(type).some((pattern) => patterns.includes(pattern));
}

/** Whether a pattern names a type, all types of a thing (invoice.*) or all (*). */
export function isPattern(pattern: string): boolean {
  return Object.keys(event_types).some((type) => patternsFor(type).includes(pattern));
}

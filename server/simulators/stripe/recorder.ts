import { ApiError } from "./api/api-error.js";
import type { Journal, JournalEntry } from "./journal.js";
import type { Timeline } from "./timeline.js";

/** An entry of the journal without its time. */
export type Happening = JournalEntry extends infer Entry
  ? Entry extends JournalEntry
    ? Omit<Entry, "at_ms">
    : never
  : never;

/** Does what changes an account: at one instant, and into the journal, if there is one, before anybody hears of it. */
export class Recorder {
  readonly #timeline: Timeline;
  readonly #journal: Journal | undefined;

  constructor(timeline: Timeline, journal: Journal | undefined) {
    this.#timeline = timeline;
    this.#journal = journal;
  }

  /** @throws ApiError 503 when the journal is full: nothing is done then, but for what is due */
  do<T>(happening: Happening, work: () => T): T {
    const journal = this.#journal;
    const at_ms = this.#timeline.now_ms();
    if (journal?.isFull === true && happening.kind !== "tick") throw journalFull();
    return this.#timeline.hold(at_ms, () => {
      try {
        return work();
      } finally {
        // Also what was refused may have made something: a decline leaves a charge. What was due when the journal was
        // full is due again after the next start, since nothing else was done.
        if (journal?.isFull === false) journal.append({ ...happening, at_ms } as JournalEntry);
      }
    });
  }
}

function journalFull(): ApiError {
  const message = "The simulator's journal is full: stop it, move the file away, and start it anew.";
  return new ApiError(503, { type: "api_error", message }, { isStored: false });
}

import type { Postgres } from "../engines/postgres/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { writeCsv } from "./journal-csv.js";
import { writeParquet } from "./journal-parquet.js";
import { readJournal, type JournalEntry, type JournalPlace } from "./store/journal.js";

export const journal_formats = ["csv", "parquet"] as const;
export type JournalFormat = (typeof journal_formats)[number];

export interface JournalRange {
  /** Postings that count at this instant or later, and before the other. */
  readonly from?: Instant;
  readonly to?: Instant;
}

// A page is read, written and forgotten before the next: some megabytes, however long the journal is.
const page_postings = 1_000;

/** The journal: every transfer with its posting, by time, as a file. */
export class LedgerJournal {
  readonly #postgres: Postgres;

  constructor(options: { postgres: Postgres }) {
    this.#postgres = options.postgres;
  }

  /**
   * The journal page by page. No transaction stays open between them, so that a slow reader holds up nobody: what is
   * posted meanwhile into a time that was read is not in it. A closed month is always whole.
   */
  async *entries(
    organization: OrganizationId,
    { from, to }: JournalRange,
  ): AsyncGenerator<readonly JournalEntry[]> {
    let after: JournalPlace | undefined;
    do {
      const page = await this.#postgres.inOrganization(organization, (sql) =>
        readJournal(sql, { from, to, after, postings: page_postings }),
      );
      if (page.entries.length > 0) yield page.entries;
      after = page.next;
    } while (after !== undefined);
  }

  /** The same as the bytes of a file. */
  write(
    organization: OrganizationId,
    format: JournalFormat,
    range: JournalRange,
  ): AsyncGenerator<Uint8Array> {
    const entries = this.entries(organization, range);
    switch (format) {
      case "csv":
        return writeCsv(entries);
      case "parquet":
        return writeParquet(entries);
      default:
        return format satisfies never;
    }
  }
}

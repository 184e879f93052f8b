import type { Postgres } from "../engines/postgres/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import type { Log } from "../kernel/log.js";
import { Ledger } from "./ledger.js";
import { LedgerJournal } from "./ledger-journal.js";
import { LedgerMonths } from "./ledger-months.js";
import { LedgerSealer } from "./ledger-sealer.js";
import { LedgerVerification } from "./ledger-verification.js";
import { Revenue, type MonthEndNoted } from "./revenue.js";

/** The ledger, and what is done with its books. */
export interface Books {
  readonly ledger: Ledger;
  readonly revenue: Revenue;
  readonly months: LedgerMonths;
  readonly sealer: LedgerSealer;
  readonly verification: LedgerVerification;
  readonly journal: LedgerJournal;
}

export interface BooksOptions {
  readonly postgres: Postgres;
  readonly clocks: Clocks;
  /** Real time. */
  readonly clock: Clock;
  readonly log: Log;
  readonly monthEndNoted: MonthEndNoted;
}

export function openBooks(options: BooksOptions): Books {
  const { postgres } = options;
  const ledger = new Ledger(options);
  const revenue = new Revenue({ ...options, ledger });
  const sealer = new LedgerSealer(options);
  const months = new LedgerMonths({
    ...options,
    sealer,
    // Earned in the month, it belongs there: late invoices may have come after its end.
    beforeClosing: (organization, month) => revenue.recognizeThrough(organization, month),
  });
  const verification = new LedgerVerification({ postgres, months });
  return { ledger, revenue, months, sealer, verification, journal: new LedgerJournal({ postgres }) };
}

export { Ledger, type PostingOutcome, type TrialBalance } from "./ledger.js";
export { openBooks, type Books } from "./open-books.js";
export { registerJournalRoute } from "./api/journal-route.js";
export { LedgerMonths, type MonthOfBooks } from "./ledger-months.js";
export { LedgerSealer } from "./ledger-sealer.js";
export { LedgerVerification, type VerificationPart } from "./ledger-verification.js";
export { noteMonthEndBy, registerRecognition } from "./recognition-run.js";
export { Revenue, upcoming_months_max, type Deferral } from "./revenue.js";
export type { MonthOfRevenue, RevenueSchedule } from "./store/revenue-schedules.js";
export type { ClosedMonth } from "./store/months.js";
export type { LedgerBlock } from "./store/blocks.js";
export type { PostingPage, StoredPosting } from "./store/postings.js";
export {
  accountOf,
  balanceOf,
  codeOf,
  type Account,
  type AccountKind,
  type AccountOwner,
  type AccountSums,
  type AccountType,
  type LedgerFault,
  type LedgerMonth,
  type Posting,
  type Resolution,
  type SumDifference,
  type Transfer,
} from "./core/index.js";

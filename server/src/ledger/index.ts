export { Ledger, type PostingOutcome, type TrialBalance } from "./ledger.js";
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
  type Posting,
  type SumDifference,
  type Transfer,
} from "./core/index.js";

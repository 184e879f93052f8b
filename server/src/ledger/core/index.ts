export {
  accountOf,
  balanceOf,
  chart,
  codeOf,
  isAccountKind,
  ownerOf,
  type Account,
  type AccountKind,
  type AccountOwner,
  type AccountSums,
  type AccountType,
} from "./account.js";
export { balanceChanges, type BalanceChange, type MovedTransfers } from "./balance-change.js";
export { block_postings_max, cutBlocks, type Unsealed } from "./block.js";
export {
  addMonths,
  firstDateOf,
  monthAt,
  monthOf,
  parseMonth,
  refuseClosing,
  spanOf,
  type CloseRefusal,
  type LedgerMonth,
} from "./ledger-month.js";
export { compareDigests, type LedgerFault } from "./ledger-fault.js";
export {
  checkPosting,
  contentOf,
  resolvedTransfers,
  reversed,
  type PostedContent,
  type Posting,
  type Resolution,
  type Transfer,
} from "./posting.js";
export { daysThrough, earnedBy, partThrough, takeBack, type StraightLine } from "./straight-line.js";
export { compareSums, isBalanced, type SumDifference } from "./trial-balance.js";

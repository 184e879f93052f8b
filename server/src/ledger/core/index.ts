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
export { checkPosting, contentOf, reversed, type Posting, type Transfer } from "./posting.js";
export { compareSums, isBalanced, type SumDifference } from "./trial-balance.js";

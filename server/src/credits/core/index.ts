export {
  priority_default,
  priority_max,
  statusOf,
  usableAt,
  type CreditGrant,
  type CreditGrantStatus,
  type CreditKind,
} from "./credit-grant.js";
export {
  draw,
  expire,
  giveBack,
  reinstate,
  remainingOf,
  takeOff,
  withdraw,
  type GrantBalance,
} from "./grant-balance.js";
export { compareGrants, isEligible, selectGrants, type GrantDraw } from "./select-grants.js";

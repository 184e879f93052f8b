export {
  Credits,
  open_grants_max,
  type CreditedCustomers,
  type CreditsChanged,
  type CreditsOptions,
} from "./credits.js";
export type { NewGrant } from "./check-grant.js";
export type { GrantPage, StoredGrant } from "./store/credit-grants.js";
export type { CreditMovement, GrantUse, MovementKind } from "./store/credit-movements.js";
export type { CreditTotals } from "./store/credit-totals.js";
export {
  isEligible,
  priority_default,
  priority_max,
  selectGrants,
  statusOf,
  usableAt,
  type CreditGrant,
  type CreditGrantStatus,
  type CreditKind,
  type GrantDraw,
} from "./core/index.js";
export { noteExpiryBy, registerCreditExpiry, type ExpiryNoted } from "./credit-expiry.js";

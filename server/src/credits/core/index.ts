export { priority_default, priority_max, type CreditGrant, type CreditKind } from "./credit-grant.js";
export { compareGrants, isEligible, selectGrants, type GrantDraw } from "./select-grants.js";

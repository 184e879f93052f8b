export { requireKind, type Caller } from "./caller.js";
export { parseKey, type KeyKind } from "./core/index.js";
export { findBillingProfile, type BillingProfile, type NewBillingProfile } from "./billing-profile.js";
export { openIdentity, type Identity, type IdentityOptions } from "./open-identity.js";
export type { ApiKey, NewKey } from "./keys.js";
export type { BootstrapResult } from "./bootstrap.js";
export {
  findOrganization,
  type NewOrganization,
  type Organization,
  type OrganizationLimits,
} from "./organizations.js";

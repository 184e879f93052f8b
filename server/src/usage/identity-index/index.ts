export {
  type IdentityIndex,
  type IdentityIndexOptions,
  type IdentityIndexStats,
  type IndexedKey,
  openIdentityIndex,
} from "./open-identity-index.js";
export { IdentityIndexDamaged } from "./manifest.js";
export { IdentityIndexUnavailable } from "./writer-thread.js";

export { createSecrets, type KeyUse, type MasterKeys } from "./create-secrets.js";
export { MasterKeyUnusable, SealBroken } from "./errors.js";
export { MasterKey } from "./master-key.js";
export { openSecrets, type SecretsOptions } from "./open-secrets.js";
export type { Secrets } from "./secrets.js";

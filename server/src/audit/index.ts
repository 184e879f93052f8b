export { recordAudit, recordAudits, type AuditActor, type AuditRecord } from "./record-audit.js";
export { listAudit, type AuditPage, type AuditPageRequest } from "./list-audit.js";
export type { AuditEntry } from "./store/audit-log.js";
export { deleteExpiredIdempotencyKeys, withIdempotency } from "./idempotency.js";
export { findEarlierAnswer, runOnce, type MutationRequest } from "./run-once.js";

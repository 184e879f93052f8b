export { backOffMs } from "./back-off.js";
export { readFrame, scanFrames, type Frame, type FrameReading } from "./frame.js";
export * from "./limits.js";
export { batchId, parseManifest, reissue, tokenOf, type Manifest } from "./manifest.js";
export * from "./names.js";
export { formatRecord, parseRecord } from "./record.js";
export { planRecovery, type FolderState, type PlannedBatch, type RecoveryPlan } from "./recovery-plan.js";
export { surveyFrames, type Damage, type PlacedFrame, type Survey } from "./survey.js";
export { parseWatermark, type WatermarkRecord } from "./watermark.js";

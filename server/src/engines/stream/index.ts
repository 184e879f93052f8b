export { scanFrames, type Frame, type StreamLimits } from "./core/index.js";
export { BatchRejected, StreamFolderUnsound, StreamUnavailable, type UnavailableReason } from "./errors.js";
export type { FileEntry, FileLayer, WritableFile } from "./file-layer.js";
export { nodeFiles } from "./node-files.js";
export type * from "./signal-stream.js";
export { openStream, type StreamOptions } from "./stream.js";

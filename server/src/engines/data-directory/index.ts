export { openDataDirectory, type DataDirectory } from "./open-data-directory.js";
export { DataDirectoryInUse } from "./directory-lock.js";
export { isRunning } from "./process-status.js";
export { writeDurably } from "./write-durably.js";

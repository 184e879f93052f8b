/*
 * Files of usage, read as events: CSV with a line of column names, and NDJSON. Used by the CLI on its side and by Weir on
 * its own, so that a file becomes the same events wherever it is read. For Node only.
 */
export { mapRows, type EventMapping, type MappingOptions } from "./event-mapping.js";
export { FileFault, MappingFault } from "./file-fault.js";
export { findChangedNumber } from "./changed-number.js";
export {
  file_start,
  formatOf,
  openRows,
  type FilePosition,
  type FileShape,
  type SourceFormat,
  type SourceRow,
} from "./source-rows.js";

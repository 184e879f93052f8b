export { detectFormat, findFormat, settlementFormats } from "./detect-format.js";
export { FileRefused, type FileFault } from "./file-refused.js";
export {
  card_schemes,
  detection_bytes,
  limits,
  type CardScheme,
  type CurrencyTotal,
  type FileCheck,
  type FileSummary,
  type FormatName,
  type ParseOptions,
  type RowFault,
  type SettlementFormat,
  type SettlementParser,
} from "./settlement-format.js";
export {
  record_kinds,
  type RecordKind,
  type RecordPosition,
  type RecordReferences,
  type SettlementRecord,
} from "./settlement-record.js";

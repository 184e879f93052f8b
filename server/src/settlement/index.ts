export { openSettlement, type Settlement, type SettlementOptions } from "./open-settlement.js";
export type {
  BookLine,
  BookSum,
  DoneAction,
  MovementPage,
  OpenMovement,
  SettlementAccount,
  SettlementPayments,
} from "./payments-port.js";
export type { Payer } from "./payers.js";
export type {
  ActionOutcome,
  PaymentsAction,
  ReportedChargeback,
  ReportedSettlement,
} from "./core/posting/index.js";
export type { CardScheme } from "./core/index.js";
export type {
  AmountAnswer,
  AmountQuestion,
  ExceptionKind,
  FoundTarget,
  Side,
  Target,
  TargetKind,
} from "./core/matching/index.js";
export type { FoundException, ExceptionResolution } from "./exceptions.js";
export type { RecordWithParts, SettlementFile } from "./settlement-files.js";
export type { Comparison, ComparedAccount } from "./reconciliation.js";
export { registerSettlementRoutes } from "./api/routes.js";

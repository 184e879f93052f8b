export type {
  ActionOutcome,
  PaymentsAction,
  PaymentsActionKind,
  ReportedChargeback,
  ReportedSettlement,
} from "./payments-action.js";
export {
  actionOf,
  clearingOf,
  keyByHand,
  Movements,
  planPosting,
  readActionKey,
  transferOf,
  type PartOfRecord,
  type PlannedAction,
  type PostedRecord,
  type PostingPlan,
  type RecordSource,
} from "./plan-posting.js";

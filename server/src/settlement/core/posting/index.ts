export type {
  ActionOutcome,
  PaymentsAction,
  PaymentsActionKind,
  ReportedSettlement,
} from "./payments-action.js";
export {
  actionOf,
  clearingOf,
  Movements,
  planPosting,
  transferOf,
  type PartOfRecord,
  type PlannedAction,
  type PostedRecord,
  type PostingPlan,
} from "./plan-posting.js";

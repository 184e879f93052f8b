export {
  effects,
  exception_kinds,
  rules,
  type Allotment,
  type Effect,
  type ExceptionKind,
  type Rule,
} from "./allotment.js";
export { claimOf } from "./claim.js";
export { decideTarget, feeOf, toSuspense } from "./decide-target.js";
export { fitting, targetKindsByHand, targetKindsOf } from "./fit.js";
export {
  amountQuestionOf,
  matchByAmount,
  type AmountAnswer,
  type AmountQuestion,
} from "./match-by-amount.js";
export {
  Books,
  matchByReference,
  receipt,
  referencesOf,
  settle,
  type Knowledge,
  type MatchedRecord,
  type ReferenceMatching,
} from "./match-by-reference.js";
export { movedBy, type MatchableRecord, type Side } from "./matchable-record.js";
export { gapsAround, type SequenceGap } from "./sequence-gaps.js";
export type {
  AttemptTarget,
  DisputeTarget,
  FoundTarget,
  InvoiceTarget,
  KnownSettlement,
  PaymentTarget,
  PayoutTarget,
  RefundTarget,
  ReturnTarget,
  Target,
  TargetKind,
} from "./target.js";
export { referencesInText } from "./text-references.js";

export {
  attempt_states,
  isOpen,
  onAttemptInput,
  open_attempt_states,
  type AttemptEffect,
  type AttemptInput,
  type AttemptInputKind,
  type AttemptState,
  type AttemptStatus,
  type AttemptTransition,
} from "./attempt-state.js";
export { creditorReferenceOf, plain, readCreditorReference } from "./creditor-reference.js";
export type { Decline } from "./decline.js";
export {
  dispute_states,
  onDisputeState,
  type DisputeEffect,
  type DisputeState,
  type DisputeTransition,
} from "./dispute.js";
export { firstEventLook, nextEventLook, type EventLook } from "./event-look.js";
export { localHour, nextLocalHour } from "./local-hour.js";
export { onPayoutState, payout_states, type PayoutState, type PayoutTransition } from "./payout.js";
export {
  allocate,
  openAmount,
  receivableState,
  type ReceivableState,
  type ReceivableSums,
} from "./receivable.js";
export {
  onRefundState,
  refundable,
  refund_sources,
  refund_states,
  type RefundSource,
  type RefundState,
  type RefundTransition,
} from "./refund.js";
export { shortReferenceOf } from "./short-reference.js";
export {
  default_dunning,
  dunning_ends,
  dunningEnd,
  dunningFaults,
  nextDunningStep,
  previewDunning,
  type DunningEnd,
  type DunningSchedule,
  type DunningSituation,
  type DunningStep,
} from "./dunning.js";
export {
  capturePosting,
  disputeFeePosting,
  disputePosting,
  freedPosting,
  payoutPosting,
  payoutReceivedPosting,
  recoveryPosting,
  refundPosting,
  refundReturnSettlement,
  refundReversal,
  refundSettlement,
  refundSurplusPosting,
  settlementPosting,
  writeOffPosting,
  type CapturedMoney,
  type MoneyPlace,
  type RefundedMoney,
  type Settled,
} from "./money-posting.js";

export {
  calendarOf,
  coveredPart,
  localDaysIn,
  periodsOf,
  servicePeriodAt,
  subscriptionStart,
  timeZoneAt,
  type Period,
  type PeriodTerms,
  type ZoneChange,
} from "./service-period.js";
export {
  addOnsAt,
  phaseAt,
  quantityAt,
  statusAt,
  type QuantityChange,
  type Redemption,
  type SchedulePhase,
  type SubscribedAddOn,
  type Subscription,
  type SubscriptionStatus,
} from "./subscription.js";
export { billingPeriodAt, gridAt, nextBoundary } from "./next-boundary.js";
export { cutSchedule, phasesOf, planPhases, pricesIn, type ScheduledPlan } from "./schedule.js";
export type { Changed, ChangeRefusal } from "./change-refusal.js";
export { effectiveFrom, effectiveUntil, startOfDay, type When } from "./effective-at.js";
export {
  pricesNotIn,
  start_days_max,
  startSubscription,
  unknownOverride,
  type AnchorChoice,
  type SubscriptionStart,
} from "./subscription-start.js";
export {
  cancel,
  changePlan,
  changeQuantity,
  quantity_correction_days_max,
  uncancel,
  type PlanChange,
} from "./subscription-change.js";
export { attachAddOn, detachAddOn } from "./add-on-change.js";
export { redeemCoupon, removeCoupon } from "./coupon-change.js";
export { changeZone } from "./zone-change.js";
export { cutToPeriod, type BilledSpan, type SubjectSpan } from "./subject-span.js";
export { allocate } from "./allocation.js";
export { assemble, type Assembled, type AssembledLine, type Funds, type InvoiceTotals } from "./assembly.js";
export { adjustmentsOf, type Adjustment, type AdjustmentKind, type NetCharge } from "./adjustment.js";
export { byKey, type BilledCharge, type BilledCharges } from "./billed-charge.js";
export {
  keyText,
  listCharges,
  type Charge,
  type ChargeKey,
  type ChargeSource,
  type Portion,
} from "./charge.js";
export { chargedSpan, type Contract } from "./contract.js";
export {
  decideCredits,
  type CreditableLine,
  type CreditDecision,
  type CreditedLine,
  type CreditFault,
  type CreditRequest,
} from "./credit-note.js";
export { countDays, type DayRange } from "./day-range.js";
export {
  currentPeriod,
  dueSection,
  scheduledAfter,
  section_ranks,
  type SectionOrder,
} from "./due-section.js";
export {
  creditNotePosting,
  earnedOf,
  finalizePosting,
  voidPosting,
  type PostedCreditNote,
  type PostedInvoice,
  type PostedLine,
} from "./invoice-posting.js";
export { ratePortion, type Measured, type PortionInputs, type RatedPortion } from "./rated-portion.js";
export {
  computeSection,
  planSection,
  sectionReach,
  type LineContent,
  type SectionKind,
  type SectionLine,
  type SectionPlan,
  type SectionScope,
} from "./section.js";
export { inputsOf, sumUp, targetOf, type Target } from "./target.js";
export { unbilledSections } from "./unbilled-sections.js";
export {
  summarizeBacktest,
  type BacktestedAmount,
  type BacktestSummary,
  type BacktestTotal,
} from "./backtest.js";

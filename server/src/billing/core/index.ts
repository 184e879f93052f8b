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
export { cutToPeriod, type BilledSpan, type SubjectSpan } from "./subject-span.js";
export {
  compareLines,
  rateLine,
  totalOf,
  type Difference,
  type MeteredInput,
  type RatedLine,
  type Totals,
} from "./invoice-line.js";

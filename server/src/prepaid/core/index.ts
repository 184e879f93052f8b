export { calendarMonthAt } from "./calendar-month.js";
export {
  decideLook,
  top_ups_per_day_max,
  type LookDecision,
  type LookedAt,
  type LowChange,
  type TopUpRule,
  type TopUpStep,
} from "./look-decision.js";
export { runOutAt, type Burn, type PrepaidGrant } from "./run-out.js";
export { afterDecline, retry_waits, type AfterDecline } from "./top-up-retry.js";

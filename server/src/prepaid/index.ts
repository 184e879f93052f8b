export { openPrepaid, type Prepaid, type PrepaidOptions } from "./open-prepaid.js";
export type { NewTopUp, NewTopUpSettings } from "./check-top-up.js";
export type {
  BillingPort,
  CreditsPort,
  NoticesPort,
  PaidTopUp,
  PaymentsPort,
  PrepaidCustomer,
} from "./ports.js";
export type { PrepaidBalance } from "./prepaid-balances.js";
export type { EndedAttempt, TopUps } from "./top-ups.js";
export type { BalanceWatch, WatchSettings } from "./store/balance-watches.js";
export {
  top_up_states,
  type TopUp,
  type TopUpPage,
  type TopUpPayment,
  type TopUpState,
} from "./store/top-ups.js";

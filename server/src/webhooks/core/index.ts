export {
  allowance,
  closed_breaker,
  halfOpened,
  phaseOf,
  type Breaker,
  type BreakerPhase,
} from "./breaker.js";
export {
  outcomeOf,
  type AttemptResult,
  type DeliveryOutcome,
  type DeliveryState,
} from "./delivery-outcome.js";
export { afterAttempt, isSuccessful, type DisabledReason, type EndpointHealth } from "./endpoint-health.js";
export { faultOfUrl, hostOf, refusedAddress } from "./endpoint-url.js";
export { event_types, isPattern, patternsFor, test_event_type, wants, type EventType } from "./event-type.js";
export { whyNotPublic } from "./public-address.js";
export { formatSecret, signatureHeader } from "./signature.js";
export { fullBucket, refilled, taken, untilNext, type TokenBucket } from "./token-bucket.js";

export type { UsageEvent, EventFault, EventRules, TimeBounds } from "./event.js";
export { parseUsageEvent, importTimes, field_length_max, reserved_source } from "./event.js";
export {
  findTextFault,
  readEventBody,
  type BodyFormat,
  type BodyFault,
  type EventCandidates,
} from "./event-body.js";
export type { Aggregation, GroupBy, MeterDefinition, MeterFilter, MeterVersion } from "./meter.js";
export { addsUp, aggregations } from "./meter.js";
export { findDefinitionFaults, isAggregation, isSlug, type DefinitionFault } from "./meter-definition.js";
export { compileMeter, type CompiledMeter, type Measured, type Measurement } from "./measure.js";
export { parsePropertyPath, valueAt, type PropertyPath } from "./property-path.js";
export { readNumericValue, type NumericValue } from "./numeric-value.js";
export { measureEvent, type MeasuredEvent } from "./measure-event.js";
export { contentFingerprint, data_depth_max } from "./content-fingerprint.js";
export { countedUnique } from "./unique-text.js";

export type { UsageEvent, EventFault, EventRules, TimeBounds } from "./event.js";
export { parseUsageEvent, importTimes, field_length_max } from "./event.js";
export { readEventBody, type BodyFormat, type BodyFault, type EventCandidates } from "./event-body.js";
export type { Aggregation, GroupBy, MeterDefinition, MeterFilter, MeterVersion } from "./meter.js";
export { aggregations } from "./meter.js";
export { findDefinitionFaults, isAggregation, isSlug, type DefinitionFault } from "./meter-definition.js";
export { compileMeter, type CompiledMeter, type Measured, type Measurement } from "./measure.js";
export { parsePropertyPath, valueAt, type PropertyPath } from "./property-path.js";
export { readNumericValue, type NumericValue } from "./numeric-value.js";

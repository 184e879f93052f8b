import type { EventFault, UsageEvent } from "./event.js";
import { text_length_max, type CompiledMeter, type Measurement } from "./measure.js";

/** What all meters got out of an event, or why its request is refused. */
export type MeasuredEvent =
  | { readonly measurements: readonly Measurement[]; readonly reason: string | undefined }
  | { readonly fault: EventFault };

const none: readonly CompiledMeter[] = [];

/**
 * Evaluates the organization's live meters on an event. `reason` is set when a meter that wanted the event found
 * no number in it, or when none measured it: such an event must not pass in silence.
 */
export function measureEvent(
  event: Pick<UsageEvent, "type" | "data">,
  meters: ReadonlyMap<string, readonly CompiledMeter[]>,
): MeasuredEvent {
  const listening = meters.get(event.type) ?? none;
  const measurements: Measurement[] = [];
  let filteredBy: string | undefined;
  let reason: string | undefined;
  for (const meter of listening) {
    const measured = meter.measure(event.data);
    switch (measured.kind) {
      case "measured":
        measurements.push(measured.measurement);
        break;
      case "filtered":
        filteredBy ??= meter.version.slug;
        break;
      case "value_missing":
        reason ??= `meter "${meter.version.slug}" finds nothing at ${measured.property}`;
        break;
      case "value_not_numeric":
        reason ??= `meter "${meter.version.slug}" finds no number at ${measured.property}`;
        break;
      case "value_does_not_fit":
        return {
          fault: {
            code: "unsafe-number",
            field: `data (${measured.property})`,
            message: `${measured.text.slice(0, 64)} does not fit 20 digits before and 18 after the point`,
          },
        };
      case "text_too_long":
        return {
          fault: {
            code: "field-too-large",
            field: `data (${measured.property})`,
            message: `meter "${meter.version.slug}" counts or groups by this text: it has ${measured.length} characters, at most ${text_length_max} are kept`,
          },
        };
    }
  }
  if (reason === undefined && measurements.length === 0) {
    reason =
      filteredBy === undefined
        ? `no meter listens to events of type "${event.type}"`
        : `the filters of meter "${filteredBy}" leave it out`;
  }
  return { measurements, reason };
}

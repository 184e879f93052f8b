import type { FaultEffect } from "./fault.js";

/** One delivery of an event: how much later than it should, and its place among what is due then (0 is in order). */
export interface PlannedDelivery {
  readonly delay_ms: number;
  readonly rank: number;
}

const copies_max = 100;
const straight: readonly PlannedDelivery[] = [{ delay_ms: 0, rank: 0 }];

/** The deliveries of an event after what faults make of them: none, one, or several; each copy goes astray by itself. */
export function plannedDeliveries(
  effects: readonly FaultEffect[],
  random: () => number,
): readonly PlannedDelivery[] {
  if (effects.length === 0) return straight;
  let copies = 1;
  for (const effect of effects) {
    if (effect.kind === "webhook_lost") return [];
    if (effect.kind === "webhook_repeated") copies = Math.min(copies * effect.copies, copies_max);
  }
  return Array.from({ length: copies }, () => astray(effects, random));
}

function astray(effects: readonly FaultEffect[], random: () => number): PlannedDelivery {
  let delay_ms = 0;
  let rank = 0;
  for (const effect of effects) {
    if (effect.kind === "webhook_delayed") delay_ms += effect.ms;
    if (effect.kind !== "webhook_shuffled") continue;
    delay_ms += Math.floor(random() * (effect.window_ms + 1));
    rank = random() - 0.5;
  }
  return { delay_ms, rank };
}

import type { FaultEffect } from "./fault.js";

/** What faults do to a request, put together. */
export interface RequestFaults {
  readonly lost: "drop_before" | "drop_after" | "hang_before" | "hang_after" | undefined;
  readonly rateLimit: { readonly retryAfter_s: number } | undefined;
  /** An error in place of the reply, with all or nothing carried out. */
  readonly error:
    | { readonly when: "before" | "after"; readonly status: number; readonly isKept: boolean }
    | undefined;
  readonly delayBefore_ms: number;
  readonly delayAfter_ms: number;
}

export const noRequestFaults: RequestFaults = {
  lost: undefined,
  rateLimit: undefined,
  error: undefined,
  delayBefore_ms: 0,
  delayAfter_ms: 0,
};

/** Of several that exclude each other, the first. */
export function requestFaults(effects: readonly FaultEffect[]): RequestFaults {
  let faults = noRequestFaults;
  for (const effect of effects) faults = withEffect(faults, effect);
  return faults;
}

function withEffect(faults: RequestFaults, effect: FaultEffect): RequestFaults {
  if (effect.kind === "delay")
    return effect.when === "before"
      ? { ...faults, delayBefore_ms: faults.delayBefore_ms + effect.ms }
      : { ...faults, delayAfter_ms: faults.delayAfter_ms + effect.ms };
  if (effect.kind === "rate_limit") return { ...faults, rateLimit: faults.rateLimit ?? effect };
  if (effect.kind === "error_before")
    return {
      ...faults,
      error: faults.error ?? { when: "before", status: effect.status, isKept: effect.isKept },
    };
  if (effect.kind === "error_after")
    return { ...faults, error: faults.error ?? { when: "after", status: effect.status, isKept: true } };
  return isLoss(effect.kind) ? { ...faults, lost: faults.lost ?? effect.kind } : faults;
}

function isLoss(kind: FaultEffect["kind"]): kind is NonNullable<RequestFaults["lost"]> {
  return losses.some((loss) => loss === kind);
}

const losses = ["drop_before", "drop_after", "hang_before", "hang_after"];

import type { NewRun, Signal } from "../engines/workflow/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";

/** Something to happen when the organization's clock comes to an instant. */
export interface Wake {
  readonly kind: string;
  /** Unique within the kind: 1 to 256 characters. */
  readonly key: string;
  readonly at: Instant;
  readonly payload: JsonValue;
}

/** What a wake does: start a run by its business id, or signal one. Both change nothing when done again. */
export type WakeAction = { readonly start: NewRun } | { readonly signal: Signal };

/**
 * What wakes of a kind do. A wake may act twice after a crash, so ids and keys come from the wake: where a key is used
 * again for a later instant, `at` belongs into the run's id.
 */
export type WakeHandler =
  | {
      readonly kind: string;
      readonly act: (organization: OrganizationId, wake: Wake) => WakeAction;
    }
  | {
      readonly kind: string;
      /**
       * Wakes of one instant go together, up to `chunk_max` to a run of `workflow`, whose id is
       * `{kind}:{organization}:{instant}:{chunk}`, whose input is `{at}` in microseconds, and whose first transaction takes them
       * by Wakes.take; they carry no payload.
       */
      readonly grouped: { readonly workflow: string; readonly chunk_max: number };
    };

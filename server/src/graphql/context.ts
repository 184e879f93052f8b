import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import type { Services } from "../services.js";

/** What every resolver gets. */
export interface GraphQLContext {
  readonly caller: Caller;
  readonly services: Services;
  /** The organization's. */
  readonly clock: Clock;
  /** The Idempotency-Key header: a mutation that is sent again under it is answered as the first time. */
  readonly idempotencyKey: string | undefined;
}

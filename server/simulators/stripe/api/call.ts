import type { Account } from "../account.js";
import type { ForcedOutcome } from "../faults/forced-outcome.js";
import type { Parameters } from "./parameters.js";

/** A request on its way to an object. */
export interface Call {
  readonly account: Account;
  /** The ids in the path. */
  readonly ids: readonly string[];
  readonly params: Parameters;
  readonly forced: ForcedOutcome;
}

/** One operation of the API. `act` is carried out at once, so that requests never see each other half done. */
export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  /** With ":id" where an id stands. */
  readonly path: string;
  /** As faults name it: "payment_intents.confirm". */
  readonly operation: string;
  /** The object for the reply; JSON text where it exists already. */
  readonly act: (call: Call) => object;
}

/** @throws TypeError when the path has no such id, a fault of the routes */
export function idOf(call: Call, position = 0): string {
  const id = call.ids[position];
  if (id === undefined) throw new TypeError(`the path has no id at ${position}`);
  return id;
}

import { makeProblem, Refusal } from "../kernel/problem.js";
import type { BodyFault, EventFault } from "./core/index.js";

/** A fault and the event it belongs to: its index in the request, from 0. */
export interface IndexedFault extends EventFault {
  readonly index: number;
}

const titles: Record<EventFault["code"], string> = {
  "invalid-event": "Events are not valid CloudEvents",
  "field-too-large": "Events have fields over their limits",
  "event-too-old": "Events are older than the deduplication window",
  "event-too-far-ahead": "Events are ahead of the clock",
  "unsafe-number": "Numbers would lose digits",
  "invalid-text": "Text cannot be kept as it is",
};

const bodyTitles: Record<Exclude<BodyFault["kind"], "too_many">, string> = {
  not_utf8: "The body is not UTF-8",
  not_json: "The body is not JSON",
  wrong_shape: "The body does not fit its content type",
  empty: "The body is empty",
};

export function refuseBody(fault: BodyFault, eventsMax: number): Refusal {
  if (fault.kind === "too_many") {
    const title = "Too many events in one request";
    return new Refusal(makeProblem("too-many-events", 413, title, fault.message, { limit: eventsMax }));
  }
  return new Refusal(
    makeProblem(`body-${fault.kind.replaceAll("_", "-")}`, 400, bodyTitles[fault.kind], fault.message),
  );
}

/** One problem for a request: its type is the faults' own when they agree, and each fault carries its code. */
export function refuseEvents(faults: readonly IndexedFault[], events: number): Refusal {
  const codes = new Set(faults.map((fault) => fault.code));
  const [first] = codes;
  const code = codes.size === 1 && first !== undefined ? first : "invalid-event";
  const bad = new Set(faults.map((fault) => fault.index)).size;
  const detail = `${bad} of ${events} events are refused and none is stored. Mend or drop those in "errors", then send the request again.`;
  return new Refusal(makeProblem(code, 400, titles[code], detail, { errors: faults }));
}

/** Dimensions and numbers written out can make of 16 MiB sent many times that to store. */
export function refuseMeasured(bytesMax: number): Refusal {
  const title = "Too much to store from one request";
  const detail = `The events and what the meters read from them come to more than ${bytesMax} bytes. Send fewer events at a time.`;
  return new Refusal(makeProblem("measurements-too-large", 413, title, detail, { limit: bytesMax }));
}

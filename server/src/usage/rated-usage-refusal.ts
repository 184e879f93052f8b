import { makeProblem, Refusal } from "../kernel/problem.js";
import type { StoredMeterVersion } from "./store/meters.js";

export function stillMeasuring({ slug, backfill }: StoredMeterVersion): Refusal {
  const detail = `Meter "${slug}" is still measuring its history (${backfill.events} events done). Ask again in a moment.`;
  const problem = makeProblem("usage-still-arriving", 409, "Usage is still arriving", detail, {
    retryAfterSeconds: 2,
  });
  return new Refusal(problem);
}

export function refuseTooMuch(meter: string, what: "events" | "cells", most: number): Refusal {
  const advice = {
    events:
      "A price that looks at each event takes no more in one period: use a percentage without free events, free amount, minimum and maximum, or bill in shorter periods.",
    cells:
      "A matrix price takes no more combinations of dimension values in one period: use dimensions with fewer values.",
  }[what];
  const detail = `Meter "${meter}" has more than ${most.toLocaleString("en")} ${what} in the period. ${advice}`;
  return new Refusal(makeProblem("usage-too-large", 422, "There is too much usage", detail));
}

import type { Instant } from "../kernel/instant.js";
import { builder } from "./builder.js";

export const PeriodType = builder
  .objectRef<{ readonly start: Instant; readonly end: Instant }>("Period")
  .implement({
    description: "A half-open span of time: start belongs to it, end to the next.",
    fields: (t) => ({
      start: t.expose("start", { type: "Instant" }),
      end: t.expose("end", { type: "Instant" }),
    }),
  });

import type { Instant } from "../kernel/instant.js";
import type { BilledSpan } from "./core/index.js";
import type { UsagePort } from "./usage-port.js";

/** Usage as it was at an instant, by the time of the events: what came after it counts nowhere. */
export function usageBefore(usage: UsagePort, at: Instant): UsagePort {
  const cut = <T extends { readonly subjects: readonly BilledSpan[] }>(asked: T): T => ({
    ...asked,
    subjects: asked.subjects.flatMap(({ subject, from, to }) =>
      from < at ? [{ subject, from, to: to < at ? to : at }] : [],
    ),
  });
  return {
    findMeter: (organization, idOrSlug) => usage.findMeter(organization, idOrSlug),
    watermark: (organization, meters) => usage.watermark(organization, meters),
    quantity: (selection) => usage.quantity(cut(selection)),
    read: (selection, reading) => usage.read(cut(selection), reading),
    readMany: (source, parts) => usage.readMany(source, parts.map(cut)),
    windows: (selection, boundaries) => usage.windows(cut(selection), boundaries),
    evidence: (selection) => usage.evidence(cut(selection)),
  };
}

import type { Decimal } from "../kernel/decimal.js";
import type { MeterId, MeterVersionId, OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { ReadUsage, Usage, UsageReading } from "../usage/index.js";
import type { BilledSpan, Period } from "./core/index.js";

/** How far the usage that is read reaches: one entry per writer of the stream. */
export type UsageWatermark = readonly { readonly writer: string; readonly sequence: number }[];

/** Usage whose dimension, by its name in the meter's group-by, has one of these values. */
export interface UsageFilter {
  readonly property: string;
  readonly values: readonly string[];
}

/** What selections that are read together share. Only usage at or below the watermark counts, so that the answer never changes. */
export interface UsageSource {
  readonly organization: OrganizationId;
  readonly meterVersion: MeterVersionId;
  readonly watermark: UsageWatermark;
  /** All of them hold; a price's filters. */
  readonly filters?: readonly UsageFilter[];
}

/** What a quantity is asked of. */
export interface UsageSelection extends UsageSource {
  readonly subjects: readonly BilledSpan[];
  readonly period: Period;
}

/** One of many selections that are read together, and the form that its price takes. */
export interface UsagePart {
  readonly subjects: readonly BilledSpan[];
  readonly period: Period;
  readonly reading: UsageReading;
}

/** The quantity of one window; windows without usage may be left out. */
export interface WindowQuantity {
  readonly start: Instant;
  readonly end: Instant;
  readonly quantity: Decimal;
  readonly events: number;
}

/** One event that was measured into a quantity. */
export interface EvidenceRow {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly time: Instant;
  /** What the meter read from it: decimal text, or the text that UNIQUE_COUNT counts. */
  readonly value: string;
  /** The event's data as it came, JSON text; '' without any. */
  readonly data: string;
}

export interface EvidencePage {
  readonly rows: readonly EvidenceRow[];
  /** Where the next page begins; absent on the last. */
  readonly next?: string;
}

/** What billing needs to know of a meter. */
export interface BilledMeter {
  readonly id: MeterVersionId;
  readonly meter: MeterId;
  readonly slug: string;
  readonly name: string;
  readonly aggregation: string;
  readonly version: number;
}

/** The metered usage that money is computed from. Asking twice at one watermark gives the same answer. */
export interface UsagePort {
  /** The current version by slug or meter id, a given version by its id; undefined when there is none. */
  findMeter(organization: OrganizationId, idOrSlug: string): Promise<BilledMeter | undefined>;
  /** Up to where these meter versions' usage is whole. @throws Refusal 409 while a history is still being measured */
  watermark(organization: OrganizationId, meters: readonly MeterVersionId[]): Promise<UsageWatermark>;
  /** Zero without usage. @throws Refusal 409 while the meter's history is still being measured */
  quantity(selection: UsageSelection): Promise<{ quantity: Decimal; events: number }>;
  /**
   * Usage in the form that a price takes (rating's `measureOf`). Over several subjects it is of their union: a user
   * of two subjects is one unique user.
   * @throws Refusal 409 while the meter's history is still being measured, 422 when there is too much for the form
   */
  read(selection: UsageSelection, reading: UsageReading): Promise<ReadUsage>;
  /** The same for thousands of selections by few queries, in the order of the parts. @throws Refusal like `read` */
  readMany(source: UsageSource, parts: readonly UsagePart[]): Promise<readonly ReadUsage[]>;
  /** The quantity of each window between boundaries. */
  windows(selection: UsageSelection, boundaries: readonly Instant[]): Promise<readonly WindowQuantity[]>;
  /** The measured events in time order, a page at a time. */
  evidence(
    selection: UsageSelection & { readonly after?: string; readonly limit: number },
  ): Promise<EvidencePage>;
}

/** The usage domain as billing reads it; asked for late, since usage in turn asks billing whose subjects are whose. */
export function usagePortOf(usage: () => Pick<Usage, "meters" | "queries" | "rated">): UsagePort {
  return {
    findMeter: (organization, idOrSlug) => usage().meters.find(organization, idOrSlug),
    watermark: (organization, meters) => usage().rated.watermarkOf(organization, meters),
    quantity: (selection) => usage().rated.quantity(selection),
    read: (selection, reading) => usage().rated.read(selection, reading),
    readMany: (source, parts) => usage().rated.readMany(source, parts),
    windows: (selection, boundaries) => usage().rated.windows(selection, boundaries),
    evidence: (selection) => usage().rated.evidence(selection),
  };
}

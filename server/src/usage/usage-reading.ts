import type { Watermark } from "../engines/stream/index.js";
import type { Decimal } from "../kernel/decimal.js";
import type { MeterVersionId, OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Usage } from "../rating/core/index.js";

/** A subject as long as its usage counts: [from, to); open while `to` is undefined. */
export interface RatedSpan {
  readonly subject: string;
  readonly from: Instant;
  readonly to: Instant | undefined;
}

/** Usage whose dimension has one of these values. */
export interface RatedFilter {
  /** The dimension's name in the meter's group-by. */
  readonly property: string;
  readonly values: readonly string[];
}

/** Whose usage: what readings of one meter share. Only usage at or below the watermark counts, so that the answer never changes. */
export interface RatedSource {
  readonly organization: OrganizationId;
  readonly meterVersion: MeterVersionId;
  readonly watermark: Watermark;
  readonly filters?: readonly RatedFilter[];
}

export interface RatedPeriod {
  readonly subjects: readonly RatedSpan[];
  readonly period: { readonly start: Instant; readonly end: Instant };
}

/** What a quantity is asked of. */
export type RatedSelection = RatedSource & RatedPeriod;

/** In which form usage is read: what a price's `measureOf` asks for. */
export type UsageReading =
  | { readonly kind: "quantity" }
  | { readonly kind: "events" }
  /** Grouped by these dimensions of the meter. */
  | { readonly kind: "cells"; readonly dimensions: readonly string[] }
  /** The windows between these instants; all of them are in the answer, those without usage at zero. */
  | { readonly kind: "windows"; readonly boundaries: readonly Instant[] };

/** One of many selections that are read together. */
export interface BulkPart extends RatedPeriod {
  readonly reading: UsageReading;
}

export interface ReadUsage {
  readonly usage: Usage;
  /** How many events were measured into it. */
  readonly events: number;
}

/** A quantity of one window. */
export interface RatedWindow {
  readonly start: Instant;
  readonly end: Instant;
  readonly quantity: Decimal;
  readonly events: number;
}

import type { Columnar } from "../engines/columnar/index.js";
import type { SignalStream, Watermark } from "../engines/stream/index.js";
import { Decimal } from "../kernel/decimal.js";
import type { Instant } from "../kernel/instant.js";
import type { MeterVersionId, OrganizationId } from "../kernel/ids.js";
import { BulkReader, nothing, positionOf } from "./bulk-reader.js";
import type { Meters } from "./meters.js";
import { stillMeasuring } from "./rated-usage-refusal.js";
import { listEvidence, type Evidence } from "./store/list-evidence.js";
import { queryUsage } from "./store/query-usage.js";
import type {
  BulkPart,
  RatedSelection,
  RatedSource,
  RatedWindow,
  ReadUsage,
  UsageReading,
} from "./usage-reading.js";

const average_scale = 18;

/** Usage as bills read it: from the measured rows themselves, at a watermark, never from a rollup. */
export class RatedUsage {
  readonly #columnar: Columnar;
  readonly #meters: Meters;
  readonly #stream: Pick<SignalStream, "watermark">;

  constructor(columnar: Columnar, meters: Meters, stream: Pick<SignalStream, "watermark">) {
    this.#columnar = columnar;
    this.#meters = meters;
    this.#stream = stream;
  }

  /**
   * Usage in the form that a price takes.
   * @throws Refusal 409 while the meter's history is still being measured, 422 when there is too much for the form
   */
  async read(selection: RatedSelection, reading: UsageReading): Promise<ReadUsage> {
    if (selection.subjects.length === 0) return nothing(reading);
    if (reading.kind === "quantity") {
      const { quantity, events } = await this.quantity(selection);
      return { usage: { kind: "quantity", quantity, events }, events };
    }
    if (reading.kind === "windows") {
      const windows = await this.windows(selection, reading.boundaries);
      const byStart = new Map(windows.map((window) => [window.start, window.quantity]));
      const starts = reading.boundaries.slice(0, -1);
      return {
        usage: { kind: "windows", quantities: starts.map((start) => byStart.get(start) ?? Decimal.zero) },
        events: windows.reduce((count, window) => count + window.events, 0),
      };
    }
    const { subjects, period, ...source } = selection;
    const [read] = await this.readMany(source, [{ subjects, period, reading }]);
    return read ?? nothing(reading);
  }

  /**
   * The same for thousands of selections of one meter version at one watermark, by few queries; in the order of the
   * parts. Usage of a subject in several parts counts in each.
   * @throws Refusal 409 while the meter's history is still being measured, 422 when there is too much for the form
   */
  async readMany(source: RatedSource, parts: readonly BulkPart[]): Promise<ReadUsage[]> {
    const meter = await this.#meters.get(source.organization, source.meterVersion);
    if (meter.backfill.state !== "done") throw stillMeasuring(meter);
    const reader = await BulkReader.open(this.#columnar.forOrganization(source.organization), meter, source);
    return reader.read(parts);
  }

  /** Zero without usage. @throws Refusal 409 while the meter's history is still being measured */
  async quantity(selection: RatedSelection): Promise<{ quantity: Decimal; events: number }> {
    const { start, end } = selection.period;
    const [window] = await this.windows(selection, [start, end]);
    return { quantity: window?.quantity ?? Decimal.zero, events: window?.events ?? 0 };
  }

  /**
   * A watermark at which these meters' history is measured whole. Their state is read first: a backfill that ended in
   * between would otherwise count as done and be read from before its end.
   * @throws Refusal 409 while one is still being measured
   */
  async watermarkOf(organization: OrganizationId, meters: readonly MeterVersionId[]): Promise<Watermark> {
    for (const id of meters) {
      const meter = await this.#meters.get(organization, id);
      if (meter.backfill.state !== "done") throw stillMeasuring(meter);
    }
    return this.#stream.watermark();
  }

  /** The quantity of each window that has any. A WEIGHTED_SUM's last value holds until the period's end. */
  async windows(selection: RatedSelection, boundaries: readonly Instant[]): Promise<RatedWindow[]> {
    const { organization, period } = selection;
    const meter = await this.#meters.get(organization, selection.meterVersion);
    if (meter.backfill.state !== "done") throw stillMeasuring(meter);
    const sums = await queryUsage(this.#columnar.forOrganization(organization), {
      meterVersion: selection.meterVersion,
      aggregation: meter.aggregation,
      boundaries,
      range: { from: period.start, to: period.end },
      until: period.end,
      spans: selection.subjects,
      groupBySubject: false,
      groupByDimensions: [],
      filters: (selection.filters ?? []).map(({ property, values }) => ({
        position: positionOf(meter, property),
        values,
      })),
      at: selection.watermark,
      limit: 100_000,
    });
    return sums.map((sum) => {
      const value = Decimal.of(sum.value ?? "0");
      const quantity =
        meter.aggregation === "AVG"
          ? value.dividedBy(Decimal.of(sum.count), average_scale, "half-away")
          : value;
      return { start: sum.windowStart, end: sum.windowEnd, quantity, events: Number(sum.count) };
    });
  }

  /** The measured events behind a quantity, in time order. */
  async evidence(
    selection: RatedSelection & { readonly after?: string; readonly limit: number },
  ): Promise<{ rows: Evidence[]; next?: string }> {
    const { subjects, filters = [], ...rest } = selection;
    const meter =
      filters.length === 0 ? undefined : await this.#meters.get(rest.organization, rest.meterVersion);
    return listEvidence(this.#columnar.forOrganization(selection.organization), {
      ...rest,
      spans: subjects,
      filters: filters.flatMap(({ property, values }) =>
        meter === undefined ? [] : [{ position: positionOf(meter, property), values }],
      ),
    });
  }
}

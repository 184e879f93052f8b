import type { Columnar } from "../engines/columnar/index.js";
import type { SignalStream, Watermark } from "../engines/stream/index.js";
import { Decimal } from "../kernel/decimal.js";
import type { Instant } from "../kernel/instant.js";
import type { MeterVersionId, OrganizationId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Meters } from "./meters.js";
import { listEvidence, type Evidence } from "./store/list-evidence.js";
import type { StoredMeterVersion } from "./store/meters.js";
import { queryUsage } from "./store/query-usage.js";

/** What a quantity is asked of; only usage at or below the watermark counts, so the answer never changes. */
export interface RatedSelection {
  readonly organization: OrganizationId;
  readonly meterVersion: MeterVersionId;
  readonly subjects: readonly {
    readonly subject: string;
    readonly from: Instant;
    readonly to: Instant | undefined;
  }[];
  readonly period: { readonly start: Instant; readonly end: Instant };
  readonly watermark: Watermark;
}

/** A quantity of one window. */
export interface RatedWindow {
  readonly start: Instant;
  readonly end: Instant;
  readonly quantity: Decimal;
  readonly events: number;
}

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

  /** @throws Refusal 409 while the meter's history is still being measured */
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
      filters: [],
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
    const { subjects, ...rest } = selection;
    return listEvidence(this.#columnar.forOrganization(selection.organization), { ...rest, spans: subjects });
  }
}

function stillMeasuring({ slug, backfill }: StoredMeterVersion): Refusal {
  const detail = `Meter "${slug}" is still measuring its history (${backfill.events} events done). Ask again in a moment.`;
  const problem = makeProblem("usage-still-arriving", 409, "Usage is still arriving", detail, {
    retryAfterSeconds: 2,
  });
  return new Refusal(problem);
}

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { migrateColumnar, openColumnar, type Columnar } from "../../src/engines/columnar/index.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { formatInstant, parseInstant, second, type Instant } from "../../src/kernel/instant.js";
import type { MeterVersionId } from "../../src/kernel/ids.js";
import type { JsonValue } from "../../src/kernel/json.js";
import { silentLog } from "../../src/kernel/log.js";
import { rate } from "../../src/rating/core/index.js";
import { findDefinitionFaults, isAggregation, type MeterVersion } from "../../src/usage/core/index.js";
import { EventIdentity } from "../../src/usage/event-identity.js";
import { usageSink } from "../../src/usage/store/insert-batch.js";
import { queryUsage } from "../../src/usage/store/query-usage.js";
import { at, framed, meterVersion, orgA, writeBatch } from "../support/batch-file.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { decimalOf, refuse, type CaseParameters } from "./case-parameters.js";
import { isRecord } from "./rating-case.js";

const migrations = fileURLToPath(new URL("../../migrations/clickhouse", import.meta.url));
const watermark = [{ writer: "w", sequence: 1_000_000 }];
const begin = at("2026-01-01T00:00:00Z");

interface CaseEvent {
  readonly id: string;
  readonly time: Instant;
  readonly data: JsonValue;
}

/** Measures events by Weir's meters and adds them up in a ClickHouse of their own, which is opened when first needed. */
export class MeteredCases {
  #opened: Promise<{ columnar: Columnar; folder: Awaited<ReturnType<typeof temporaryFolder>> }> | undefined;
  #cases = 0;
  #sequence = 1;

  async evaluate(name: string, given: CaseParameters): Promise<Decimal> {
    const aggregation = name.slice("agg_".length).toUpperCase();
    if (!isAggregation(aggregation)) return refuse(`there is no aggregation ${aggregation}`);
    if (aggregation === "WEIGHTED_SUM") return this.#weighted(given);
    const meter = this.#meter(aggregation, given.raw("property") ?? undefined);
    const events = given.has("duplicate_of")
      ? distinctResends(given)
      : eventsOf(given.list("events_in_time_order"));
    const end = (begin + 366 * 86_400 * second) as Instant;
    return this.#measure(meter, events, begin, end);
  }

  async close(): Promise<void> {
    const opened = await this.#opened;
    await opened?.columnar.close();
    await opened?.folder.remove();
  }

  /** There, events change the level by their value; Weir's report the level. A price per unit is for the whole period. */
  async #weighted(given: CaseParameters): Promise<Decimal> {
    const [from, to] = given.list("period").map((date) => instantOf(`${String(date)}T00:00:00Z`));
    if (from === undefined || to === undefined) return refuse('parameter "period" must be two dates');
    let level = given.optional("carry_in") ?? Decimal.zero;
    const events: CaseEvent[] = [{ id: "0", time: from, data: { value: level.toString() } }];
    given.list("events").forEach((event, index) => {
      const [time, value] = Array.isArray(event) ? (event as unknown[]) : [];
      level = level.plus(decimalOf(value, `events[${index}][1]`));
      events.push({ id: `${index + 1}`, time: instantOf(time), data: { value: level.toString() } });
    });
    const quantity = await this.#measure(this.#meter("WEIGHTED_SUM", "value"), events, from, to);
    const per = Decimal.of((to - from) / second);
    return rate({ kind: "per_unit", unitAmount: given.decimal("unit_amount"), per }, quantity).amount;
  }

  #meter(aggregation: MeterVersion["aggregation"], property: unknown): MeterVersion {
    this.#cases += 1;
    const id = `mtv_${String(this.#cases).padStart(26, "0")}` as MeterVersionId;
    const { valueProperty: _, ...counted } = meterVersion({ aggregation, groupBy: [] }, id);
    const meter = typeof property === "string" ? { ...counted, valueProperty: `$["${property}"]` } : counted;
    const [fault] = findDefinitionFaults(meter);
    return fault === undefined ? meter : refuse(`${fault.field}: ${fault.message}`);
  }

  async #measure(
    meter: MeterVersion,
    events: readonly CaseEvent[],
    from: Instant,
    to: Instant,
  ): Promise<Decimal> {
    const { columnar, folder } = await (this.#opened ??= open());
    const sink = await usageSink(columnar, path.join(folder.dir, "schemas"));
    const batch = await writeBatch(
      path.join(folder.dir, "batches", `${this.#cases}.batch`),
      {
        number: this.#cases,
        firstSequence: this.#sequence,
        settings: sink.settings(),
        engineVersion: await sink.engineVersion(),
      },
      [
        {
          organization: orgA,
          events: events.map(({ id, time, data }) =>
            framed([meter], { id: `${this.#cases}/${id}`, time: formatInstant(time), data }),
          ),
        },
      ],
    );
    this.#sequence += 1;
    await sink.insert(batch);
    const [sum] = await queryUsage(columnar.forOrganization(orgA), {
      meterVersion: meter.id,
      aggregation: meter.aggregation,
      boundaries: [from, to],
      range: { from, to },
      until: to,
      groupBySubject: false,
      groupByDimensions: [],
      filters: [],
      at: watermark,
      limit: 1,
    });
    const value = Decimal.of(sum?.value ?? "0");
    return meter.aggregation === "AVG" && sum !== undefined
      ? value.dividedBy(Decimal.of(sum.count), 18, "half-away")
      : value;
  }
}

async function open() {
  const folder = await temporaryFolder("rating-cases");
  const columnar = await openColumnar({ dir: path.join(folder.dir, "clickhouse"), log: silentLog });
  await migrateColumnar(columnar, migrations);
  await mkdir(path.join(folder.dir, "batches"));
  return { columnar, folder };
}

function eventsOf(list: readonly unknown[]): CaseEvent[] {
  return list.map((data, index) => {
    if (!isRecord(data)) return refuse(`events_in_time_order[${index}] must be an object`);
    return { id: String(index), time: (begin + index * second) as Instant, data: data as JsonValue };
  });
}

/** One identity sent `quantity` times with other times: what ingest lets through is what it has not seen. */
function distinctResends(given: CaseParameters): CaseEvent[] {
  given.raw("duplicate_of");
  const identity = new EventIdentity(new Uint8Array(32));
  const seen = new Set<string>();
  const sends = Number(given.quantity.toBigInt());
  const events = Array.from({ length: sends }, (_, index) => ({
    id: "same",
    time: (begin + index * second) as Instant,
    data: {},
  }));
  return events.filter(({ id }) => {
    const key = identity.keyOf(orgA, "source", id);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

function instantOf(text: unknown): Instant {
  return (typeof text === "string" ? parseInstant(text) : undefined) ?? refuse(`not a time: ${String(text)}`);
}

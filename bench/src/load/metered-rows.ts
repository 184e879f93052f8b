import { sleep } from "../figure.js";
import type { Services } from "./seeded-organization.js";

type Columnar = Services["columnar"];

const merges_seconds_max = 180;
const merges_look_ms = 500;
const quiet_looks = 4;
const rollup_views = ["usage_to_15m", "usage_to_1d"] as const;

/** Where in the stream a row came from: at or below every watermark that is read later. */
export interface StreamPosition {
  readonly writer: string;
  readonly sequence: string;
}

/** Rows of one meter version: for each of `subjects` subjects, s<first> and on, one each `step_us` from `begin` on. */
export interface MeteredRows {
  readonly organization: string;
  readonly meterVersion: string;
  readonly position: StreamPosition;
  readonly first: number;
  readonly subjects: number;
  readonly rowsPerSubject: number;
  readonly count: number;
  /** Milliseconds. */
  readonly begin: number;
  readonly step_us: number;
  /** SQL of an integer, by `number` from 0 to count - 1. */
  readonly value: string;
  /** Keys of events: those of rows with the same salt and number are the same. */
  readonly salt: number;
}

export async function firstPosition({ system }: Columnar, organization: string): Promise<StreamPosition> {
  const [stored] = await system.query(
    "bench",
    `SELECT writer, sequence FROM weir.usage WHERE organization = '${organization}' LIMIT 1`,
    {},
    (row) => ({ writer: String(row["writer"]), sequence: String(row["sequence"]) }),
  );
  if (stored === undefined) throw new Error("the first event was not measured");
  return stored;
}

/**
 * Bills read the rows; the rollups, which dashboards read, would be most of the loading. What is loaded in a minute came over
 * a month: the store merges it before anything is measured.
 */
export async function withoutRollups({ system }: Columnar, load: () => Promise<void>): Promise<void> {
  for (const view of rollup_views) await system.command("bench", `DETACH TABLE weir.${view}`);
  await load();
  for (const view of rollup_views) await system.command("bench", `ATTACH TABLE weir.${view}`);
  const giveUpAt = performance.now() + merges_seconds_max * 1_000;
  let quietLooks = 0;
  while (quietLooks < quiet_looks && performance.now() < giveUpAt) {
    const [row] = await system.query(
      "bench",
      "SELECT count() AS merges FROM system.merges",
      {},
      (one) => one,
    );
    quietLooks = Number(row?.["merges"]) === 0 ? quietLooks + 1 : 0;
    await sleep(merges_look_ms);
  }
}

export async function insertMeteredRows({ system }: Columnar, rows: MeteredRows): Promise<void> {
  const { organization, meterVersion, position, first, subjects, rowsPerSubject, count, begin } = rows;
  await system.command(
    "bench",
    `INSERT INTO weir.usage (organization, meter, subject, time, value, unique, dimensions, key, revision, writer, sequence, event_sequence, event_position, batch)
     SELECT '${organization}', '${meterVersion}', concat('s', toString(${first} + intDiv(number, ${rowsPerSubject}) % ${subjects})),
            fromUnixTimestamp64Micro(toInt64(${begin * 1000} + (number % ${rowsPerSubject}) * ${rows.step_us}), 'UTC'),
            toDecimal128(${rows.value}, 18), '', [], reinterpretAsFixedString(sipHash128(number, ${rows.salt})), 0,
            '${position.writer}', ${position.sequence}, ${position.sequence}, 1, 0
     FROM numbers(${count})`,
  );
}

import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { exponentOf } from "../kernel/currency.js";
import type { JournalEntry } from "./store/journal.js";

// Rows that are compressed together, in one go of some 50 ms: larger groups would keep other requests waiting, smaller ones
// make a footer that grows with each.
const group_rows = 5_000;
// Decimals of what amounts are given in, whatever the currency: no currency has more.
const amount_scale = 4;
const decimal_digits = 38;

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]["schema"][number];

interface Column {
  readonly schema: SchemaElement;
  readonly valueOf: (entry: JournalEntry) => string | number | bigint | boolean | undefined;
}

const text = (name: string, valueOf: (entry: JournalEntry) => string): Column => ({
  schema: { name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
  valueOf,
});
const optionalText = (name: string, valueOf: (entry: JournalEntry) => string | undefined): Column => ({
  schema: { name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
  valueOf,
});
const instant = (
  name: string,
  repetition_type: "REQUIRED" | "OPTIONAL",
  valueOf: (entry: JournalEntry) => number | undefined,
): Column => ({
  schema: { name, type: "INT64", converted_type: "TIMESTAMP_MICROS", repetition_type },
  valueOf: (entry) => {
    const micros = valueOf(entry);
    return micros === undefined ? undefined : BigInt(micros);
  },
});
const decimal = (
  name: string,
  scale: number,
  repetition_type: "REQUIRED" | "OPTIONAL",
  valueOf: (entry: JournalEntry) => bigint | undefined,
): Column => ({
  schema: {
    name,
    type: "FIXED_LEN_BYTE_ARRAY",
    type_length: 16,
    converted_type: "DECIMAL",
    precision: decimal_digits,
    scale,
    repetition_type,
  },
  valueOf,
});

/** In major units; undefined for what has too many digits to be given so: amount_minor has them all. */
function amountOf({ currency, amount }: JournalEntry): bigint | undefined {
  const scaled = amount * 10n ** BigInt(amount_scale - exponentOf(currency));
  return scaled < 10n ** BigInt(decimal_digits) ? scaled : undefined;
}

/** The same columns as in CSV, in the same order. */
const columns: readonly Column[] = [
  instant("posted_at", "REQUIRED", ({ postedAt }) => postedAt),
  text("posting", ({ posting }) => posting),
  {
    schema: { name: "position", type: "INT32", repetition_type: "REQUIRED" },
    valueOf: ({ position }) => position,
  },
  text("status", ({ pending }) => (pending ? "pending" : "posted")),
  text("reason", ({ reason }) => reason),
  text("reference", ({ reference }) => reference),
  text("debit", ({ debit }) => debit),
  text("credit", ({ credit }) => credit),
  text("currency", ({ currency }) => currency),
  decimal("amount", amount_scale, "OPTIONAL", amountOf),
  decimal("amount_minor", 0, "REQUIRED", ({ amount }) => amount),
  instant("service_start", "OPTIONAL", ({ service }) => service?.start),
  instant("service_end", "OPTIONAL", ({ service }) => service?.end),
  optionalText("reverses", ({ reverses }) => reverses),
  optionalText("resolves", ({ resolves }) => resolves),
  text("idempotency_key", ({ idempotencyKey }) => idempotencyKey),
];

/** Apache Parquet, in groups of rows that are written one after the other; compressed by Snappy. */
export async function* writeParquet(
  pages: AsyncIterable<readonly JournalEntry[]>,
): AsyncGenerator<Uint8Array> {
  const bytes = new PassingBytes();
  const writer = new ParquetWriter({
    writer: bytes,
    schema: [{ name: "journal", num_children: columns.length }, ...columns.map(({ schema }) => schema)],
    createdBy: "weir",
  });
  let rows: JournalEntry[] = [];
  const writeGroup = async () => {
    const columnData = columns.map(({ schema, valueOf }) => ({
      name: schema.name,
      data: rows.map(valueOf),
      offsetIndex: false,
    }));
    await writer.write({ columnData, rowGroupSize: rows.length });
    rows = [];
  };
  for await (const entries of pages) {
    rows.push(...entries);
    if (rows.length < group_rows) continue;
    await writeGroup();
    yield bytes.take();
  }
  if (rows.length > 0) await writeGroup();
  await writer.finish();
  yield bytes.take();
}

/** Keeps what was written until it is taken, and counts on. */
class PassingBytes extends ByteWriter {
  /** What was written since it was taken last. */
  take(): Uint8Array {
    const taken = this.getBytes().slice();
    this.index = 0;
    return taken;
  }
}

import { csvLines, type CsvStyle } from "./csv-text.js";
import { inChunks } from "./file-chunks.js";
import { majorUnits } from "./camt-file.js";
import { SeededRandom } from "./seeded-random.js";

/** One balance transaction. Amounts are minor units. */
export interface StripeRow {
  readonly id: string;
  readonly category: string;
  readonly currency: string;
  readonly gross: bigint;
  readonly fee: bigint;
  /** gross − fee when left out. */
  readonly net?: bigint;
  readonly created?: string;
  readonly source?: string;
  readonly payment?: string;
  readonly description?: string;
  readonly payout?: string;
  readonly presented?: { readonly currency: string; readonly amount: bigint };
  /** Overwrites columns with what a damaged file has in them. */
  readonly columns?: Readonly<Record<string, string>>;
}

export const balance_columns = [
  "balance_transaction_id",
  "created_utc",
  "available_on_utc",
  "currency",
  "gross",
  "fee",
  "net",
  "reporting_category",
  "source_id",
  "description",
  "customer_facing_amount",
  "customer_facing_currency",
  "automatic_payout_id",
  "charge_id",
  "payment_intent_id",
];

export const payout_columns = [
  "automatic_payout_id",
  "automatic_payout_effective_at_utc",
  ...balance_columns.filter((name) => name !== "automatic_payout_id"),
];

/** Writes one of Stripe's itemized reports, chunk by chunk. */
export function stripeReport(
  columns: readonly string[],
  rows: Iterable<StripeRow>,
  style: CsvStyle = {},
): Generator<Uint8Array> {
  return inChunks(csvLines(columns, fieldsOf(rows), style));
}

function* fieldsOf(rows: Iterable<StripeRow>): Generator<Readonly<Record<string, string>>> {
  for (const row of rows) {
    const { currency, presented } = row;
    yield {
      balance_transaction_id: row.id,
      created_utc: row.created ?? "2026-03-01 09:30:00",
      created: row.created ?? "2026-03-01 09:30:00",
      available_on_utc: "2026-03-03 00:00:00",
      currency: currency.toLowerCase(),
      gross: majorUnits(row.gross, currency),
      fee: majorUnits(row.fee, currency),
      net: majorUnits(row.net ?? row.gross - row.fee, currency),
      reporting_category: row.category,
      source_id: row.source ?? "",
      payment_intent_id: row.payment ?? "",
      description: row.description ?? "",
      automatic_payout_id: row.payout ?? "",
      automatic_payout_effective_at_utc: row.payout === undefined ? "" : "2026-03-04 00:00:00",
      customer_facing_amount: presented === undefined ? "" : majorUnits(presented.amount, presented.currency),
      customer_facing_currency: presented?.currency.toLowerCase() ?? "",
      ...row.columns,
    };
  }
}

/** Charges with fees, some refunds and disputes, each thousandth a payout of what came in; by a seed. */
export function* randomStripeRows(seed: number, count: number): Generator<StripeRow> {
  const random = new SeededRandom(seed);
  for (let index = 0; index < count; index += 1) {
    const id = `txn_${seed}_${index}`;
    const payout = `po_${seed}_${Math.floor(index / 1_000)}`;
    const common = { id, currency: "USD", payout };
    const amount = BigInt(100 + random.below(200_000));
    const turn = random.below(100);
    if (turn < 92) {
      const fee = (amount * 29n) / 1_000n + 30n;
      const payment = `pi_${seed}_${index}`;
      yield {
        ...common,
        category: "charge",
        gross: amount,
        fee,
        source: `ch_${seed}_${index}`,
        payment,
        description: `Invoice ${index}, "monthly"`,
      };
    } else if (turn < 97) {
      yield { ...common, category: "refund", gross: -amount, fee: 0n, source: `re_${seed}_${index}` };
    } else if (turn < 99) {
      yield { ...common, category: "dispute", gross: -amount, fee: 1_500n, source: `dp_${seed}_${index}` };
    } else yield { ...common, category: "payout", gross: -amount, fee: 0n, source: payout };
  }
}

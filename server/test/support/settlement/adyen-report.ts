import { csvLines, type CsvStyle } from "./csv-text.js";
import { inChunks } from "./file-chunks.js";
import { majorUnits } from "./camt-file.js";
import { SeededRandom } from "./seeded-random.js";

/** One line of the report. Amounts are signed minor units: + is to the merchant's credit. */
export interface AdyenRow {
  readonly type: string;
  readonly payment?: string;
  readonly modification?: string;
  readonly merchantReference?: string;
  readonly gross?: { readonly currency: string; readonly amount: bigint };
  readonly net: { readonly currency: string; readonly amount: bigint };
  /** Decimal text, by column. */
  readonly fees?: Readonly<Record<string, string>>;
  readonly created?: string;
  readonly zone?: string;
  readonly account?: string;
  readonly batch?: number;
  readonly arn?: string;
  /** Overwrites columns with what a damaged file has in them. */
  readonly columns?: Readonly<Record<string, string>>;
}

/** The thirty columns of 2016. */
export const adyen_columns = [
  "Company Account",
  "Merchant Account",
  "Psp Reference",
  "Merchant Reference",
  "Payment Method",
  "Creation Date",
  "TimeZone",
  "Type",
  "Modification Reference",
  "Gross Currency",
  "Gross Debit (GC)",
  "Gross Credit (GC)",
  "Exchange Rate",
  "Net Currency",
  "Net Debit (NC)",
  "Net Credit (NC)",
  "Commission (NC)",
  "Markup (NC)",
  "Scheme Fees (NC)",
  "Interchange (NC)",
  "Payment Method Variant",
  "Modification Merchant Reference",
  "Batch Number",
  "Reserved4",
  "Reserved5",
  "Reserved6",
  "Reserved7",
  "Reserved8",
  "Reserved9",
  "Reserved10",
];

/** With what was added until 2025, forty-nine. */
export const adyen_columns_of_2025 = adyen_columns.concat(
  "Booking Date|Booking Date TimeZone|Booking Type|ARN|DCC Markup (NC)|Payment Fees (NC)".split("|"),
  "Advanced (NC)|Store|Terminal|Split Settlement|Issuer Country|Shopper Country|Funding Source".split("|"),
  "Global Card Brand|Interaction|Risk Scoring|Captured|Metadata|Payable Batch".split("|"),
);

/** Writes a settlement details report, chunk by chunk. */
export function adyenReport(
  rows: Iterable<AdyenRow>,
  columns: readonly string[] = adyen_columns,
  style: CsvStyle = {},
): Generator<Uint8Array> {
  return inChunks(csvLines(columns, fieldsOf(rows), style));
}

function* fieldsOf(rows: Iterable<AdyenRow>): Generator<Readonly<Record<string, string>>> {
  for (const row of rows) {
    yield {
      "Company Account": "AcmeGroup",
      "Merchant Account": row.account ?? "AcmeSaas",
      "Psp Reference": row.payment ?? "",
      "Merchant Reference": row.merchantReference ?? "",
      "Payment Method": row.payment === undefined ? "" : "visa",
      "Creation Date": row.created ?? "2026-03-01 10:30:00",
      TimeZone: row.zone ?? "CET",
      Type: row.type,
      "Modification Reference": row.modification ?? "",
      ...amounts("Gross", "GC", row.gross),
      "Exchange Rate": row.gross === undefined ? "" : "1",
      ...amounts("Net", "NC", row.net),
      "Batch Number": String(row.batch ?? 7),
      ARN: row.arn ?? "",
      ...row.fees,
      ...row.columns,
    };
  }
}

function amounts(name: string, code: string, money: AdyenRow["gross"]): Record<string, string> {
  if (money === undefined) return {};
  const { currency, amount } = money;
  const side = amount < 0n ? "Debit" : "Credit";
  return {
    [`${name} Currency`]: currency,
    [`${name} ${side} (${code})`]: majorUnits(amount < 0n ? -amount : amount, currency),
  };
}

/** Payments with fees, refunds and chargebacks in euro, and the payout that makes them zero; by a seed. */
export function* randomAdyenRows(seed: number, count: number): Generator<AdyenRow> {
  const random = new SeededRandom(seed);
  let sum = 0n;
  for (let index = 0; index < count; index += 1) {
    const payment = `88${seed % 10}${index.toString().padStart(13, "0")}`;
    const modification = `99${seed % 10}${index.toString().padStart(13, "0")}`;
    const amount = BigInt(100 + random.below(100_000));
    const turn = random.below(100);
    const [type, gross, fee] =
      turn < 90
        ? (["Settled", amount, 12n + amount / 100n] as const)
        : turn < 97
          ? (["Refunded", -amount, 10n] as const)
          : (["Chargeback", -amount, 750n] as const);
    const net = gross - fee;
    sum += net;
    yield {
      type,
      payment,
      modification,
      merchantReference: `inv_${seed}_${index}`,
      gross: { currency: "EUR", amount: gross },
      net: { currency: "EUR", amount: net },
      fees: { "Markup (NC)": majorUnits(fee, "EUR") },
      arn: `2400000623${(seed % 1_000).toString().padStart(3, "0")}${index.toString().padStart(10, "0")}`,
    };
  }
  const net = { currency: "EUR", amount: -sum };
  yield { type: "MerchantPayout", modification: `TX${seed}XT batch 7, AcmeSaas`, net };
}

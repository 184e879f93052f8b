import type { FieldPlace } from "../../../src/settlement/core/formats/visa-base2/record-layout.js";
import {
  common,
  draft,
  draftAdditional,
  draftService,
  fee,
  header,
  settlement,
  trailer,
} from "../../../src/settlement/core/formats/visa-base2/record-layout.js";
import { inChunks } from "./file-chunks.js";
import { SeededRandom } from "./seeded-random.js";

/** A transaction as its records; amounts are what the trailers add up. */
export interface Base2Spec {
  readonly code: string;
  readonly records: readonly string[];
  readonly monetary: boolean;
  readonly source: bigint;
  readonly destination: bigint;
}

export interface Base2File {
  readonly transactions: Iterable<Base2Spec>;
  readonly separator?: "\n" | "\r\n" | "";
  readonly lastSeparator?: boolean;
  /** Transactions in a batch; all in one when left out. */
  readonly batchOf?: number;
  readonly control?: "whole" | "none";
  readonly fileId?: string;
  readonly test?: string;
  /** What a sender does wrong. */
  readonly wrong?: {
    readonly trailer?: "missing" | Partial<Record<keyof typeof trailer, bigint>>;
    readonly batchTrailer?: "missing" | Partial<Record<keyof typeof trailer, bigint>>;
    readonly header?: "missing";
    /** Counts records and transactions without the trailers themselves. */
    readonly countsWithoutTrailer?: boolean;
  };
}

export const base2_processor = "400001";

const blank = " ".repeat(168);

/** A record of blanks with these fields in their columns: numbers right-aligned with zeros, text left-aligned. */
export function record(fields: readonly (readonly [FieldPlace, string | bigint])[]): string {
  let text = blank;
  for (const [{ from, to }, value] of fields) {
    const length = to - from + 1;
    const filled =
      typeof value === "bigint"
        ? value.toString().padStart(length, "0")
        : value.padEnd(length).slice(0, length);
    text = text.slice(0, from - 1) + filled + text.slice(to);
  }
  return text;
}

export interface DraftSpec {
  readonly code?: string;
  readonly account?: string;
  readonly extension?: string;
  readonly arn?: string;
  readonly source?: bigint;
  readonly sourceCurrency?: string;
  readonly destination?: bigint;
  readonly destinationCurrency?: string;
  readonly usage?: string;
  readonly reason?: string;
  readonly purchaseDate?: string;
  readonly processingDate?: string;
  readonly transactionId?: string;
  /** The merchant's own name for the sale. */
  readonly purchaseId?: string;
}

/** A draft, chargeback or reversal with its TCR 0, 1 and 5. */
export function base2Draft({
  code = "05",
  account = "4111111111111111",
  extension = "000",
  arn = "24000006232000123456789",
  source = 12_345n,
  sourceCurrency = "840",
  destination = source,
  destinationCurrency = sourceCurrency,
  usage = "1",
  reason = "",
  purchaseDate = "0820",
  processingDate = "6233",
  transactionId = "306233000000001",
  purchaseId = "",
}: DraftSpec = {}): Base2Spec {
  const start = (sequence: string): (readonly [FieldPlace, string | bigint])[] => [
    [common.code, code],
    [common.qualifier, "0"],
    [common.sequence, sequence],
  ];
  return {
    code,
    monetary: true,
    source,
    destination,
    records: [
      record([
        ...start("0"),
        [draft.account, account],
        [draft.accountExtension, extension],
        [draft.arn, arn],
        [draft.acquirer, "10000001"],
        [draft.purchaseDate, purchaseDate],
        [draft.destinationAmount, destination],
        [draft.destinationCurrency, destinationCurrency],
        [draft.sourceAmount, source],
        [draft.sourceCurrency, sourceCurrency],
        [draft.merchantName, "ACME SAAS"],
        [draft.merchantCity, "LONDON"],
        [draft.merchantCountry, "GB"],
        [draft.merchantCategory, "5734"],
        [draft.usage, usage],
        [draft.reason, reason],
        [draft.settlementFlag, "8"],
        [draft.authorization, "A1B2C3"],
        [draft.processingDate, processingDate],
      ]),
      record([
        ...start("1"),
        [draftAdditional.merchantId, "MERCHANT0000001"],
        [draftAdditional.terminalId, "TERM0001"],
        [draftAdditional.purchaseId, purchaseId],
      ]),
      record([...start("5"), [draftService.transactionId, transactionId]]),
    ],
  };
}

/** A fee collection (10) or funds disbursement (20). */
export function base2Fee(
  code: "10" | "20",
  amount: bigint,
  { source = "400099", text = "" }: { readonly source?: string; readonly text?: string } = {},
): Base2Spec {
  return {
    code,
    monetary: true,
    source: amount,
    destination: amount,
    records: [
      record([
        [common.code, code],
        [common.qualifier, "0"],
        [common.sequence, "0"],
        [fee.destination, base2_processor],
        [fee.source, source],
        [fee.reason, "0150"],
        [fee.eventDate, "0819"],
        [fee.account, "0".repeat(16)],
        [fee.destinationAmount, amount],
        [fee.destinationCurrency, "840"],
        [fee.sourceAmount, amount],
        [fee.sourceCurrency, "840"],
        [fee.text, text],
        [fee.transactionId, "0".repeat(15)],
        [fee.processingDate, "6233"],
      ]),
    ],
  };
}

/** A line of the settlement report VSS-110. */
export function base2Settlement(
  net: bigint,
  more: { readonly amountType?: string; readonly businessMode?: string; readonly currency?: string } = {},
): Base2Spec {
  const size = net < 0n ? -net : net;
  return {
    code: "46",
    monetary: false,
    source: 0n,
    destination: 0n,
    records: [
      record([
        [common.code, "46"],
        [common.qualifier, "0"],
        [common.sequence, "0"],
        [settlement.reportingFor, "1000000001"],
        [settlement.fundsTransfer, "1000000002"],
        [settlement.service, "001"],
        [settlement.currency, more.currency ?? "840"],
        [settlement.reportGroup, "V"],
        [settlement.reportSubgroup, "2"],
        [settlement.report, "110"],
        [settlement.settlementDate, "2026234"],
        [settlement.amountType, more.amountType ?? "T"],
        [settlement.businessMode, more.businessMode ?? "9"],
        [settlement.count, 3n],
        [settlement.creditAmount, net > 0n ? size : 0n],
        [settlement.debitAmount, net < 0n ? size : 0n],
        [settlement.netAmount, size],
        [settlement.netSign, net < 0n ? "DB" : "CR"],
        [settlement.fundsTransferDate, "2026236"],
      ]),
    ],
  };
}

/** Writes a BASE II file with its header and trailers, chunk by chunk. */
export function base2File(file: Base2File): Generator<Uint8Array> {
  return inChunks(separated(recordsOf(file), file.separator ?? "\n", file.lastSeparator ?? true));
}

function* separated(records: Iterable<string>, separator: string, last: boolean): Generator<string> {
  let first = true;
  for (const text of records) {
    yield first ? text : separator + text;
    first = false;
  }
  if (last) yield separator;
}

interface Totals {
  monetary: bigint;
  source: bigint;
  destination: bigint;
  records: bigint;
  transactions: bigint;
}

const nothing = (): Totals => ({ monetary: 0n, source: 0n, destination: 0n, records: 0n, transactions: 0n });

function* recordsOf({
  transactions,
  batchOf,
  control = "whole",
  fileId = "001",
  wrong = {},
  test = "",
}: Base2File): Generator<string> {
  if (control === "none") {
    for (const { records } of transactions) yield* records;
    return;
  }
  const own = wrong.countsWithoutTrailer === true ? 0n : 1n;
  if (wrong.header !== "missing") {
    yield record([
      [common.code, "90"],
      [header.processor, base2_processor],
      [header.date, "26233"],
      [header.test, test],
      [header.fileId, fileId],
    ]);
  }
  const file = nothing();
  let batches = 0n;
  let batch = nothing();
  const endBatch = function* () {
    if (batch.transactions === 0n || wrong.batchTrailer === "missing") return;
    batches += 1n;
    yield trailerRecord("91", batch, batches, own, wrong.batchTrailer ?? {});
    file.monetary += batch.monetary;
    file.source += batch.source;
    file.destination += batch.destination;
    file.records += batch.records + 1n;
    file.transactions += batch.transactions + 1n;
    batch = nothing();
  };
  for (const { records, monetary, source, destination } of transactions) {
    yield* records;
    batch.records += BigInt(records.length);
    batch.transactions += 1n;
    if (monetary) batch.monetary += 1n;
    batch.source += source;
    batch.destination += destination;
    if (batchOf !== undefined && batch.transactions >= BigInt(batchOf)) yield* endBatch();
  }
  yield* endBatch();
  if (wrong.trailer !== "missing") yield trailerRecord("92", file, batches, own, wrong.trailer ?? {});
}

function trailerRecord(
  code: string,
  totals: Totals,
  batches: bigint,
  own: bigint,
  said: Partial<Record<keyof typeof trailer, bigint>>,
): string {
  return record([
    [common.code, code],
    [common.qualifier, "0"],
    [common.sequence, "0"],
    [trailer.processor, base2_processor],
    [trailer.date, "26233"],
    [trailer.destinationAmount, said.destinationAmount ?? totals.destination],
    [trailer.monetary, said.monetary ?? totals.monetary],
    [trailer.batches, said.batches ?? batches],
    [trailer.records, said.records ?? totals.records + own],
    [trailer.centerBatchId, code === "91" ? "CB01" : ""],
    [trailer.transactions, said.transactions ?? totals.transactions + own],
    [trailer.sourceAmount, said.sourceAmount ?? totals.source],
  ]);
}

/** Sales, credits and chargebacks, by a seed. */
export function* randomDrafts(seed: number, count: number): Generator<Base2Spec> {
  const random = new SeededRandom(seed);
  for (let index = 0; index < count; index += 1) {
    yield base2Draft({
      code: random.pick(["05", "05", "05", "05", "05", "05", "06", "15", "25"]),
      account: `41111111${random.digits(8)}`,
      arn: `2400000623${(seed % 10_000).toString().padStart(4, "0")}${(index % 1e9).toString().padStart(9, "0")}`,
      source: BigInt(1 + random.below(500_000)),
      transactionId: `3${(seed % 1_000).toString().padStart(3, "0")}${(index % 1e11).toString().padStart(11, "0")}`,
    });
  }
}

import type { Currency } from "../../kernel/currency.js";
import type { Instant } from "../../kernel/instant.js";
import type { RecordKind, RecordPosition, SettlementRecord } from "./settlement-record.js";

/** What every reader of files keeps to, so that no file can take the memory of the process. */
export const limits = {
  /** Messages, rows or entries of one file. */
  records_max: 10_000_000,
  /** Bytes of one row of a CSV, one message, one element's text. */
  record_bytes_max: 64 * 1024,
  fields_max: 512,
  /** Refused rows are kept by name up to here; with more, the whole file is refused. */
  row_faults_max: 1_000,
  /** Checks are kept one by one up to here, then counted. */
  checks_max: 1_000,
  left_out_names_max: 200,
  key_characters_max: 400,
  /** Statements, accounts and series of one file. */
  accounts_max: 10_000,
} as const;

/** How much of a file's beginning `detectFormat` wants to see. */
export const detection_bytes = 16 * 1024;

export type FormatName =
  | "camt.053"
  | "camt.054"
  | "stripe-balance-change"
  | "stripe-payout-reconciliation"
  | "mastercard-ipm"
  | "adyen-settlement-details"
  | "visa-base2"
  | "card-responses";

export const card_schemes = ["mastercard", "visa"] as const;
export type CardScheme = (typeof card_schemes)[number];

/** A kind of settlement file that Weir reads. Pure: no I/O, no clock. */
export interface SettlementFormat {
  readonly name: FormatName;
  readonly title: string;
  /** Whose clearing it is, of a card scheme's own files. */
  readonly scheme?: CardScheme;
  /** Whether a file that begins so is of this format: by content, the name only breaks ties. */
  detect(head: Uint8Array, fileName: string): boolean;
  open(options?: ParseOptions): SettlementParser;
}

export interface ParseOptions {
  /**
   * When the file came. BASE II writes years by their last digit, and its extracts say nothing else of them: they are taken as the last ones
   * before. Left out, as those from 2020 to 2029.
   */
  readonly landedAt?: Instant;
}

/** Reads one file, chunk by chunk, with memory that does not grow with the file. The same bytes give the same records however they are cut. */
export interface SettlementParser {
  /** The records that end within the chunk; give chunks of at most 1 MiB. @throws FileRefused */
  push(chunk: Uint8Array): SettlementRecord[];
  /** What was left, and what the file as a whole says. @throws FileRefused */
  end(): { readonly records: SettlementRecord[]; readonly summary: FileSummary };
}

/** What a whole file says of itself, and whether it agrees. */
export interface FileSummary {
  readonly format: FormatName;
  /** The version or variant that was read: "camt.053.001.08", "1014, EBCDIC". */
  readonly variant: string;
  /** The sender's name for the file, by which a resent one is known; absent where the format has none (Stripe's reports). */
  readonly logicalId?: string;
  /** Numbers that grow by one from file to file of a series: a gap is a missing file. */
  readonly sequences: readonly { readonly series: string; readonly number: bigint }[];
  /** The accounts that the file is for: IBANs, merchant accounts. */
  readonly accounts: readonly string[];
  /** How many records were given; `kinds` and `totals` add up to them. */
  readonly records: number;
  readonly kinds: Readonly<Partial<Record<RecordKind, number>>>;
  /** In the order of the currencies' codes. */
  readonly totals: readonly CurrencyTotal[];
  /** The earliest and latest `at` of the records. */
  readonly from?: Instant;
  readonly to?: Instant;
  /** Hash totals, counts, balances that foot. A file with a failed check is not posted before a person has looked. */
  readonly checks: readonly FileCheck[];
  /** What the file holds that moves no money, by name: "header 1644/697" → 1, "pending entry" → 2. Nothing is left out silently. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** Rows that cannot be read, where the format allows the others to stand. */
  readonly refusedRows: readonly RowFault[];
}

/** Sums in minor units: of each record `gross`, `fee` and `net` count in the currency that they are in; `records` counts by `gross`. */
export interface CurrencyTotal {
  readonly currency: Currency;
  readonly records: number;
  readonly gross: bigint;
  readonly fee: bigint;
  readonly net: bigint;
}

export interface FileCheck {
  /** "statement 12: opening balance + booked entries = closing balance" */
  readonly name: string;
  readonly expected: string;
  readonly found: string;
  readonly ok: boolean;
}

export interface RowFault {
  readonly position: RecordPosition;
  readonly field?: string;
  /** What is wrong. */
  readonly detail: string;
  /** What to do. */
  readonly advice: string;
}

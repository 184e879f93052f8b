import type { Currency } from "../../kernel/currency.js";
import type { Instant } from "../../kernel/instant.js";
import type { Money } from "../../kernel/money.js";
import { FileRefused } from "./file-refused.js";
import {
  limits,
  type CurrencyTotal,
  type FileCheck,
  type FileSummary,
  type FormatName,
  type RowFault,
} from "./settlement-format.js";
import type { RecordKind, SettlementRecord } from "./settlement-record.js";

interface Sums {
  records: number;
  gross: bigint;
  fee: bigint;
  net: bigint;
}

/** Adds up what a parser gives, so that a summary is always the sum of its records. */
export class SummaryBuilder {
  readonly #kinds = new Map<RecordKind, number>();
  readonly #sums = new Map<Currency, Sums>();
  readonly #checks: FileCheck[] = [];
  readonly #leftOut = new Map<string, number>();
  readonly #refusedRows: RowFault[] = [];
  #moreChecks = { passed: 0, failed: 0 };
  #records = 0;
  #from: Instant | undefined;
  #to: Instant | undefined;

  get records(): number {
    return this.#records;
  }

  /** Counts a record and gives it back. @throws FileRefused beyond the limits */
  add(record: SettlementRecord): SettlementRecord {
    this.#records += 1;
    const { record: number, line } = record.position;
    if (this.#records > limits.records_max) throw tooManyRecords();
    if (record.key.length > limits.key_characters_max) {
      throw new FileRefused({
        record: number,
        ...(line === undefined ? {} : { line }),
        detail: `the references that name this record have more than ${limits.key_characters_max} characters`,
        advice: "Ask the sender for a file that keeps to its format",
      });
    }
    this.#kinds.set(record.kind, (this.#kinds.get(record.kind) ?? 0) + 1);
    const sums = this.#sumsOf(record.gross);
    sums.records += 1;
    sums.gross += record.gross.minor;
    if (record.fee !== undefined) this.#sumsOf(record.fee).fee += record.fee.minor;
    if (record.net !== undefined) this.#sumsOf(record.net).net += record.net.minor;
    if (this.#from === undefined || record.at < this.#from) this.#from = record.at;
    if (this.#to === undefined || record.at > this.#to) this.#to = record.at;
    return record;
  }

  /** Counts something that moves no money. */
  leaveOut(name: string): void {
    // Names come from what a format knows, but a damaged file may make up many.
    const known = this.#leftOut.has(name) || this.#leftOut.size < limits.left_out_names_max;
    const counted = known ? name : "other";
    this.#leftOut.set(counted, (this.#leftOut.get(counted) ?? 0) + 1);
  }

  check(name: string, expected: string, found: string, ok = expected === found): void {
    if (this.#checks.length < limits.checks_max) this.#checks.push({ name, expected, found, ok });
    else if (ok) this.#moreChecks.passed += 1;
    else this.#moreChecks.failed += 1;
  }

  /** @throws FileRefused when too many rows were refused before */
  refuseRow(fault: RowFault): void {
    if (this.#refusedRows.length >= limits.row_faults_max) {
      const { line, record } = fault.position;
      throw new FileRefused({
        record,
        ...(line === undefined ? {} : { line }),
        ...(fault.field === undefined ? {} : { field: fault.field }),
        detail: `more than ${limits.row_faults_max} rows cannot be read; this one: ${fault.detail}`,
        advice: fault.advice,
      });
    }
    this.#refusedRows.push(fault);
  }

  build(file: {
    readonly format: FormatName;
    readonly variant: string;
    readonly logicalId?: string | undefined;
    readonly sequences?: FileSummary["sequences"];
    readonly accounts?: readonly string[];
  }): FileSummary {
    const totals: CurrencyTotal[] = [...this.#sums].map(([currency, sums]) => ({ currency, ...sums }));
    const { passed, failed } = this.#moreChecks;
    const checks =
      passed + failed === 0
        ? this.#checks
        : [
            ...this.#checks,
            {
              name: `${passed + failed} further checks`,
              expected: "all passed",
              found: failed === 0 ? "all passed" : `${failed} failed`,
              ok: failed === 0,
            },
          ];
    return {
      format: file.format,
      variant: file.variant,
      ...(file.logicalId === undefined ? {} : { logicalId: file.logicalId }),
      sequences: file.sequences ?? [],
      accounts: file.accounts ?? [],
      records: this.#records,
      kinds: Object.fromEntries(this.#kinds),
      totals: totals.sort((one, other) => (one.currency < other.currency ? -1 : 1)),
      ...(this.#from === undefined ? {} : { from: this.#from }),
      ...(this.#to === undefined ? {} : { to: this.#to }),
      checks,
      leftOut: Object.fromEntries(this.#leftOut),
      refusedRows: this.#refusedRows,
    };
  }

  #sumsOf({ currency }: Money): Sums {
    let sums = this.#sums.get(currency);
    if (sums === undefined) {
      sums = { records: 0, gross: 0n, fee: 0n, net: 0n };
      this.#sums.set(currency, sums);
    }
    return sums;
  }
}

export function tooManyRecords(): FileRefused {
  return new FileRefused({
    detail: `there are more than ${limits.records_max} records`,
    advice: "Ask the sender for several smaller files, such as one a day",
  });
}

import { readCurrency, readMinorUnits } from "../../amount-text.js";
import { CsvColumns } from "../../csv/csv-columns.js";
import { CsvReader, type CsvRow } from "../../csv/csv-reader.js";
import { readDate, readTime } from "../../date-text.js";
import { SummaryBuilder } from "../../file-summary.js";
import { maskCardNumbers } from "../../masked.js";
import type { FileSummary, FormatName, RowFault, SettlementParser } from "../../settlement-format.js";
import type { RecordReferences, SettlementRecord } from "../../settlement-record.js";
import type { Currency } from "../../../../kernel/currency.js";
import type { Instant } from "../../../../kernel/instant.js";
import { formatMoney, type Money } from "../../../../kernel/money.js";
import { meaningOf } from "./reporting-category.js";

/** What the two reports have alike, and what tells them apart. */
export interface StripeReport {
  readonly format: FormatName;
  readonly title: string;
  /** Stripe's name of the report, for advice. */
  readonly reportType: string;
  readonly requiresPayout: boolean;
}

export const balance_change: StripeReport = {
  format: "stripe-balance-change",
  title: "Stripe, balance change from activity, itemized",
  reportType: "balance_change_from_activity.itemized.3",
  requiresPayout: false,
};

export const payout_reconciliation: StripeReport = {
  format: "stripe-payout-reconciliation",
  title: "Stripe, payout reconciliation, itemized",
  reportType: "payout_reconciliation.itemized.5",
  requiresPayout: true,
};

export const required_columns = [
  "balance_transaction_id",
  "currency",
  "gross",
  "fee",
  "net",
  "reporting_category",
];
export const payout_column = "automatic_payout_id";

const text_characters_max = 1_000;

interface Columns {
  readonly all: CsvColumns;
  readonly id: number;
  readonly created: number;
  readonly currency: number;
  readonly gross: number;
  readonly fee: number;
  readonly net: number;
  readonly category: number;
  readonly available: number | undefined;
  readonly source: number | undefined;
  readonly payment: number | undefined;
  readonly description: number | undefined;
  readonly payout: number | undefined;
  readonly facingAmount: number | undefined;
  readonly facingCurrency: number | undefined;
  readonly merchant: number | undefined;
}

/**
 * Reads Stripe's itemized reports: one row, one balance transaction, in decimal major units. The caller of a report chooses its columns.
 * Rows stand on their own, so one that contradicts itself is refused alone; a number or a time that is none shows that the file was
 * edited, and it is refused whole.
 */
export class StripeParser implements SettlementParser {
  readonly #report: StripeReport;
  readonly #reader: CsvReader;
  readonly #summary = new SummaryBuilder();
  readonly #records: SettlementRecord[] = [];
  #columns: Columns | undefined;

  constructor(report: StripeReport) {
    this.#report = report;
    this.#reader = new CsvReader(
      (header) => {
        this.#columns = this.#columnsOf(header);
      },
      (row) => {
        if (this.#columns !== undefined) this.#readRow(row, this.#columns);
      },
    );
  }

  push(chunk: Uint8Array): SettlementRecord[] {
    this.#reader.push(chunk);
    return this.#records.splice(0);
  }

  end(): { records: SettlementRecord[]; summary: FileSummary } {
    this.#reader.end();
    const variant = `${this.#columns?.all.names.length ?? 0} columns`;
    return {
      records: this.#records.splice(0),
      summary: this.#summary.build({ format: this.#report.format, variant }),
    };
  }

  #columnsOf(header: readonly string[]): Columns {
    const { reportType, requiresPayout } = this.#report;
    const created = ["created_utc", "created"];
    const required = [...required_columns, created, ...(requiresPayout ? [payout_column] : [])];
    const all = new CsvColumns(
      header,
      required,
      `Have Stripe make ${reportType} with the columns ${[...required_columns, "created_utc", payout_column].join(", ")}`,
    );
    const index = (name: string) => all.indexOf(name) ?? -1;
    return {
      all,
      id: index("balance_transaction_id"),
      // Without created_utc the time is in the zone that the report was asked for, which it does not name.
      created: all.anyOf(...created) ?? -1,
      currency: index("currency"),
      gross: index("gross"),
      fee: index("fee"),
      net: index("net"),
      category: index("reporting_category"),
      available: all.anyOf("available_on_utc", "available_on"),
      source: all.indexOf("source_id"),
      payment: all.anyOf("payment_intent_id", "charge_id"),
      description: all.indexOf("description"),
      payout: all.indexOf(payout_column),
      facingAmount: all.indexOf("customer_facing_amount"),
      facingCurrency: all.indexOf("customer_facing_currency"),
      merchant: all.anyOf("payment_metadata[weir_attempt]", "payment_metadata[weir_target]"),
    };
  }

  #readRow(row: CsvRow, columns: Columns): void {
    const { all } = columns;
    const id = all.text(row, columns.id);
    const category = all.text(row, columns.category);
    const payout = all.text(row, columns.payout);
    const currency = readCurrency(all.text(row, columns.currency));
    const at = this.#timeOf(row, columns);
    if (!currency.ok)
      return this.#refuseRow(row, columns.currency, currency.error.detail, "Weir has no books in it");
    const gross = all.money(row, columns.gross, currency.value);
    const fee = all.money(row, columns.fee, currency.value);
    const net = all.money(row, columns.net, currency.value);
    if (id === "") {
      return this.#refuseRow(
        row,
        columns.id,
        "the row has no balance transaction",
        "Look the transaction up in Stripe",
      );
    }
    if (gross.minor - fee.minor !== net.minor) {
      return this.#refuseRow(
        row,
        columns.net,
        `gross ${formatMoney(gross)} less fee ${formatMoney(fee)} is not net ${formatMoney(net)}`,
        `Look ${id.slice(0, 60)} up in Stripe and settle the difference by hand`,
      );
    }
    if (payout === "" && this.#report.requiresPayout) {
      return this.#refuseRow(
        row,
        columns.payout ?? -1,
        "the row belongs to no payout",
        "Look it up in Stripe",
      );
    }
    const { kind, reversal } = meaningOf(category);
    const presented = this.#presentedOf(row, columns, gross);
    const available = readDate(all.text(row, columns.available).slice(0, 10));
    this.#records.push(
      this.#summary.add({
        position: { record: row.record, line: row.line },
        // Both reports may hold a transaction; it is the same movement.
        key: `stripe:${id}`,
        kind,
        gross,
        ...(presented === undefined ? {} : { presented }),
        fee,
        net,
        at,
        ...(available === undefined ? {} : { valueDate: available }),
        references: referencesOf(row, columns, kind === "payout", payout),
        ...(reversal === undefined ? {} : { reversal }),
        original: all.original(row, (index, value) =>
          index === columns.description ? maskCardNumbers(value) : value,
        ),
      }),
    );
  }

  #timeOf(row: CsvRow, { all, created }: Columns): Instant {
    const at = readTime(all.text(row, created));
    if (at !== undefined) return at;
    throw all.refuse(row, created, {
      detail: `${JSON.stringify(all.text(row, created).slice(0, 40))} is no time`,
      advice:
        "Import the report as Stripe made it, without opening it in a spreadsheet: times are 2026-01-31 09:30:00",
    });
  }

  /** What the customer paid, where that was in another currency than the balance is. */
  #presentedOf(row: CsvRow, columns: Columns, gross: Money): Money | undefined {
    const { all, facingAmount, facingCurrency } = columns;
    const code = all.text(row, facingCurrency);
    const text = all.text(row, facingAmount);
    if (facingAmount === undefined || facingCurrency === undefined || code === "" || text === "")
      return undefined;
    const currency: Currency = all.value(row, facingCurrency, readCurrency(code));
    if (currency === gross.currency) return undefined;
    const minor = all.value(row, facingAmount, readMinorUnits(text, currency));
    // Its direction is that of the movement.
    const size = minor < 0n ? -minor : minor;
    return { currency, minor: gross.minor < 0n ? -size : size };
  }

  #refuseRow({ record, line }: CsvRow, column: number, detail: string, advice: string): void {
    const field = this.#columns?.all.label(column);
    const fault: RowFault = {
      position: { record, line },
      ...(field === undefined ? {} : { field }),
      detail,
      advice,
    };
    this.#summary.refuseRow(fault);
  }
}

function referencesOf(row: CsvRow, columns: Columns, isPayout: boolean, payout: string): RecordReferences {
  const { all } = columns;
  const references: Record<string, string> = {};
  const set = (name: keyof RecordReferences, value: string) => {
    if (value !== "") references[name] = value;
  };
  const source = all.text(row, columns.source);
  set("provider", source);
  set("payment", all.text(row, columns.payment));
  set("merchant", all.text(row, columns.merchant));
  set("payout", isPayout && source !== "" ? source : payout);
  set("text", maskCardNumbers(all.text(row, columns.description).slice(0, text_characters_max)));
  return references;
}

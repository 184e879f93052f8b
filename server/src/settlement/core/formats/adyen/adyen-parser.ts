import { quoted, readCurrency } from "../../amount-text.js";
import { CsvColumns } from "../../csv/csv-columns.js";
import { CsvReader, type CsvRow } from "../../csv/csv-reader.js";
import { readTime } from "../../date-text.js";
import { SummaryBuilder } from "../../file-summary.js";
import type { FileSummary, SettlementParser } from "../../settlement-format.js";
import type { RecordReferences, SettlementRecord } from "../../settlement-record.js";
import type { Currency } from "../../../../kernel/currency.js";
import { Decimal } from "../../../../kernel/decimal.js";
import { day, type Instant } from "../../../../kernel/instant.js";
import type { LocalDate } from "../../../../kernel/local-date.js";
import { toMoney, type Money } from "../../../../kernel/money.js";
import { BatchTotals } from "./batch-totals.js";
import { meaningOf } from "./journal-type.js";
import { offsetOf } from "./zone-offset.js";

export const required_columns = [
  "Merchant Account",
  "Psp Reference",
  "Creation Date",
  "Type",
  "Modification Reference",
  "Gross Currency",
  "Gross Debit (GC)",
  "Gross Credit (GC)",
  "Net Currency",
  "Net Debit (NC)",
  "Net Credit (NC)",
  "Batch Number",
];

/** The parts of what Adyen takes; reports have the first, or the others. */
const fee_columns = [
  "Commission (NC)",
  "Markup (NC)",
  "Scheme Fees (NC)",
  "Interchange (NC)",
  "DCC Markup (NC)",
];

const as_adyen_made_it =
  "Download the report from Adyen again and import it without opening it in a spreadsheet";

interface Columns {
  readonly all: CsvColumns;
  readonly merchantAccount: number;
  readonly payment: number;
  readonly created: number;
  readonly zone: number | undefined;
  readonly booked: number | undefined;
  readonly bookedZone: number | undefined;
  readonly type: number;
  readonly modification: number;
  readonly merchant: number | undefined;
  readonly modificationMerchant: number | undefined;
  readonly gross: AmountColumns;
  readonly net: AmountColumns;
  readonly fees: readonly number[];
  readonly batch: number;
  readonly arn: number | undefined;
}

interface AmountColumns {
  readonly currency: number;
  readonly debit: number;
  readonly credit: number;
}

/**
 * Reads Adyen's settlement details report: amounts in decimal major units, in a column for debits and one for credits. Columns are found by
 * name; there were 30 in 2016 and 49 in 2025. The rows of a batch and its payout come to zero, so no row can be left out: a row that cannot
 * be read refuses the file.
 */
export class AdyenParser implements SettlementParser {
  readonly #reader: CsvReader;
  readonly #summary = new SummaryBuilder();
  readonly #totals = new BatchTotals();
  readonly #records: SettlementRecord[] = [];
  #columns: Columns | undefined;

  constructor() {
    this.#reader = new CsvReader(
      (header) => {
        this.#columns = columnsOf(header);
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
    this.#totals.check(this.#summary);
    return {
      records: this.#records.splice(0),
      summary: this.#summary.build({
        format: "adyen-settlement-details",
        variant: `${this.#columns?.all.names.length ?? 0} columns`,
        logicalId: this.#totals.logicalId(),
        sequences: this.#totals.sequences(),
        accounts: this.#totals.accounts(),
      }),
    };
  }

  #readRow(row: CsvRow, columns: Columns): void {
    const { all } = columns;
    const account = all.text(row, columns.merchantAccount);
    const type = all.text(row, columns.type);
    const batch = all.text(row, columns.batch);
    if (account === "") throw refuseEmpty(row, columns, columns.merchantAccount);
    if (type === "") throw refuseEmpty(row, columns, columns.type);
    if (!/^\d{1,18}$/.test(batch)) {
      throw all.refuse(row, columns.batch, {
        detail: `${quoted(batch)} is no batch number`,
        advice: as_adyen_made_it,
      });
    }
    const net = amountOf(row, columns, columns.net);
    if (net === undefined) throw refuseEmpty(row, columns, columns.net.credit);
    const gross = amountOf(row, columns, columns.gross) ?? net;
    const fee = this.#feeOf(row, columns, gross, net);
    const settled =
      gross.currency === net.currency ? undefined : { currency: net.currency, minor: net.minor + fee.minor };
    const { kind, reversal } = meaningOf(type);
    this.#totals.add(account, batch, net);
    const booked = dayOf(row, columns);
    this.#records.push(
      this.#summary.add({
        position: { record: row.record, line: row.line },
        key: keyOf(row, columns, net),
        kind,
        gross,
        ...(settled === undefined ? {} : { settled }),
        fee,
        net,
        at: timeOf(row, columns, columns.created, columns.zone),
        ...(booked === undefined ? {} : { valueDate: booked }),
        account,
        references: referencesOf(row, columns, kind === "payout"),
        ...(reversal === undefined ? {} : { reversal }),
        original: all.original(row, (_, value) => value),
      }),
    );
  }

  /** In one currency what lies between gross and net; in two, what the columns of fees say. */
  #feeOf(row: CsvRow, columns: Columns, gross: Money, net: Money): Money {
    const said = toMoney(feesSaid(row, columns), net.currency);
    if (gross.currency !== net.currency) return said;
    const fee = { currency: net.currency, minor: gross.minor - net.minor };
    if (fee.minor !== 0n || said.minor !== 0n) this.#totals.countFees(fee.minor === said.minor);
    return fee;
  }
}

function columnsOf(header: readonly string[]): Columns {
  const all = new CsvColumns(
    header,
    required_columns,
    `Have the settlement details report made with ${required_columns.join(", ")}`,
  );
  const index = (name: string) => all.indexOf(name) ?? -1;
  return {
    all,
    merchantAccount: index("Merchant Account"),
    payment: index("Psp Reference"),
    created: index("Creation Date"),
    zone: all.indexOf("TimeZone"),
    booked: all.indexOf("Booking Date"),
    bookedZone: all.indexOf("Booking Date TimeZone"),
    type: index("Type"),
    modification: index("Modification Reference"),
    merchant: all.indexOf("Merchant Reference"),
    modificationMerchant: all.indexOf("Modification Merchant Reference"),
    gross: {
      currency: index("Gross Currency"),
      debit: index("Gross Debit (GC)"),
      credit: index("Gross Credit (GC)"),
    },
    net: {
      currency: index("Net Currency"),
      debit: index("Net Debit (NC)"),
      credit: index("Net Credit (NC)"),
    },
    fees: fee_columns.map((name) => all.indexOf(name)).filter((column) => column !== undefined),
    batch: index("Batch Number"),
    arn: all.anyOf("ARN", "Acquirer Reference Number", "Acquirer Reference"),
  };
}

/** What was credited less what was debited; undefined where the row has neither. */
function amountOf(row: CsvRow, { all }: Columns, columns: AmountColumns): Money | undefined {
  const code = all.text(row, columns.currency);
  if (all.text(row, columns.debit) === "" && all.text(row, columns.credit) === "") return undefined;
  const currency: Currency = all.value(row, columns.currency, readCurrency(code));
  const debit = all.money(row, columns.debit, currency, true);
  const credit = all.money(row, columns.credit, currency, true);
  if (debit.minor !== 0n && credit.minor !== 0n) {
    throw all.refuse(row, columns.credit, {
      detail: "the row is debited and credited at once",
      advice: as_adyen_made_it,
    });
  }
  return { currency, minor: credit.minor - debit.minor };
}

/** The parts may have more digits than the currency; their sum is what was taken. */
function feesSaid(row: CsvRow, { all, fees }: Columns): Decimal {
  let sum = Decimal.zero;
  for (const column of fees) {
    const text = all.text(row, column);
    if (text === "") continue;
    const part = /^-?\d{1,15}(\.\d{1,12})?$/.test(text) ? Decimal.parse(text) : undefined;
    if (part === undefined) {
      throw all.refuse(row, column, {
        detail: `${quoted(text)} is no amount such as 0.12`,
        advice: as_adyen_made_it,
      });
    }
    sum = sum.plus(part);
  }
  return sum;
}

function timeOf(row: CsvRow, { all }: Columns, column: number, zone: number | undefined): Instant {
  const text = all.text(row, column);
  const local = readTime(text);
  if (local === undefined) {
    throw all.refuse(row, column, {
      detail: `${quoted(text)} is no time such as 2026-01-31 09:30:00`,
      advice: as_adyen_made_it,
    });
  }
  return (local - offsetOf(all.text(row, zone))) as Instant;
}

/** The day of booking, where the report says it. */
function dayOf(row: CsvRow, columns: Columns): LocalDate | undefined {
  const { all, booked } = columns;
  if (booked === undefined || all.text(row, booked) === "") return undefined;
  // The local day: the zone is not applied.
  return Math.floor(timeOf(row, columns, booked, undefined) / day) as LocalDate;
}

/** A reference that a spreadsheet has made a number of: its last digits are gone, and with them what it refers to. */
const mangled = /^\d([.,]\d+)?E\+?\d+$/i;

function referencesOf(row: CsvRow, columns: Columns, isPayout: boolean): RecordReferences {
  const { all } = columns;
  const references: Record<string, string> = {};
  const set = (name: keyof RecordReferences, column: number | undefined) => {
    const value = all.text(row, column);
    if (value !== "") references[name] = value;
  };
  for (const column of [columns.payment, columns.modification, columns.arn]) {
    if (column !== undefined && mangled.test(all.text(row, column))) {
      throw all.refuse(row, column, {
        detail: `${quoted(all.text(row, column))} was a reference before a spreadsheet made a number of it`,
        advice: as_adyen_made_it,
      });
    }
  }
  set("payment", columns.payment);
  set("provider", columns.payment);
  set(isPayout ? "payout" : "provider", columns.modification);
  set("merchant", columns.merchant);
  set("merchant", columns.modificationMerchant);
  set("batch", columns.batch);
  if (/^\d{23}$/.test(all.text(row, columns.arn))) set("arn", columns.arn);
  return references;
}

/** A payment's steps have references of their own; what is booked for the whole batch is told apart by its amount too. */
function keyOf(row: CsvRow, columns: Columns, net: Money): string {
  const { all } = columns;
  const part = (column: number) => all.text(row, column);
  const head = `adyen:${part(columns.merchantAccount)}:${part(columns.batch)}:${part(columns.type)}`;
  const payment = part(columns.payment);
  const modification = part(columns.modification);
  return payment === ""
    ? `${head}:${modification}:${net.minor}${net.currency}`
    : `${head}:${payment}:${modification}`;
}

function refuseEmpty(row: CsvRow, { all }: Columns, column: number) {
  return all.refuse(row, column, { detail: "it is empty, and every row needs it", advice: as_adyen_made_it });
}

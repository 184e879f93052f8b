import { startOf } from "../../date-text.js";
import { maskCardNumbers, masked } from "../../masked.js";
import { readNumericCurrency } from "../../numeric-currency.js";
import type { RecordKind, RecordReferences, SettlementRecord } from "../../settlement-record.js";
import type { LocalDate } from "../../../../kernel/local-date.js";
import type { Money } from "../../../../kernel/money.js";
import { readCcyyddd, readMmdd, readYddd } from "./base2-dates.js";
import type { Base2Transaction } from "./base2-transaction.js";
import { draft, draftAdditional, draftService, fee, settlement, type FieldPlace } from "./record-layout.js";

/** What the file says that its transactions need. */
export interface FileFacts {
  readonly id: string | undefined;
  readonly processor: string | undefined;
  /** The day by which everything in the file had happened. */
  readonly date: LocalDate | undefined;
}

interface Meaning {
  readonly kind: RecordKind;
  /** Whether it is to our credit, as the acquirer's side sees it. */
  readonly credit: boolean;
  readonly reversal?: true;
}

const meanings: Readonly<Record<string, Meaning>> = {
  "05": { kind: "charge", credit: true },
  "06": { kind: "refund", credit: false },
  "07": { kind: "charge", credit: true },
  "15": { kind: "chargeback", credit: false },
  "16": { kind: "chargeback", credit: true },
  "17": { kind: "chargeback", credit: false },
  "25": { kind: "charge", credit: false, reversal: true },
  "26": { kind: "refund", credit: true, reversal: true },
  "27": { kind: "charge", credit: false, reversal: true },
  "35": { kind: "chargeback_reversal", credit: true },
  "36": { kind: "chargeback_reversal", credit: false },
  "37": { kind: "chargeback_reversal", credit: true },
};

// Usage codes of a draft that answers a dispute: 2 second presentment, 9 dispute financial.
const answers = new Set(["2", "9"]);

export const fee_collection = "10";
export const funds_disbursement = "20";

/** Whether a transaction counts among the monetary ones of a trailer. */
export function isMonetary(code: string): boolean {
  return Object.hasOwn(meanings, code) || isFee(code);
}

export function isFee(code: string): boolean {
  return code === fee_collection || code === funds_disbursement;
}

/** Source and destination amount as their digits say, whatever the currency: what trailers add up. */
export function amountsOf(transaction: Base2Transaction): { source: number; destination: number } {
  const places = isFee(transaction.code) ? fee : draft;
  return {
    source: transaction.number(places.sourceAmount),
    destination: transaction.number(places.destinationAmount),
  };
}

/** The record of a sale, credit, cash, of its chargeback or reversal. @throws FileRefused naming the columns that are wrong */
export function draftRecord(transaction: Base2Transaction, file: FileFacts): SettlementRecord {
  const { code } = transaction;
  const known = meanings[code];
  if (known === undefined) throw new RangeError(`${code} is no draft`);
  const usage = transaction.text(draft.usage);
  const answersDispute = (known.kind === "charge" || known.kind === "refund") && answers.has(usage);
  const { kind, credit, reversal }: Meaning = answersDispute
    ? { ...known, kind: "chargeback_reversal" }
    : known;
  const gross = moneyOf(transaction, draft.sourceAmount, draft.sourceCurrency, credit);
  const settled = settledOf(transaction, draft.destinationAmount, draft.destinationCurrency, credit);
  const arn = transaction.text(draft.arn);
  if (!/^\d{23}$/.test(arn)) throw transaction.refuse(draft.arn, "it is not 23 digits");
  const processed = processingDate(transaction, draft.processingDate, file);
  const purchased = readMmdd(
    transaction.text(draft.purchaseDate),
    processed ?? file.date ?? never(transaction),
  );
  if (purchased === undefined) throw transaction.refuse(draft.purchaseDate, "it is no month and day");
  const card = cardOf(transaction, draft.account, draft.accountExtension);
  const amount = `${transaction.text(draft.sourceAmount)}:${transaction.text(draft.sourceCurrency)}`;
  return {
    position: positionOf(transaction),
    key: `visa:${code}:${usage.trim()}:${arn}:${amount}:${transaction.text(draft.reason).trim()}`,
    kind,
    gross,
    ...(settled === undefined || settled.currency === gross.currency ? {} : { settled }),
    at: startOf(purchased),
    ...(processed === undefined ? {} : { valueDate: processed }),
    ...(file.processor === undefined ? {} : { account: file.processor }),
    references: draftReferences(transaction, arn, file),
    ...(reversal === undefined ? {} : { reversal }),
    ...(card === undefined ? {} : { card }),
    original: originalOf(transaction, draft, draft.account),
  };
}

/** A fee that another member collects, or money that it gives: to our debit or credit, unless we are its source. */
export function feeRecord(transaction: Base2Transaction, file: FileFacts): SettlementRecord {
  const { code } = transaction;
  const ours = file.processor !== undefined && transaction.text(fee.source) === file.processor;
  const credit = (code === funds_disbursement) !== ours;
  const gross = moneyOf(transaction, fee.sourceAmount, fee.sourceCurrency, credit);
  const settled = settledOf(transaction, fee.destinationAmount, fee.destinationCurrency, credit);
  const processed = processingDate(transaction, fee.processingDate, file);
  const happened = readMmdd(transaction.text(fee.eventDate), processed ?? file.date ?? never(transaction));
  const card = cardOf(transaction, fee.account, undefined);
  const id = transaction.text(fee.transactionId).trim();
  const parts = [
    fee.destination,
    fee.source,
    fee.reason,
    fee.eventDate,
    fee.sourceAmount,
    fee.sourceCurrency,
  ];
  const named = /^0*$/.test(id) ? parts.map((place) => transaction.text(place).trim()).join(":") : id;
  return {
    position: positionOf(transaction),
    key: `visa:${code}:${named}:${card?.last4 ?? ""}`,
    kind: "fee",
    gross,
    ...(settled === undefined || settled.currency === gross.currency ? {} : { settled }),
    at: startOf(happened ?? processed ?? file.date ?? never(transaction)),
    ...(processed === undefined ? {} : { valueDate: processed }),
    ...(file.processor === undefined ? {} : { account: file.processor }),
    references: {
      text: maskCardNumbers(transaction.text(fee.text).trim()),
      ...(file.id === undefined ? {} : { batch: file.id }),
    },
    ...(card === undefined ? {} : { card }),
    original: originalOf(transaction, fee, fee.account),
  };
}

/** Of the settlement reports the line that is paid out: VSS-110, the total of all business modes. */
export function isNetSettlement(transaction: Base2Transaction): boolean {
  const report = [settlement.reportGroup, settlement.reportSubgroup, settlement.report].map((place) =>
    transaction.text(place),
  );
  return (
    report.join("") === "V2110" &&
    transaction.text(settlement.amountType) === "T" &&
    transaction.text(settlement.businessMode) === "9"
  );
}

/** What Visa moves to or from our bank for a day: out of our account with it, so a net credit is below zero. */
export function settlementRecord(transaction: Base2Transaction, file: FileFacts): SettlementRecord {
  const sign = transaction.text(settlement.netSign).trim();
  if (sign !== "CR" && sign !== "DB" && transaction.number(settlement.netAmount) !== 0) {
    throw transaction.refuse(settlement.netSign, "it is neither CR nor DB");
  }
  const gross = moneyOf(transaction, settlement.netAmount, settlement.currency, sign === "DB");
  const text = transaction.text(settlement.settlementDate);
  const date = readCcyyddd(text);
  if (date === undefined) throw transaction.refuse(settlement.settlementDate, "it is no year and day");
  const paid = readCcyyddd(transaction.text(settlement.fundsTransferDate));
  const entity = transaction.text(settlement.fundsTransfer).trim();
  const service = transaction.text(settlement.service);
  return {
    position: positionOf(transaction),
    key: `visa:46:${entity}:${transaction.text(settlement.reportingFor).trim()}:${service}:${gross.currency}:${text}`,
    kind: "payout",
    gross,
    at: startOf(date),
    valueDate: paid ?? date,
    account: entity,
    references: {
      payout: `${entity} ${service} ${text}`,
      ...(file.id === undefined ? {} : { batch: file.id }),
    },
    original: originalOf(transaction, settlement, undefined),
  };
}

function moneyOf(
  transaction: Base2Transaction,
  amount: FieldPlace,
  currency: FieldPlace,
  credit: boolean,
): Money {
  const minor = BigInt(transaction.number(amount));
  const code = readNumericCurrency(transaction.text(currency));
  if (!code.ok) throw transaction.refuse(currency, code.error.detail, transaction.first, code.error.advice);
  return { currency: code.value, minor: credit ? minor : -minor };
}

/** The destination's side; a file that is on its way to Visa has none yet. */
function settledOf(
  transaction: Base2Transaction,
  amount: FieldPlace,
  currency: FieldPlace,
  credit: boolean,
): Money | undefined {
  const code = transaction.text(currency);
  const empty = /^[0 ]*$/;
  if (empty.test(code) && empty.test(transaction.text(amount))) return undefined;
  return moneyOf(transaction, amount, currency, credit);
}

/** YDDD, which Visa fills in; zeros in a file on its way there. */
function processingDate(
  transaction: Base2Transaction,
  place: FieldPlace,
  file: FileFacts,
): LocalDate | undefined {
  const text = transaction.text(place);
  if (/^[0 ]*$/.test(text)) return undefined;
  const date = readYddd(text, file.date);
  if (date === undefined) throw transaction.refuse(place, "it is no year's last digit and day");
  return date;
}

function never(transaction: Base2Transaction): never {
  throw transaction.refuse(
    draft.processingDate,
    "neither the transaction nor the file has a date with a year",
  );
}

function cardOf(
  transaction: Base2Transaction,
  account: FieldPlace,
  extension: FieldPlace | undefined,
): SettlementRecord["card"] {
  const number = transaction.text(account).trim();
  if (/^0*$/.test(number)) return undefined;
  if (!/^[0-9*X]+$/.test(number)) throw transaction.refuse(account, "it is no account number");
  const more = extension === undefined ? "" : transaction.text(extension).trim();
  const whole = /^[0 ]*$/.test(more) ? number : number + more;
  return { last4: whole.slice(-4), ...(/^\d+$/.test(whole) ? { number: whole } : {}) };
}

function draftReferences(transaction: Base2Transaction, arn: string, file: FileFacts): RecordReferences {
  const id = transaction.text(draftService.transactionId, "5")?.trim();
  const known = id === undefined || /^0*$/.test(id) ? {} : { provider: id, payment: id };
  const purchase = transaction.text(draftAdditional.purchaseId, "1")?.trim() ?? "";
  const ours = /^0*$/.test(purchase) ? {} : { merchant: purchase };
  return { arn, ...known, ...ours, ...(file.id === undefined ? {} : { batch: file.id }) };
}

function positionOf({ first }: Base2Transaction): SettlementRecord["position"] {
  return { record: first.number, byte: first.byte };
}

function originalOf(
  transaction: Base2Transaction,
  places: Readonly<Record<string, FieldPlace>>,
  account: FieldPlace | undefined,
): Record<string, string> {
  const original: Record<string, string> = { "transaction code": transaction.code };
  for (const name in places) {
    const place = places[name];
    if (place === undefined) continue;
    const value = transaction.text(place).trim();
    if (value !== "")
      original[place.name] =
        place === account ? masked(value) : place === fee.text ? maskCardNumbers(value) : value;
  }
  if (places !== draft) return original;
  for (const [place, sequence] of additional) {
    const value = transaction.text(place, sequence)?.trim();
    if (value !== undefined && value !== "") original[place.name] = value;
  }
  return original;
}

const additional = [
  [draftAdditional.merchantId, "1"],
  [draftAdditional.terminalId, "1"],
  [draftAdditional.purchaseId, "1"],
  [draftService.transactionId, "5"],
] as const;

import { readDate, readTime, startOf } from "../../date-text.js";
import type { SummaryBuilder } from "../../file-summary.js";
import { masked } from "../../masked.js";
import type { RecordReferences, SettlementRecord } from "../../settlement-record.js";
import type { Instant } from "../../../../kernel/instant.js";
import type { LocalDate } from "../../../../kernel/local-date.js";
import { formatMoney, type Money } from "../../../../kernel/money.js";
import { moneyOf, signed } from "./camt-amount.js";
import { missing, type Values } from "./elements.js";
import type { MessageKind } from "./message-structure.js";
import type { StatementFacts } from "./statement-facts.js";

/** What banks write where a payer gave no reference. */
const no_reference = /^(NOT ?PROVIDED|NONREF|NOTAVAIL|N\/?A)$/i;
const text_characters_max = 1_000;

interface Transaction {
  readonly values: Values;
  readonly line: number;
}

/** The entry's own facts, known before its transactions. */
interface EntryFacts {
  readonly values: Values;
  readonly money: Money;
  readonly direction: string;
  readonly booked: boolean;
  readonly at: Instant;
  readonly valueDate: LocalDate | undefined;
}

/**
 * Makes one entry into records. With no transaction, or one, the entry is a record. With several, each that has an amount in the
 * entry's currency is a record as soon as the next is seen, so that a million of them need no memory; what is then missing to the entry's
 * amount is a record too, so that the records add up to what the bank booked.
 */
export class EntryReader {
  readonly #kind: MessageKind;
  readonly #statement: StatementFacts;
  readonly #summary: SummaryBuilder;
  readonly #records: SettlementRecord[];
  readonly #line: number;
  #facts: EntryFacts | undefined;
  #number = 0;
  #first: Transaction | undefined;
  #transactions = 0;
  #withAmount = 0;
  #sum = 0n;
  #batch = { transactions: 0, counted: false, sum: 0n, summed: true, id: "" };

  constructor(
    kind: MessageKind,
    statement: StatementFacts,
    summary: SummaryBuilder,
    records: SettlementRecord[],
    line: number,
  ) {
    this.#kind = kind;
    this.#statement = statement;
    this.#summary = summary;
    this.#records = records;
    this.#line = line;
  }

  /** Takes the entry's own fields; asking again changes nothing. @throws FileRefused when one is missing */
  begin(values: Values): void {
    if (this.#facts !== undefined) return;
    const where = `${this.#kind.statement}/Ntry`;
    const money = moneyOf(values, "Amt");
    const direction = values["CdtDbtInd"];
    const status = values["Sts/Cd"] ?? values["Sts"] ?? values["Sts/Prtry"];
    if (money === undefined) throw missing("Amt", where, this.#line);
    if (direction === undefined) throw missing("CdtDbtInd", where, this.#line);
    if (status === undefined) throw missing("Sts", where, this.#line);
    const valueDate = dateOf(values, "ValDt");
    const at = instantOf(values, "BookgDt") ?? instantOf(values, "ValDt") ?? this.#statementTime();
    if (at === undefined) throw missing("BookgDt", where, this.#line);
    const booked = status === "BOOK";
    const amount = signed(money, direction);
    this.#facts = { values, money: amount, direction, booked, at, valueDate };
    this.#statement.countEntry(amount, direction, booked);
    this.#number = this.#statement.entries;
    if (!booked) this.#summary.leaveOut(`entry that is not booked (${status.slice(0, 20)})`);
  }

  setBatch(values: Values): void {
    const announced = values["NbOfTxs"];
    if (announced !== undefined) {
      this.#batch.counted = true;
      this.#batch.transactions += Number(announced);
    }
    const total = moneyOf(values, "TtlAmt");
    if (total?.currency === this.#facts?.money.currency && total !== undefined)
      this.#batch.sum += total.minor;
    else this.#batch.summed = false;
    this.#batch.id ||= values["PmtInfId"] ?? values["MsgId"] ?? "";
  }

  addDetails(values: Values, line: number): void {
    const facts = this.#facts;
    if (facts === undefined || !facts.booked) return;
    this.#transactions += 1;
    const transaction = { values, line };
    if (this.#transactions === 1) {
      this.#first = transaction;
      return;
    }
    if (this.#first !== undefined) this.#giveTransaction(facts, this.#first, 1);
    this.#first = undefined;
    this.#giveTransaction(facts, transaction, this.#transactions);
  }

  end(): void {
    const facts = this.#facts;
    if (facts === undefined || !facts.booked) return;
    const faults: [string, string, string][] = [];
    if (this.#transactions <= 1) {
      const own = this.#first === undefined ? undefined : amountOf(this.#first.values, facts);
      if (own !== undefined && own.minor !== facts.money.minor) {
        faults.push(["its transaction has its amount", formatMoney(facts.money), formatMoney(own)]);
      }
      this.#give(facts, facts.money, this.#first, this.#keyOf(facts, facts.money, this.#first?.values, ""));
    } else {
      const rest = { currency: facts.money.currency, minor: facts.money.minor - this.#sum };
      if (rest.minor !== 0n || this.#withAmount < this.#transactions) {
        const found = formatMoney({ ...rest, minor: this.#sum });
        const counted = `${found} in ${this.#withAmount} of ${this.#transactions} transactions`;
        faults.push(["its transactions add up to it", formatMoney(facts.money), counted]);
      }
      if (rest.minor !== 0n) {
        const part = this.#withAmount === 0 ? "" : "rest";
        this.#give(facts, rest, undefined, this.#keyOf(facts, rest, undefined, part));
      }
    }
    this.#checkBatch(facts, faults);
    if (this.#transactions > 0) this.#statement.countBatched({ entry: this.#number, faults });
  }

  #checkBatch(facts: EntryFacts, faults: [string, string, string][]): void {
    const { counted, transactions, summed, sum, id } = this.#batch;
    if (!counted && id === "") return;
    if (counted && this.#transactions > 0 && transactions !== this.#transactions) {
      faults.push(["Btch/NbOfTxs", transactions.toString(), this.#transactions.toString()]);
    }
    const { currency, minor } = facts.money;
    const size = minor < 0n ? -minor : minor;
    if (summed && this.#transactions > 0 && sum !== 0n && sum !== size) {
      faults.push([
        "Btch/TtlAmt",
        formatMoney({ currency, minor: sum }),
        formatMoney({ currency, minor: size }),
      ]);
    }
  }

  #giveTransaction(facts: EntryFacts, transaction: Transaction, number: number): void {
    const money = amountOf(transaction.values, facts);
    if (money === undefined) return;
    this.#withAmount += 1;
    this.#sum += money.minor;
    this.#give(facts, money, transaction, this.#keyOf(facts, money, transaction.values, number.toString()));
  }

  #give(facts: EntryFacts, gross: Money, transaction: Transaction | undefined, key: string): void {
    const { values } = facts;
    const details = transaction?.values ?? {};
    const credit = gross.minor === 0n ? facts.direction !== "DBIT" : gross.minor > 0n;
    const reversal = values["RvslInd"] === "true" || values["RvslInd"] === "1";
    // What takes back a credit names the same debtor as the credit did.
    const counterparty = counterpartyOf(details, credit !== reversal ? debtor : creditor);
    this.#records.push(
      this.#summary.add({
        position: { record: this.#summary.records + 1, line: transaction?.line ?? this.#line },
        key,
        kind: credit ? "bank_credit" : "bank_debit",
        gross,
        at: facts.at,
        ...(facts.valueDate === undefined ? {} : { valueDate: facts.valueDate }),
        account: this.#statement.account,
        references: this.#referencesOf(values, details),
        ...(counterparty === undefined ? {} : { counterparty }),
        ...(reversal ? { reversal } : {}),
        original: originalOf(values, details),
      }),
    );
  }

  #referencesOf(entry: Values, details: Values): RecordReferences {
    const references: Record<string, string> = {};
    const set = (name: keyof RecordReferences, value: string | undefined) => {
      if (value !== undefined && value !== "" && !no_reference.test(value)) references[name] = value;
    };
    set("provider", details["Refs/AcctSvcrRef"] ?? entry["AcctSvcrRef"]);
    set("endToEnd", details["Refs/EndToEndId"]);
    set("merchant", details["Refs/InstrId"]);
    set("structured", details["RmtInf/Strd/CdtrRefInf/Ref"]);
    set("batch", details["Refs/PmtInfId"] ?? this.#batch.id);
    const text = details["RmtInf/Ustrd"] ?? details["AddtlTxInf"] ?? entry["AddtlNtryInf"];
    set("text", text?.slice(0, text_characters_max));
    return references;
  }

  /**
   * The bank's own reference names the entry, in a statement and in a notification alike, together with its day and amount, since some
   * banks give one reference to several entries. Without one, the entry's place in its statement does.
   */
  #keyOf(facts: EntryFacts, { currency, minor }: Money, details: Values | undefined, part: string): string {
    const { values } = facts;
    const reference = [values["AcctSvcrRef"], details?.["Refs/AcctSvcrRef"]].find(
      (each) => each !== undefined && !no_reference.test(each),
    );
    const day = (values["BookgDt/Dt"] ?? values["BookgDt/DtTm"] ?? "").slice(0, 10);
    const named = reference ?? `${this.#statement.id} ${this.#number}`;
    const kind = reference === undefined ? "place" : "reference";
    const key = `camt:${this.#statement.account}:${kind}:${named}:${day}:${minor}${currency}`;
    return part === "" ? key : `${key}:${part}`;
  }

  #statementTime(): Instant | undefined {
    const created = this.#statement.createdAt;
    return created === undefined ? undefined : readTime(created);
  }
}

/** A transaction's amount, signed, where it has one in the entry's currency. */
function amountOf(details: Values, { money, direction }: EntryFacts): Money | undefined {
  const candidates = [moneyOf(details, "Amt"), moneyOf(details, "AmtDtls/TxAmt/Amt")];
  const own = candidates.find((each) => each?.currency === money.currency);
  return own === undefined ? undefined : signed(own, details["CdtDbtInd"] ?? direction);
}

const fieldsOf = (role: "Dbtr" | "Cdtr") => ({
  names: [`${role}/Pty/Nm`, `${role}/Nm`, `Ultmt${role}/Pty/Nm`, `Ultmt${role}/Nm`].map(
    (path) => `RltdPties/${path}`,
  ),
  iban: `RltdPties/${role}Acct/Id/IBAN`,
});
const debtor = fieldsOf("Dbtr");
const creditor = fieldsOf("Cdtr");

function counterpartyOf(details: Values, { names, iban }: typeof debtor): SettlementRecord["counterparty"] {
  let name: string | undefined;
  for (const field of names) name ??= details[field];
  const account = details[iban]?.replaceAll(" ", "");
  if (name === undefined && account === undefined) return undefined;
  return { ...(name === undefined ? {} : { name }), ...(account === undefined ? {} : { iban: account }) };
}

function dateOf(values: Values, field: string): LocalDate | undefined {
  const text = values[`${field}/Dt`] ?? values[`${field}/DtTm`]?.slice(0, 10);
  return text === undefined ? undefined : readDate(text);
}

/** Of a date, its midnight in UTC. */
function instantOf(values: Values, field: string): Instant | undefined {
  const time = values[`${field}/DtTm`];
  if (time !== undefined) return readTime(time);
  const date = dateOf(values, field);
  return date === undefined ? undefined : startOf(date);
}

/** The names of a transaction's fields among those of its entry, and whether they are masked; there are some thirty. */
const transactionFields = new Map<string, { readonly name: string; readonly isAccount: boolean }>();

function transactionField(field: string): { readonly name: string; readonly isAccount: boolean } {
  let known = transactionFields.get(field);
  if (known === undefined) {
    known = { name: `TxDtls/${field}`, isAccount: field.includes("Acct/Id/") };
    transactionFields.set(field, known);
  }
  return known;
}

function originalOf(entry: Values, details: Values): Record<string, string> {
  const original: Record<string, string> = {};
  for (const field in entry) {
    const value = entry[field];
    if (value !== undefined) original[field] = value;
  }
  for (const field in details) {
    const value = details[field];
    if (value === undefined) continue;
    const { name, isAccount } = transactionField(field);
    original[name] = isAccount ? masked(value) : value;
  }
  return original;
}

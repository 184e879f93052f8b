import { readMinorUnits } from "../../amount-text.js";
import type { SummaryBuilder } from "../../file-summary.js";
import { FileRefused } from "../../file-refused.js";
import type { FileSummary } from "../../settlement-format.js";
import type { Currency } from "../../../../kernel/currency.js";
import { formatMoney, type Money } from "../../../../kernel/money.js";
import { moneyOf, signed } from "./camt-amount.js";
import { missing, type Values } from "./elements.js";
import type { MessageKind } from "./message-structure.js";

// ISO 20022 BalanceType12Code: opening and closing booked, previously closed booked, and interim booked, which pages of a statement have.
const opening_codes = ["OPBD", "PRCD", "ITBD"];
const closing_codes = ["CLBD", "ITBD"];
const balances_max = 1_000;

interface Balance {
  readonly code: string;
  readonly money: Money;
}

/** What one statement or notification says as a whole: its account, its balances, and what its entries come to. */
export class StatementFacts {
  readonly #kind: MessageKind;
  readonly #summary: SummaryBuilder;
  /** The statement's place in the file, from 1. */
  readonly #ordinal: number;
  readonly #balances: Balance[] = [];
  readonly #booked = new Map<Currency, bigint>();
  readonly #credits = { entries: 0, sums: new Map<Currency, bigint>() };
  readonly #debits = { entries: 0, sums: new Map<Currency, bigint>() };
  #values: Values = {};
  #announced: Values | undefined;
  #id = "";
  #account = "";
  #batched = { entries: 0, failed: 0 };

  constructor(kind: MessageKind, summary: SummaryBuilder, ordinal: number) {
    this.#kind = kind;
    this.#summary = summary;
    this.#ordinal = ordinal;
  }

  get id(): string {
    return this.#id;
  }

  /** The IBAN, or what the bank calls the account. */
  get account(): string {
    return this.#account;
  }

  get createdAt(): string | undefined {
    return this.#values["CreDtTm"];
  }

  get entries(): number {
    return this.#credits.entries + this.#debits.entries;
  }

  /** Takes the statement's own fields, which stand before its entries. @throws FileRefused without an id or an account */
  identify(values: Values, line: number): void {
    if (this.#id !== "") return;
    const id = values["Id"];
    const account = values["Acct/Id/IBAN"] ?? values["Acct/Id/Othr/Id"];
    if (id === undefined) throw missing("Id", this.#kind.statement, line);
    if (account === undefined) throw missing("Acct/Id", this.#kind.statement, line);
    this.#values = values;
    this.#id = id;
    this.#account = account.replaceAll(" ", "");
  }

  addBalance(values: Values, line: number): void {
    const code = values["Tp/CdOrPrtry/Cd"] ?? values["Tp/CdOrPrtry/Prtry"];
    const money = moneyOf(values, "Amt");
    const direction = values["CdtDbtInd"];
    if (code === undefined) throw missing("Tp", "Bal", line);
    if (money === undefined) throw missing("Amt", "Bal", line);
    if (direction === undefined) throw missing("CdtDbtInd", "Bal", line);
    if (this.#balances.length >= balances_max) {
      throw new FileRefused({
        line,
        field: `${this.#kind.statement}/Bal`,
        detail: `a statement has more than ${balances_max} balances`,
        advice: "Ask the bank for a statement of booked balances only",
      });
    }
    this.#balances.push({ code, money: signed(money, direction) });
  }

  setSummary(values: Values): void {
    this.#announced = values;
  }

  /** @param money  signed */
  countEntry(money: Money, direction: string, booked: boolean): void {
    const side = direction === "DBIT" ? this.#debits : this.#credits;
    side.entries += 1;
    addTo(side.sums, { currency: money.currency, minor: money.minor < 0n ? -money.minor : money.minor });
    if (booked) addTo(this.#booked, money);
  }

  /** Says whether an entry's transactions add up to it; only those that do not are named one by one. */
  countBatched(detail: {
    readonly entry: number;
    readonly faults: readonly [string, string, string][];
  }): void {
    this.#batched.entries += 1;
    if (detail.faults.length === 0) return;
    this.#batched.failed += 1;
    for (const [what, expected, found] of detail.faults) {
      this.#summary.check(`${this.#name()}, entry ${detail.entry}: ${what}`, expected, found, false);
    }
  }

  close(): void {
    if (this.#kind.hasBalances) this.#checkBalances();
    this.#checkAnnounced();
    const { entries, failed } = this.#batched;
    if (entries > 0 && failed === 0) {
      const all = `${entries} of ${entries}`;
      this.#summary.check(`${this.#name()}: entries whose transactions add up to them`, all, all);
    }
  }

  /** The electronic number, which grows by one from statement to statement; else the legal one, which begins anew every year. */
  sequences(): FileSummary["sequences"] {
    const { ElctrncSeqNb: electronic, LglSeqNb: legal } = this.#values;
    const series = `${this.#kind.format} ${this.#account}`;
    if (electronic !== undefined) return [{ series, number: BigInt(electronic) }];
    if (legal === undefined) return [];
    const year = (this.#values["FrToDt/FrDtTm"] ?? this.createdAt ?? "").slice(0, 4);
    return [{ series: `${series}, legal ${year}`, number: BigInt(legal) }];
  }

  #name(): string {
    return `${this.#kind.statement} ${this.#ordinal} (${this.#id.slice(0, 40)})`;
  }

  /** OPBD + Σ booked = CLBD, in every currency that a balance or an entry is in. */
  #checkBalances(): void {
    const opening = this.#firstOf(opening_codes);
    const closing = this.#lastOf(closing_codes);
    const currencies = new Set<Currency>(this.#booked.keys());
    for (const { money } of [...opening, ...closing]) currencies.add(money.currency);
    if (opening.length === 0 && closing.length === 0) {
      this.#summary.check(this.#balanceCheck(), "an opening and a closing balance", "neither", false);
      return;
    }
    for (const currency of [...currencies].sort()) {
      const before = opening.find(({ money }) => money.currency === currency)?.money;
      const after = closing.find(({ money }) => money.currency === currency)?.money;
      const booked = this.#booked.get(currency) ?? 0n;
      const expected =
        before === undefined
          ? `no opening balance in ${currency}`
          : formatMoney({ currency, minor: before.minor + booked });
      const found = after === undefined ? `no closing balance in ${currency}` : formatMoney(after);
      this.#summary.check(
        this.#balanceCheck(),
        expected,
        found,
        before !== undefined && after !== undefined && before.minor + booked === after.minor,
      );
    }
  }

  #balanceCheck(): string {
    return `${this.#name()}: opening balance and booked entries come to the closing balance`;
  }

  /** Of the first code that has balances, the first of every currency. */
  #firstOf(codes: readonly string[]): Balance[] {
    return this.#ofFirstCode(codes, this.#balances);
  }

  #lastOf(codes: readonly string[]): Balance[] {
    return this.#ofFirstCode(codes, [...this.#balances].reverse());
  }

  #ofFirstCode(codes: readonly string[], balances: readonly Balance[]): Balance[] {
    for (const code of codes) {
      const found = balances.filter((balance) => balance.code === code);
      if (found.length > 0) return found;
    }
    return [];
  }

  /** TxsSummry counts and adds up all entries, also those that are not booked. */
  #checkAnnounced(): void {
    const announced = this.#announced;
    if (announced === undefined) return;
    this.#checkCount("TtlNtries", announced, this.entries);
    this.#checkCount("TtlCdtNtries", announced, this.#credits.entries);
    this.#checkCount("TtlDbtNtries", announced, this.#debits.entries);
    this.#checkSum("TtlCdtNtries", announced, this.#credits.sums);
    this.#checkSum("TtlDbtNtries", announced, this.#debits.sums);
  }

  #checkCount(total: string, announced: Values, found: number): void {
    const expected = announced[`${total}/NbOfNtries`];
    if (expected === undefined) return;
    const ok = BigInt(expected) === BigInt(found);
    this.#summary.check(`${this.#name()}: ${total}/NbOfNtries`, expected, found.toString(), ok);
  }

  /** The sum has no currency, so it says something only where all entries are in one. */
  #checkSum(total: string, announced: Values, sums: ReadonlyMap<Currency, bigint>): void {
    const expected = announced[`${total}/Sum`];
    const [only, ...others] = sums;
    if (expected === undefined || only === undefined || others.length > 0) return;
    const [currency, minor] = only;
    const announcedMinor = readMinorUnits(expected, currency);
    this.#summary.check(
      `${this.#name()}: ${total}/Sum`,
      `${expected} ${currency}`,
      formatMoney({ currency, minor }),
      announcedMinor.ok && announcedMinor.value === minor,
    );
  }
}

function addTo(sums: Map<Currency, bigint>, { currency, minor }: Money): void {
  sums.set(currency, (sums.get(currency) ?? 0n) + minor);
}

import { FileRefused } from "../../file-refused.js";
import { SummaryBuilder } from "../../file-summary.js";
import type { FileSummary, ParseOptions, SettlementParser } from "../../settlement-format.js";
import type { SettlementRecord } from "../../settlement-record.js";
import { day } from "../../../../kernel/instant.js";
import type { LocalDate } from "../../../../kernel/local-date.js";
import { readYyddd } from "./base2-dates.js";
import {
  draftRecord,
  feeRecord,
  isFee,
  isMonetary,
  isNetSettlement,
  settlementRecord,
  type FileFacts,
} from "./base2-record.js";
import { Base2Transaction } from "./base2-transaction.js";
import { ControlTotals } from "./control-totals.js";
import { common, header, textAt, trailer } from "./record-layout.js";
import { TcrFraming, type Tcr } from "./tcr-framing.js";

const header_code = "90";
const batch_trailer_code = "91";
const file_trailer_code = "92";
const settlement_code = "46";

// Visa's answers to what it could not use.
const returned_codes = new Set(["01", "02", "03"]);

/**
 * Reads Visa's BASE II clearing files. A file that begins with its header (90) must end with its trailer (92), every batch with its own
 * (91), and they must agree with what is between. Transactions without a header are an extract: they are read, and the checks say that
 * nobody can tell whether they are all.
 */
export class Base2Parser implements SettlementParser {
  readonly #framing: TcrFraming;
  readonly #summary = new SummaryBuilder();
  readonly #records: SettlementRecord[] = [];
  readonly #landed: LocalDate | undefined;
  #open: Base2Transaction | undefined;
  #state: "start" | "extract" | "file" | "ended" = "start";
  #facts: FileFacts;
  #file = new ControlTotals();
  #batch = new ControlTotals();
  #returned = 0;
  readonly #ids: string[] = [];
  readonly #accounts = new Set<string>();

  constructor({ landedAt }: ParseOptions = {}) {
    this.#landed = landedAt === undefined ? undefined : (Math.floor(landedAt / day) as LocalDate);
    this.#facts = { id: undefined, processor: undefined, date: this.#landed };
    this.#framing = new TcrFraming((record) => this.#read(record));
  }

  push(chunk: Uint8Array): SettlementRecord[] {
    this.#framing.push(chunk);
    return this.#records.splice(0);
  }

  end(): { records: SettlementRecord[]; summary: FileSummary } {
    this.#framing.end();
    this.#closeTransaction();
    if (this.#state === "file") {
      throw new FileRefused({
        field: "92",
        detail: `the file ${this.#facts.id ?? ""} ends without its trailer, transaction code 92`,
        advice: "Fetch the file again: it is cut short",
      });
    }
    if (this.#state === "extract") {
      this.#summary.check(
        "the file is whole: it begins with its header",
        header_code,
        "another transaction",
        false,
      );
    }
    if (this.#returned > 0) {
      this.#summary.check("transactions that Visa returned", "0", this.#returned.toString(), false);
    }
    const [first] = this.#ids;
    const more = this.#ids.length - 1;
    return {
      records: this.#records.splice(0),
      summary: this.#summary.build({
        format: "visa-base2",
        variant: `168 characters, ${this.#framing.separator === "none" ? "no line ends" : this.#framing.separator}`,
        logicalId: first === undefined || more === 0 ? first : `${first} and ${more} more`,
        accounts: [...this.#accounts],
      }),
    };
  }

  #read(record: Tcr): void {
    const code = textAt(record.text, common.code);
    const sequence = textAt(record.text, common.sequence);
    const lines = this.#framing.separator !== "none";
    if (!/^\d\d$/.test(code)) {
      throw new Base2Transaction(record, lines).refuse(common.code, "it is not two digits");
    }
    // The header has no sequence number: its processing BIN begins there.
    if (code === header_code || sequence === "0") {
      this.#closeTransaction();
      this.#open = new Base2Transaction(record, lines);
      return;
    }
    const open = this.#open;
    if (open === undefined || open.code !== code) {
      throw new Base2Transaction(record, lines).refuse(
        common.sequence,
        `TCR ${sequence} of ${code} follows no TCR 0 of it`,
      );
    }
    open.add(record);
  }

  #closeTransaction(): void {
    const transaction = this.#open;
    this.#open = undefined;
    if (transaction === undefined) return;
    switch (transaction.code) {
      case header_code:
        this.#begin(transaction);
        return;
      case batch_trailer_code:
        this.#endBatch(transaction);
        return;
      case file_trailer_code:
        this.#endFile(transaction);
        return;
      default:
        this.#give(transaction);
    }
  }

  #begin(transaction: Base2Transaction): void {
    if (this.#state === "file" || this.#state === "extract") {
      throw transaction.refuse(common.code, "a header stands after transactions, before any file trailer");
    }
    const processor = transaction.text(header.processor);
    const text = transaction.text(header.date);
    const date = readYyddd(text);
    if (date === undefined) throw transaction.refuse(header.date, "it is no year and day");
    const id = `${processor}-${text}-${transaction.text(header.fileId).trim()}`;
    const { test } = header;
    if (transaction.text(test).trim() !== "") {
      this.#summary.check(`file ${id}: ${test.name}`, "", transaction.text(test).trim());
    }
    this.#state = "file";
    this.#facts = { id, processor, date };
    this.#file = new ControlTotals();
    this.#batch = new ControlTotals();
    this.#accounts.add(processor);
    this.#ids.push(id);
    this.#summary.leaveOut("header 90");
  }

  #endBatch(transaction: Base2Transaction): void {
    const name =
      `batch ${transaction.text(trailer.batches).trim()} ${transaction.text(trailer.centerBatchId).trim()}`.trim();
    this.#requireOpen(transaction);
    this.#batch.check(transaction, name, this.#summary);
    this.#file.addBatch(this.#batch);
    this.#batch = new ControlTotals();
    this.#summary.leaveOut("batch trailer 91");
  }

  #endFile(transaction: Base2Transaction): void {
    this.#requireOpen(transaction);
    if (this.#batch.transactions > 0) {
      throw transaction.refuse(
        common.code,
        `${this.#batch.transactions} transactions stand in no batch: a trailer 91 is missing`,
      );
    }
    this.#file.check(transaction, "file", this.#summary);
    this.#summary.leaveOut("file trailer 92");
    if (this.#state === "file") this.#state = "ended";
  }

  #requireOpen(transaction: Base2Transaction): void {
    if (this.#state === "start") this.#state = "extract";
    if (this.#state === "ended") {
      throw transaction.refuse(
        common.code,
        "the transaction follows the file's trailer without a new header",
      );
    }
  }

  #give(transaction: Base2Transaction): void {
    this.#requireOpen(transaction);
    this.#batch.add(transaction);
    const { code } = transaction;
    if (isFee(code)) this.#push(feeRecord(transaction, this.#facts));
    else if (isMonetary(code)) this.#push(draftRecord(transaction, this.#facts));
    else if (code === settlement_code && isNetSettlement(transaction)) {
      this.#push(settlementRecord(transaction, this.#facts));
    } else {
      if (returned_codes.has(code)) this.#returned += 1;
      this.#summary.leaveOut(`transaction ${code}`);
    }
  }

  #push(record: SettlementRecord): void {
    const { record: number } = record.position;
    const position =
      this.#framing.separator === "none" ? record.position : { ...record.position, line: number };
    this.#records.push(this.#summary.add({ ...record, position }));
  }
}

import { FileRefused } from "../../file-refused.js";
import { SummaryBuilder, tooManyRecords } from "../../file-summary.js";
import { limits, type FileSummary, type SettlementParser } from "../../settlement-format.js";
import type { SettlementRecord } from "../../settlement-record.js";
import { IpmMessage } from "./ipm-message.js";
import { isKnownFunction, monetary_types, recordOf, type FileFacts } from "./ipm-record.js";
import { header_function, LogicalFile, trailer_function } from "./logical-file.js";
import { encodingOf, MessageFraming, type TextEncoding } from "./message-framing.js";

const no_file: FileFacts = { id: undefined, institution: undefined, date: undefined };

// Mastercard's answers to what it could not use: 1644/691 a message, 1644/699 a whole file.
const rejections = new Set(["691", "699"]);

/**
 * Reads Mastercard's IPM clearing files. A file that begins with its header must end with its trailer, and both must agree with what is
 * between. Messages without a header are an extract: they are read, and the checks say that nobody can tell whether they are all.
 */
export class IpmParser implements SettlementParser {
  readonly #framing: MessageFraming;
  readonly #summary = new SummaryBuilder();
  readonly #records: SettlementRecord[] = [];
  readonly #ids: string[] = [];
  readonly #accounts = new Set<string>();
  readonly #sequences: FileSummary["sequences"][number][] = [];
  readonly #onMessage: ((message: IpmMessage) => void) | undefined;
  #encoding: TextEncoding | undefined;
  #file: LogicalFile | undefined;
  #extract: string | undefined;
  #unknown = 0;
  #rejected = 0;

  /** @param onMessage  sees every message as it was taken apart, card number and all: for tools, never for storing */
  constructor(onMessage?: (message: IpmMessage) => void) {
    this.#onMessage = onMessage;
    this.#framing = new MessageFraming((bytes, number, byte) => this.#read(bytes, number, byte));
  }

  push(chunk: Uint8Array): SettlementRecord[] {
    this.#framing.push(chunk);
    return this.#records.splice(0);
  }

  end(): { records: SettlementRecord[]; summary: FileSummary } {
    this.#framing.end();
    if (this.#file !== undefined) {
      throw new FileRefused({
        record: this.#framing.messages + 1,
        field: "1644/695",
        detail: `the file ${this.#file.id} ends without its trailer`,
        advice: "Fetch the file again: it is cut short",
      });
    }
    this.#checkWhole();
    const [first] = this.#ids;
    const more = this.#ids.length - 1;
    return {
      records: this.#records.splice(0),
      summary: this.#summary.build({
        format: "mastercard-ipm",
        variant: `${this.#framing.blocked ? "1014 blocks" : "VBS"}, ${this.#encoding ?? "empty"}`,
        logicalId: first === undefined || more === 0 ? first : `${first} and ${more} more`,
        sequences: this.#sequences,
        accounts: [...this.#accounts],
      }),
    };
  }

  #read(bytes: Buffer, number: number, byte: number): void {
    if (number > limits.records_max) throw tooManyRecords();
    this.#encoding ??= encodingOf(bytes) ?? "ASCII";
    const message = IpmMessage.read(bytes, this.#encoding, number, byte);
    this.#onMessage?.(message);
    const kind = `${message.type}/${message.function}`;
    if (kind === `1644/${header_function}`) this.#begin(message);
    else if (kind === `1644/${trailer_function}`) this.#close(message);
    else {
      if (this.#file !== undefined) this.#file.add(message);
      else if (number === 1) this.#extract = kind;
      else if (this.#extract === undefined) {
        throw message.refuse("1644/697", "the message follows a trailer without a new header");
      }
      this.#give(message, kind);
    }
  }

  #begin(header: IpmMessage): void {
    if (this.#file !== undefined)
      throw header.refuse("1644/695", `the file ${this.#file.id} has no trailer before this header`);
    if (this.#extract !== undefined) throw header.refuse("1644/697", "the header stands after messages");
    if (this.#ids.length >= limits.accounts_max) throw tooManyRecords();
    this.#file = new LogicalFile(header);
    this.#summary.leaveOut("header 1644/697");
  }

  #close(trailer: IpmMessage): void {
    if (this.#file === undefined) throw trailer.refuse("1644/697", "the trailer has no header before it");
    this.#file.close(trailer, this.#summary);
    this.#ids.push(this.#file.id);
    this.#accounts.add(this.#file.institution);
    this.#sequences.push(this.#file.sequence);
    this.#file = undefined;
    this.#summary.leaveOut("trailer 1644/695");
  }

  #give(message: IpmMessage, kind: string): void {
    if (monetary_types.has(message.type)) {
      if (!isKnownFunction(message)) this.#unknown += 1;
      this.#records.push(this.#summary.add(recordOf(message, this.#file ?? no_file)));
      return;
    }
    if (message.type !== "1644") this.#unknown += 1;
    else if (rejections.has(message.function)) this.#rejected += 1;
    this.#summary.leaveOut(`message ${kind}`);
  }

  #checkWhole(): void {
    if (this.#extract !== undefined) {
      this.#summary.check("the file is whole: it begins with its header", "1644/697", this.#extract, false);
    }
    if (this.#unknown > 0) {
      this.#summary.check(
        "messages whose type or function is not known",
        "0",
        this.#unknown.toString(),
        false,
      );
    }
    if (this.#rejected > 0) {
      this.#summary.check(
        "messages and files that Mastercard rejected",
        "0",
        this.#rejected.toString(),
        false,
      );
    }
  }
}

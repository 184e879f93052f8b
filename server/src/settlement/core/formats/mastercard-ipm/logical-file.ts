import { digits } from "../../date-text.js";
import type { SummaryBuilder } from "../../file-summary.js";
import type { FileSummary } from "../../settlement-format.js";
import { isCardholderCredit, isReversal, shortDate, type FileFacts } from "./ipm-record.js";
import type { IpmMessage } from "./ipm-message.js";

// PDS0105: type 3, date YYMMDD, processor 11, sequence 5.
const file_id_characters = 25;

/** Header and trailer of a file, by type and function. */
export const header_function = "697";
export const trailer_function = "695";
const reconciliation_function = "685";

const again = "Fetch the file again, and ask the sender when it comes the same";

/**
 * One logical file, from its header to its trailer, and what the two say about the messages between. A physical file may hold several.
 */
export class LogicalFile implements FileFacts {
  readonly id: string;
  readonly institution: string;
  readonly date: FileFacts["date"];
  readonly #first: number;
  /** PDS0122: P for production, T for test. */
  readonly #mode: string | undefined;
  #amounts = 0n;
  #fees = 0n;
  #charged = 0n;
  #refunded = 0n;
  #reconciled: { debits: bigint; credits: bigint } | undefined;

  /** @throws FileRefused when the header has no file id */
  constructor(header: IpmMessage) {
    const id = header.pds(105);
    if (id === undefined) throw header.refuse("PDS0105", "the header has no file id");
    if (id.length !== file_id_characters || !/^\d+$/.test(id)) {
      throw header.refuse("PDS0105", `the file id is not ${file_id_characters} digits`);
    }
    this.id = id;
    this.institution = id.slice(9, 20);
    this.date = shortDate(id.slice(3, 9));
    if (this.date === undefined) throw header.refuse("PDS0105", "the file id has no date");
    this.#mode = header.pds(122);
    this.#first = header.number;
    this.add(header);
  }

  /** Files of one type, processor and day are numbered. */
  get sequence(): FileSummary["sequences"][number] {
    return {
      series: `mastercard ${this.id.slice(0, 20)}`,
      number: BigInt(digits(this.id, 20, file_id_characters)),
    };
  }

  /** Takes a message of the file. @throws FileRefused when its number is not the next one */
  add(message: IpmMessage): void {
    const expected = message.number - this.#first + 1;
    const number = message.element(71);
    if (number === undefined || Number(number) !== expected) {
      throw message.refuse(
        "DE71",
        `the message number is ${number ?? "missing"}, expected ${expected}`,
        again,
      );
    }
    const amount = message.element(4);
    if (amount !== undefined) this.#addAmount(message, BigInt(Number(amount)));
    if (message.type === "1644" && message.function === reconciliation_function)
      this.#addReconciliation(message);
  }

  #addAmount(message: IpmMessage, amount: bigint): void {
    this.#amounts += amount;
    if (message.type === "1740") this.#fees += amount;
    if (message.type !== "1240") return;
    if (isCardholderCredit(message) === isReversal(message)) this.#charged += amount;
    else this.#refunded += amount;
  }

  /** Of the positions of this very file: PDS0380 adds up what was charged, PDS0381 what was given back. */
  #addReconciliation(message: IpmMessage): void {
    if (message.pds(300) !== this.id) return;
    const covered = message.pds(372);
    if (covered !== undefined && !covered.startsWith("1240")) return;
    this.#reconciled ??= { debits: 0n, credits: 0n };
    this.#reconciled.debits += positionOf(message, 380);
    this.#reconciled.credits += positionOf(message, 381);
  }

  /** @throws FileRefused when the trailer contradicts the header or the messages */
  close(trailer: IpmMessage, summary: SummaryBuilder): void {
    this.add(trailer);
    const id = trailer.pds(105);
    if (id !== this.id)
      throw trailer.refuse(
        "PDS0105",
        `the trailer's file id is ${id ?? "missing"}, the header's ${this.id}`,
        again,
      );
    const name = `file ${this.id}`;
    const messages = trailer.number - this.#first + 1;
    const counted = numberOf(trailer, 306);
    if (counted !== BigInt(messages)) {
      throw trailer.refuse(
        "PDS0306",
        `the trailer counts ${counted} messages, the file has ${messages}`,
        again,
      );
    }
    summary.check(`${name}: messages (PDS0306)`, counted.toString(), messages.toString());
    this.#checkAmounts(trailer, summary, name);
    if (this.#mode !== undefined) summary.check(`${name}: processing mode (PDS0122)`, "P", this.#mode);
    if (this.#reconciled !== undefined) {
      const { debits, credits } = this.#reconciled;
      summary.check(
        `${name}: reconciliation, charged (PDS0380)`,
        debits.toString(),
        this.#charged.toString(),
      );
      summary.check(
        `${name}: reconciliation, given back (PDS0381)`,
        credits.toString(),
        this.#refunded.toString(),
      );
    }
  }

  /** The sum of DE4 without regard to currency. Senders differ in whether fee collections belong to it. */
  #checkAmounts(trailer: IpmMessage, summary: SummaryBuilder, name: string): void {
    const expected = numberOf(trailer, 301);
    const withoutFees = this.#amounts - this.#fees;
    if (expected !== this.#amounts && expected !== withoutFees) {
      throw trailer.refuse(
        "PDS0301",
        `the trailer's amount checksum is ${expected}, the messages' amounts come to ${this.#amounts}`,
        again,
      );
    }
    summary.check(`${name}: amount checksum (PDS0301)`, expected.toString(), expected.toString());
  }
}

function numberOf(message: IpmMessage, pds: number): bigint {
  const text = message.pds(pds);
  const name = `PDS${pds.toString().padStart(4, "0")}`;
  if (text === undefined) throw message.refuse(name, "the trailer lacks it");
  if (!/^\d{1,18}$/.test(text)) throw message.refuse(name, "it is no number");
  return BigInt(text);
}

/** C or D, and sixteen digits. */
function positionOf(message: IpmMessage, pds: number): bigint {
  const text = message.pds(pds);
  if (text === undefined) return 0n;
  if (!/^[CD]\d{1,18}$/.test(text))
    throw message.refuse(`PDS${pds.toString().padStart(4, "0")}`, "it is no C or D with an amount");
  return BigInt(text.slice(1));
}

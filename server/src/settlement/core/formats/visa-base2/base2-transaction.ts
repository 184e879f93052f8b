import { digits } from "../../date-text.js";
import { FileRefused } from "../../file-refused.js";
import { common, labelOf, textAt, type FieldPlace } from "./record-layout.js";
import type { Tcr } from "./tcr-framing.js";

const ask_sender = "Ask the sender for a file that keeps to the BASE II format";

/** The records of one transaction: TCR 0 and what follows it. */
export class Base2Transaction {
  /** The transaction code: "05". */
  readonly code: string;
  readonly first: Tcr;
  readonly #lines: boolean;
  readonly #others = new Map<string, Tcr>();

  constructor(first: Tcr, lines: boolean) {
    this.code = textAt(first.text, common.code);
    this.first = first;
    this.#lines = lines;
  }

  /** How many records it has. */
  get records(): number {
    return this.#others.size + 1;
  }

  add(record: Tcr): void {
    const sequence = textAt(record.text, common.sequence);
    if (this.#others.has(sequence))
      throw this.refuse(common.sequence, `there are two TCR ${sequence}`, record);
    this.#others.set(sequence, record);
  }

  /** A field of TCR 0, or of another record; undefined where that is not there. */
  text(place: FieldPlace): string;
  text(place: FieldPlace, sequence: string): string | undefined;
  text(place: FieldPlace, sequence = "0"): string | undefined {
    const record = sequence === "0" ? this.first : this.#others.get(sequence);
    return record === undefined ? undefined : textAt(record.text, place);
  }

  /** A whole number of up to 15 digits. @throws FileRefused when there are other characters */
  number(place: FieldPlace): number {
    const text = this.text(place);
    const value = digits(text, 0, text.length);
    if (Number.isNaN(value)) throw this.refuse(place, "it must be digits");
    return value;
  }

  refuse(place: FieldPlace, detail: string, record = this.first, advice = ask_sender): FileRefused {
    return new FileRefused({
      record: record.number,
      ...(this.#lines ? { line: record.number } : {}),
      field: labelOf(place),
      detail,
      advice,
    });
  }
}

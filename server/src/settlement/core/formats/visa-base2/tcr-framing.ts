import { FileRefused } from "../../file-refused.js";
import { tooManyRecords } from "../../file-summary.js";
import { limits } from "../../settlement-format.js";

/** A transaction component record. */
export const tcr_characters = 168;

/** So much is looked at to tell what stands between records. */
const separator_head_bytes = 2 * tcr_characters;

const newline = 0x0a;
const carriage_return = 0x0d;

const again = "Fetch the file again, in binary mode, and do not edit it";

/** One record as text; `number` counts from 1, `byte` from 0. */
export interface Tcr {
  readonly text: string;
  readonly number: number;
  readonly byte: number;
}

type Separator = "LF" | "CRLF" | "none";

const separator_bytes: Readonly<Record<Separator, number>> = { LF: 1, CRLF: 2, none: 0 };

/** Cuts a file into its records of 168 characters, with a line end between them or none: the first record shows which. */
export class TcrFraming {
  readonly #onRecord: (record: Tcr) => void;
  #separator: Separator | undefined;
  #data: Buffer = Buffer.alloc(0);
  #consumed = 0;
  #records = 0;

  constructor(onRecord: (record: Tcr) => void) {
    this.#onRecord = onRecord;
  }

  get separator(): Separator {
    return this.#separator ?? "none";
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#read(this.#data.length === 0 ? bytes : Buffer.concat([this.#data, bytes]), false);
  }

  /** @throws FileRefused when the file ends within a record, or has none */
  end(): void {
    this.#read(this.#data, true);
    if (this.#data.length > 0) {
      throw this.#refuse(
        `the file ends with ${this.#data.length} of ${tcr_characters} characters of a record`,
      );
    }
    if (this.#records === 0) throw this.#refuse("the file has no records");
  }

  #read(data: Buffer, isLast: boolean): void {
    if (
      this.#separator === undefined &&
      (data.length >= separator_head_bytes || (isLast && data.length > 0))
    ) {
      this.#separator = separatorOf(data);
    }
    let at = 0;
    if (this.#separator !== undefined) {
      const between = separator_bytes[this.#separator];
      while (data.length - at >= tcr_characters + between) {
        this.#requireWhole(data, at, this.#separator);
        this.#give(data, at);
        at += tcr_characters + between;
      }
      // The last line may do without its end.
      if (isLast && between > 0 && data.length - at === tcr_characters) {
        this.#requireWhole(data, at, "none");
        this.#give(data, at);
        at += tcr_characters;
      }
    }
    // A copy: the chunk is the caller's to overwrite.
    this.#data = Buffer.from(data.subarray(at));
    this.#consumed += at;
    if (isLast && this.#data.length > 0 && this.#separator !== undefined)
      this.#requireWhole(this.#data, 0, "none");
  }

  #give(data: Buffer, at: number): void {
    this.#records += 1;
    if (this.#records > limits.records_max) throw tooManyRecords();
    const text = data.toString("latin1", at, at + tcr_characters);
    this.#onRecord({ text, number: this.#records, byte: this.#consumed + at });
  }

  /** No line end within the record, and the right one behind it. */
  #requireWhole(data: Buffer, at: number, separator: Separator): void {
    const end = Math.min(at + tcr_characters, data.length);
    for (let place = at; place < end; place += 1) {
      const byte = data[place] ?? 0;
      if (byte === newline || byte === carriage_return) {
        throw this.#refuse(`the record has ${place - at} characters, ${tcr_characters} are due`);
      }
      if (byte < 0x20) {
        throw this.#refuse(
          `column ${place - at + 1} holds x'${byte.toString(16).padStart(2, "0")}', which is no text`,
        );
      }
    }
    if (separator === "none") return;
    const first = data[at + tcr_characters];
    const ends =
      separator === "LF"
        ? first === newline
        : first === carriage_return && data[at + tcr_characters + 1] === newline;
    if (!ends) throw this.#refuse(`the record has more than ${tcr_characters} characters`);
  }

  #refuse(detail: string): FileRefused {
    const record = this.#records + 1;
    const line = this.#separator === "LF" || this.#separator === "CRLF" ? { line: record } : {};
    return new FileRefused({ record, ...line, detail, advice: again });
  }
}

/** What follows the first record. Of one that is too short or too long, whether there are lines at all. */
function separatorOf(data: Buffer): Separator {
  const end = data.subarray(0, separator_head_bytes).indexOf(newline);
  if (end < 0) return "none";
  return data[end - 1] === carriage_return ? "CRLF" : "LF";
}

import { FileRefused } from "../../file-refused.js";
import { decodeCp500 } from "./cp500.js";
import { data_elements, element_max, pds_elements } from "./data-elements.js";
import { message_bytes_min, type TextEncoding } from "./message-framing.js";

const type_bytes = 4;
const bitmap_bytes = 16;
const tag_characters = 4;
const pds_head_characters = 7;

const keep_to_format = "Ask the sender for a file that keeps to the IPM clearing format";

/** A message of an IPM file, taken apart. Numbers of elements are those of the format: 4 is DE4, 301 is PDS0301. */
export class IpmMessage {
  /** The message type identifier, such as 1240. */
  readonly type: string;
  /** Its place in the file, from 1. */
  readonly number: number;
  readonly byte: number;
  /** The elements that are there, in ascending order. */
  readonly present: readonly number[];
  readonly #elements: readonly (string | undefined)[];
  #subelements: ReadonlyMap<number, string> | undefined;

  private constructor(
    type: string,
    number: number,
    byte: number,
    present: readonly number[],
    elements: readonly (string | undefined)[],
  ) {
    this.type = type;
    this.number = number;
    this.byte = byte;
    this.present = present;
    this.#elements = elements;
  }

  /** @throws FileRefused naming the message and the element that is not as the format has it */
  static read(bytes: Buffer, encoding: TextEncoding, number: number, byte: number): IpmMessage {
    const refuse = (field: string, detail: string) =>
      new FileRefused({ record: number, field, detail, advice: keep_to_format });
    const text = textOf(bytes, message_bytes_min, bytes.length, encoding);
    const type = textOf(bytes, 0, type_bytes, encoding);
    if (!/^1\d{3}$/.test(type))
      throw refuse("MTI", `${JSON.stringify(type)} is no message type in ${encoding}`);
    const bits = bytes.subarray(type_bytes, type_bytes + bitmap_bytes);
    if (((bits[0] ?? 0) & 0x80) === 0) throw refuse("DE1", "the bitmap has no second part");
    const present: number[] = [];
    const elements: (string | undefined)[] = [];
    let at = 0;
    for (let element = 2; element <= element_max; element += 1) {
      if (((bits[(element - 1) >> 3] ?? 0) & (0x80 >> ((element - 1) & 7))) === 0) continue;
      const definition = data_elements[element];
      if (definition === undefined)
        throw refuse(`DE${element}`, "the bitmap names an element that IPM does not have");
      const { name, type: content, prefix } = definition;
      let { length } = definition;
      if (prefix > 0) {
        const given = digitsAt(text, at, prefix);
        if (given === undefined) throw refuse(name, `its length is not ${prefix} digits`);
        if (given > length) throw refuse(name, `its length is ${given}, at most ${length} are allowed`);
        length = given;
        at += prefix;
      }
      if (at + length > text.length) {
        throw refuse(
          name,
          `${length} characters are due, and the message has ${Math.max(0, text.length - at)} left`,
        );
      }
      const value = text.slice(at, at + length);
      if (content === "n" && !isDigits(value)) throw refuse(name, "it must be digits");
      // Some processors hand out files with the middle of card numbers starred.
      if (content === "pan" && !/^[0-9*X]+$/.test(value)) throw refuse(name, "it is no card number");
      present.push(element);
      elements[element] = value;
      at += length;
    }
    if (at < text.length) {
      throw refuse(
        `DE${present.at(-1) ?? 1}`,
        `${text.length - at} characters follow the last element of the bitmap`,
      );
    }
    return new IpmMessage(type, number, byte, present, elements);
  }

  element(number: number): string | undefined {
    return this.#elements[number];
  }

  /** The function code, DE24. */
  get function(): string {
    return this.#elements[24] ?? "";
  }

  /** A private data subelement. @throws FileRefused when those of the message cannot be told apart */
  pds(number: number): string | undefined {
    return this.subelements().get(number);
  }

  subelements(): ReadonlyMap<number, string> {
    this.#subelements ??= this.#readSubelements();
    return this.#subelements;
  }

  refuse(field: string, detail: string, advice = keep_to_format): FileRefused {
    return new FileRefused({ record: this.number, field, detail, advice });
  }

  #readSubelements(): Map<number, string> {
    const found = new Map<number, string>();
    for (const element of pds_elements) {
      const text = this.#elements[element];
      if (text === undefined) continue;
      let at = 0;
      while (at < text.length) {
        const tag = digitsAt(text, at, tag_characters);
        const length = digitsAt(text, at + tag_characters, pds_head_characters - tag_characters);
        if (tag === undefined || length === undefined) {
          throw this.refuse(`DE${element}`, `no tag and length of a PDS stand at its character ${at + 1}`);
        }
        const end = at + pds_head_characters + length;
        if (end > text.length) {
          throw this.refuse(
            `PDS${pad(tag)}`,
            `${length} characters are due, and DE${element} has ${text.length - at - pds_head_characters} left`,
          );
        }
        if (!found.has(tag)) found.set(tag, text.slice(at + pds_head_characters, end));
        at = end;
      }
    }
    return found;
  }
}

/** 301 → "PDS0301" */
export function pdsName(number: number): string {
  return `PDS${pad(number)}`;
}

function pad(tag: number): string {
  return tag.toString().padStart(tag_characters, "0");
}

function textOf(bytes: Buffer, from: number, to: number, encoding: TextEncoding): string {
  return encoding === "ASCII" ? bytes.toString("latin1", from, to) : decodeCp500(bytes.subarray(from, to));
}

function digitsAt(text: string, at: number, count: number): number | undefined {
  if (at + count > text.length) return undefined;
  let value = 0;
  for (let place = at; place < at + count; place += 1) {
    const digit = text.charCodeAt(place) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

function isDigits(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

import { encodeCp500 } from "../../../src/settlement/core/formats/mastercard-ipm/cp500.js";
import { data_elements } from "../../../src/settlement/core/formats/mastercard-ipm/data-elements.js";
import { inChunks } from "./file-chunks.js";
import { SeededRandom } from "./seeded-random.js";

/** A message; its number (DE71) and function (DE24) are written for it. */
export interface IpmMessageSpec {
  readonly type: string;
  readonly function: string;
  readonly elements?: Readonly<Record<number, string>>;
  /** Goes into DE48, and on into DE62, DE123, DE124 and DE125 as it does not fit. */
  readonly pds?: Readonly<Record<number, string>>;
}

export interface IpmFile {
  readonly encoding?: "ASCII" | "EBCDIC";
  readonly blocked?: boolean;
  /** 25 digits: type, date, processor, sequence. */
  readonly fileId?: string;
  readonly messages: Iterable<IpmMessageSpec>;
  /** What a sender does wrong. */
  readonly wrong?: {
    readonly header?: "missing";
    readonly trailer?:
      | "missing"
      | { readonly messages?: bigint; readonly amounts?: bigint; readonly fileId?: string };
    /** Skips a message number before this message, from 1. */
    readonly gapBefore?: number;
    readonly endMark?: "missing";
    readonly mode?: string;
  };
}

export const ipm_file_id = "0022608210000000123400001";
export const ipm_institution = "00000001234";

/** Writes an IPM file with its header and trailer, chunk by chunk. */
export function ipmFile(file: IpmFile): Generator<Uint8Array> {
  const records = framed(messagesOf(file), file.wrong?.endMark !== "missing");
  return inChunks(file.blocked === true ? blocked(records) : records);
}

function* messagesOf({
  fileId = ipm_file_id,
  messages,
  encoding = "ASCII",
  wrong = {},
}: IpmFile): Generator<Uint8Array> {
  let number = 0;
  let written = 0;
  let amounts = 0n;
  const write = (spec: IpmMessageSpec) => {
    number += number + 1 === wrong.gapBefore ? 2 : 1;
    written += 1;
    const amount = spec.elements?.[4];
    // What is no number is the reader's to find.
    if (amount !== undefined && /^\d+$/.test(amount)) amounts += BigInt(amount);
    return ipmMessage(spec, number, encoding);
  };
  if (wrong.header === undefined) {
    yield write({ type: "1644", function: "697", pds: { 105: fileId, 122: wrong.mode ?? "P" } });
  }
  for (const spec of messages) yield write(spec);
  if (wrong.trailer === "missing") return;
  const said = wrong.trailer ?? {};
  yield write({
    type: "1644",
    function: "695",
    pds: {
      105: said.fileId ?? fileId,
      301: (said.amounts ?? amounts).toString().padStart(16, "0"),
      306: (said.messages ?? BigInt(written + 1)).toString().padStart(8, "0"),
    },
  });
}

/** One message: type, bitmap, elements, in the file's encoding. */
export function ipmMessage(spec: IpmMessageSpec, number: number, encoding: "ASCII" | "EBCDIC"): Uint8Array {
  const elements: Record<number, string> = {
    24: spec.function,
    71: number.toString().padStart(8, "0"),
    ...pdsElements(spec.pds ?? {}),
    ...spec.elements,
  };
  const bitmap = Buffer.alloc(16);
  bitmap[0] = 0x80;
  let body = "";
  for (const [text, value] of Object.entries(elements)) {
    const element = Number(text);
    bitmap[(element - 1) >> 3]! |= 0x80 >> ((element - 1) & 7);
    const { prefix } = data_elements[element]!;
    body += prefix === 0 ? value : value.length.toString().padStart(prefix, "0") + value;
  }
  const encode = (value: string) =>
    encoding === "ASCII" ? Buffer.from(value, "latin1") : encodeCp500(value);
  return Buffer.concat([encode(spec.type), bitmap, encode(body)]);
}

function pdsElements(pds: Readonly<Record<number, string>>): Record<number, string> {
  const elements: Record<number, string> = {};
  const places = [48, 62, 123, 124, 125];
  let place = 0;
  for (const [tag, value] of Object.entries(pds)) {
    const subelement = tag.padStart(4, "0") + value.length.toString().padStart(3, "0") + value;
    if ((elements[places[place]!] ?? "").length + subelement.length > 999) place += 1;
    elements[places[place]!] = (elements[places[place]!] ?? "") + subelement;
  }
  return elements;
}

function* framed(messages: Iterable<Uint8Array>, endMark: boolean): Generator<Uint8Array> {
  for (const message of messages) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(message.length);
    yield Buffer.concat([length, message]);
  }
  if (endMark) yield Buffer.alloc(4);
}

const block_data_bytes = 1012;

function* blocked(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let block = Buffer.alloc(0);
  for (const piece of pieces) {
    block = Buffer.concat([block, piece]);
    while (block.length >= block_data_bytes) {
      yield Buffer.concat([block.subarray(0, block_data_bytes), Buffer.alloc(2, 0x40)]);
      block = block.subarray(block_data_bytes);
    }
  }
  yield Buffer.concat([block, Buffer.alloc(block_data_bytes + 2 - block.length, 0x40)]);
}

/** A first presentment of a purchase in US dollars, as the acquirer 00000001234 sends it. */
export function presentment(more: Partial<IpmMessageSpec> = {}): IpmMessageSpec {
  return {
    type: "1240",
    function: "200",
    ...more,
    elements: {
      2: "5555555555554444",
      3: "000000",
      4: "000000012345",
      5: "000000012345",
      9: "61000000",
      12: "260820101112",
      14: "2812",
      22: "910101P10330",
      26: "5734",
      31: "25555556232001234567890",
      33: "012345",
      37: "623210000001",
      38: "A1B2C3",
      41: "TERM0001",
      42: "MERCHANT0000001",
      43: "ACME SAAS\\1 MAIN ST\\LONDON\\EC1A1BB   LNDGBR",
      49: "840",
      50: "840",
      63: " MCC1234560820  ",
      94: ipm_institution,
      ...more.elements,
    },
    pds: { 23: "CT6", 148: "8402", 165: "M", ...more.pds },
  };
}

/** Purchases and refunds, by a seed. */
export function* randomPresentments(seed: number, count: number): Generator<IpmMessageSpec> {
  const random = new SeededRandom(seed);
  for (let index = 0; index < count; index += 1) {
    const amount = (1 + random.below(500_000)).toString().padStart(12, "0");
    const arn = `2555555623${(index % 1e9).toString().padStart(9, "0")}${(seed % 10_000).toString().padStart(4, "0")}`;
    yield presentment({
      elements: {
        2: `55555555${random.digits(8)}`,
        3: random.below(20) === 0 ? "200000" : "000000",
        4: amount,
        5: amount,
        31: arn,
        37: (index % 1e12).toString().padStart(12, "0"),
      },
    });
  }
}

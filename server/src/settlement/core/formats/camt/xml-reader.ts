import { SaxesParser } from "saxes";
import { quoted } from "../../amount-text.js";
import { FileRefused } from "../../file-refused.js";
import { limits } from "../../settlement-format.js";

/** What a file's elements are given to, one after another. Names are without their prefix. */
export interface ElementHandler {
  open(name: string, attributes: Readonly<Record<string, string>>, line: number): void;
  /** @param text what stood between the element's tags, when it held no other element */
  close(text: string, line: number): void;
}

const depth_max = 64;
/** saxes reads code point by code point; smaller slices let the limits bite soon. */
const slice_characters = 16 * 1024;
const declaration_bytes_max = 256;
const encodings = ["utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-16"];

const advice = "Fetch the file again from the bank, and do not edit it";

/**
 * Turns the bytes of an XML file into elements. DTDs are refused, so no entity but XML's own five expands; the size of texts and tags,
 * and the depth of elements, have limits. Elements of other namespaces than the root's are left out with all that is in them.
 */
export class XmlReader {
  readonly #handler: ElementHandler;
  readonly #parser = new SaxesParser({ xmlns: false, position: true });
  #decoder: TextDecoder | undefined;
  #head: Uint8Array = new Uint8Array(0);
  #prefix: string | undefined;
  #depth = 0;
  /** The depth at which a foreign element began. */
  #foreignFrom = 0;
  #text = "";
  /** Characters given to the parser since it last reported something. */
  #unreported = 0;

  constructor(handler: ElementHandler) {
    this.#handler = handler;
    const parser = this.#parser;
    parser.on("opentag", ({ name, attributes, isSelfClosing }) =>
      this.#open(name, attributes, isSelfClosing),
    );
    parser.on("closetag", ({ isSelfClosing }) => {
      if (!isSelfClosing) this.#close();
    });
    parser.on("text", (text) => this.#append(text));
    parser.on("cdata", (text) => this.#append(text));
    parser.on("comment", () => {
      this.#unreported = 0;
    });
    parser.on("doctype", () => {
      throw this.refuse("the file has a document type definition, which no bank statement needs", advice);
    });
    parser.on("error", (error) => {
      throw this.refuse(`the file is no well-formed XML: ${reasonOf(error)}`, advice);
    });
  }

  get line(): number {
    return this.#parser.line;
  }

  push(chunk: Uint8Array): void {
    if (this.#decoder === undefined) {
      this.#head = concatenated(this.#head, chunk);
      if (!hasDeclaration(this.#head)) return;
      this.#start();
      return;
    }
    this.#write(this.#decode(chunk));
  }

  end(): void {
    if (this.#decoder === undefined) this.#start();
    this.#write(this.#decode(undefined));
    this.#parser.close();
  }

  refuse(detail: string, what: string, field?: string): FileRefused {
    return new FileRefused({
      line: this.line,
      ...(field === undefined ? {} : { field }),
      detail,
      advice: what,
    });
  }

  #start(): void {
    const head = this.#head;
    this.#head = new Uint8Array(0);
    const encoding = encodingOf(head);
    if (encoding === undefined) {
      throw this.refuse(
        `the file's encoding is none of ${encodings.join(", ")}`,
        "Ask the bank for the file in UTF-8",
      );
    }
    this.#decoder = new TextDecoder(encoding, { fatal: true });
    this.#write(this.#decode(head));
  }

  #decode(chunk: Uint8Array | undefined): string {
    try {
      const decoder = this.#decoder ?? new TextDecoder();
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      throw this.refuse("there are bytes that are no text in the file's encoding", advice);
    }
  }

  #write(text: string): void {
    for (let at = 0; at < text.length; at += slice_characters) {
      const slice = text.length <= slice_characters ? text : text.slice(at, at + slice_characters);
      this.#unreported += slice.length;
      this.#parser.write(slice);
      if (this.#unreported > limits.record_bytes_max + slice_characters) {
        throw this.refuse(
          `an element or its text has more than ${limits.record_bytes_max} characters`,
          advice,
        );
      }
    }
  }

  #open(name: string, attributes: Readonly<Record<string, string>>, isSelfClosing: boolean): void {
    this.#unreported = 0;
    this.#depth += 1;
    if (this.#depth > depth_max) throw this.refuse(`elements are nested deeper than ${depth_max}`, advice);
    if (this.#foreignFrom === 0) {
      const colon = name.indexOf(":");
      const prefix = colon < 0 ? "" : name.slice(0, colon);
      this.#prefix ??= prefix;
      // Only the root may name the default namespace; an element that names another one belongs to it.
      if (prefix !== this.#prefix || (this.#depth > 1 && attributes["xmlns"] !== undefined)) {
        this.#foreignFrom = this.#depth;
      } else {
        this.#text = "";
        this.#handler.open(colon < 0 ? name : name.slice(colon + 1), attributes, this.line);
      }
    }
    if (isSelfClosing) this.#close();
  }

  #append(text: string): void {
    this.#unreported = 0;
    if (this.#foreignFrom > 0) return;
    this.#text = this.#text === "" ? text : this.#text + text;
    if (this.#text.length > limits.record_bytes_max) {
      throw this.refuse(`a text has more than ${limits.record_bytes_max} characters`, advice);
    }
  }

  #close(): void {
    this.#unreported = 0;
    if (this.#foreignFrom === 0) {
      this.#handler.close(this.#text, this.line);
      this.#text = "";
    } else if (this.#foreignFrom === this.#depth) {
      this.#foreignFrom = 0;
    }
    this.#depth -= 1;
  }
}

/** saxes says "1:17: unclosed tag: Ntry". */
function reasonOf(error: Error): string {
  return quoted(error.message.replace(/^\d+:\d+: /, ""));
}

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** Whether the XML declaration, which names the encoding, is there whole. */
function hasDeclaration(head: Uint8Array): boolean {
  return head.length >= declaration_bytes_max || head.includes(0x3e);
}

function encodingOf(head: Uint8Array): string | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  const start = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, declaration_bytes_max));
  const declared = /^(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']/.exec(
    start.toString("latin1"),
  );
  const name = (declared?.[1] ?? "utf-8").toLowerCase();
  // What claims to be UTF-16 and begins like ASCII is not.
  return encodings.includes(name) && name !== "utf-16" ? name : undefined;
}

import {
  CST,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  type Node,
  type YAMLMap,
} from "yaml";
import { isExactNumber, NumberText, joinPath, type CatalogFault } from "../core/index.js";

/** Where something stands in the text, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A YAML text as plain values: numbers as they were written (NumberText), and where each value stands. */
export interface ParsedYaml {
  readonly value: unknown;
  /** Of a path, or of the nearest thing around it. */
  positionOf(path: string): Position;
  /** Whether something stands at exactly this path. */
  has(path: string): boolean;
  readonly faults: readonly (CatalogFault & Position)[];
}

const depth_max = 30;
const indentation_max = 300;
const aliases_max = 1000;
/** Aliases included: what they stand for is counted each time, so that a few bytes cannot grow into gigabytes. */
const values_max = 150_000;
/** Of the text itself: values, brackets, commas, colons. A catalog of 1 MiB has some 200,000. */
const things_max = 400_000;

/** Parses YAML 1.2 (and so JSON), one document, with every fault of its form. */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  const faults: (CatalogFault & Position)[] = [];
  const walk = new Walk(lines, faults);
  const parsed = (value: unknown): ParsedYaml => ({
    value,
    faults,
    positionOf: (path) => walk.positionOf(path),
    has: (path) => walk.has(path),
  });
  try {
    refuseExcess(text);
    const document = parseDocument(text, {
      lineCounter: lines,
      version: "1.2",
      schema: "core",
      merge: false,
      stringKeys: true,
      // The library compares every key with every other; the walk keeps a set.
      uniqueKeys: false,
      prettyErrors: false,
      // Silent, the library would pass over further documents.
      logLevel: "error",
    });
    for (const { pos, message } of [...document.errors, ...document.warnings])
      faults.push({ field: "", message: message.trim(), ...positionAt(lines, pos[0]) });
    const value = faults.length > 0 ? undefined : walk.read(document.contents, "", 0);
    return parsed(value);
  } catch (error) {
    if (!(error instanceof TooMuch)) throw error;
    // Before the parser has run, it has counted no lines.
    const before = text.slice(0, error.offset).split("\n");
    const at = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    faults.push({ field: "", message: error.message, ...at });
    return parsed(undefined);
  }
}

/** Ends the walk: what comes after cannot be looked at. */
class TooMuch extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Refuses what is nested too deeply, or is too much, before the parser sees it. That descends by recursion, and a stack
 * that overflows inside a regular expression ends the process, not the request (1 MiB of "[": "RegExpCompiler Allocation
 * failed"); and it takes some 10 µs for each thing, faulty or not (1 MiB of quotes: 6.7 s). The lexer does not recurse. A
 * level in flow style opens a bracket; one in block style takes a column, of the indentation or of the line's indicators.
 * @throws TooMuch
 */
function refuseExcess(text: string): void {
  const seen = { offset: 0, flow: 0, indicators: 0, things: 0, aliases: 0 };
  let isContent = false;
  let isLineStart = true;
  for (const lexeme of new Lexer().lex(text)) {
    const type = isContent ? "content" : CST.tokenType(lexeme);
    const isMark: boolean = !isContent && [CST.SCALAR, CST.DOCUMENT, CST.FLOW_END].includes(lexeme);
    if (type === "flow-map-start" || type === "flow-seq-start") seen.flow += 1;
    if (type === "flow-map-end" || type === "flow-seq-end") seen.flow = Math.max(0, seen.flow - 1);
    if (type === "seq-item-ind" || type === "explicit-key-ind" || type === "map-value-ind")
      seen.indicators += seen.flow > 0 ? 0 : 1;
    if (lexeme.includes("\n")) seen.indicators = 0;
    if (type === "alias" || type === "anchor" || type === "tag") seen.aliases += 1;
    if (type !== "space" && type !== "newline" && type !== "comment" && !isMark) seen.things += 1;
    const tooMuch =
      seen.flow > depth_max || seen.indicators > depth_max
        ? `nested more than ${depth_max} deep`
        : isLineStart && type === "space" && lexeme.length > indentation_max
          ? `indented by more than ${indentation_max} columns`
          : seen.aliases > aliases_max
            ? `more than ${aliases_max} aliases, anchors and tags`
            : seen.things > things_max
              ? `more than ${things_max} values and marks`
              : undefined;
    if (tooMuch !== undefined) throw new TooMuch(tooMuch, seen.offset);
    isLineStart = type === "newline";
    isContent = isMark && lexeme === CST.SCALAR;
    if (!isMark) seen.offset += lexeme.length;
  }
}

class Walk {
  readonly #lines: LineCounter;
  readonly #faults: (CatalogFault & Position)[];
  readonly #offsets = new Map<string, number>();
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #values = 0;
  #aliases = 0;

  constructor(lines: LineCounter, faults: (CatalogFault & Position)[]) {
    this.#lines = lines;
    this.#faults = faults;
  }

  has(path: string): boolean {
    return this.#offsets.has(path);
  }

  positionOf(path: string): Position {
    for (let at = path; ; at = at.slice(0, Math.max(at.lastIndexOf("."), at.lastIndexOf("["), 0))) {
      const offset = this.#offsets.get(at);
      if (offset !== undefined) return positionAt(this.#lines, offset);
      if (at === "") return { line: 1, column: 1 };
    }
  }

  read(node: unknown, path: string, depth: number): unknown {
    if (node === null || node === undefined) return undefined;
    const given = node as Node;
    const offset = given.range?.[0] ?? 0;
    if (!this.#offsets.has(path)) this.#offsets.set(path, offset);
    this.#values += 1;
    if (this.#values > values_max)
      throw new TooMuch(`more than ${values_max} values, aliases counted as what they stand for`, offset);
    if (depth > depth_max) throw new TooMuch(`nested more than ${depth_max} deep`, offset);
    if (isAlias(given)) return this.#readAlias(given.source, path, offset, depth);
    if ("anchor" in given && typeof given.anchor === "string") this.#anchors.set(given.anchor, given);
    this.#open.add(given);
    const value = this.#readContent(given, path, depth);
    this.#open.delete(given);
    return value;
  }

  #readAlias(name: string, path: string, offset: number, depth: number): unknown {
    this.#aliases += 1;
    if (this.#aliases > aliases_max) throw new TooMuch(`more than ${aliases_max} aliases`, offset);
    const target = this.#anchors.get(name);
    if (target === undefined || this.#open.has(target)) {
      this.#fault(
        path,
        target === undefined ? `there is no anchor "&${name}" before` : "an alias of itself",
        offset,
      );
      return undefined;
    }
    return this.read(target, path, depth + 1);
  }

  #readContent(node: Node, path: string, depth: number): unknown {
    if (isMap(node)) return this.#readMap(node, path, depth);
    if (isSeq(node)) return node.items.map((item, index) => this.read(item, `${path}[${index}]`, depth + 1));
    if (!isScalar(node)) return undefined;
    if (typeof node.value !== "number" && typeof node.value !== "bigint") return node.value;
    const text = node.source ?? String(node.value);
    if (!isExactNumber(text))
      this.#fault(
        path,
        `${text.slice(0, 60)} has more than 15 digits: quote it, "${text.slice(0, 60)}"`,
        node.range?.[0] ?? 0,
      );
    return new NumberText(text);
  }

  #readMap(map: YAMLMap, path: string, depth: number): unknown {
    const entries = new Map<string, unknown>();
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? String(key.value) : String(key);
      const at = joinPath(path, name);
      const offset = (key as Node | null)?.range?.[0] ?? 0;
      if (entries.has(name)) {
        this.#fault(at, `"${name}" is there twice`, offset);
        continue;
      }
      // A scalar is pointed at itself, anything larger at its name.
      if (!isScalar(value) || value.value === null) this.#offsets.set(at, offset);
      entries.set(name, this.read(value, at, depth + 1));
    }
    return Object.fromEntries(entries);
  }

  #fault(field: string, message: string, offset: number): void {
    this.#faults.push({ field, message, ...positionAt(this.#lines, offset) });
  }
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

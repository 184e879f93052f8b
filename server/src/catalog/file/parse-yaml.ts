import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type YAMLMap } from "yaml";
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
const aliases_max = 1000;
/** Aliases included: what they stand for is counted each time, so that a few bytes cannot grow into gigabytes. */
const values_max = 300_000;

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
    const document = parseDocument(text, {
      lineCounter: lines,
      version: "1.2",
      schema: "core",
      merge: false,
      stringKeys: true,
      // The library compares every key with every other; the walk keeps a set.
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "silent",
    });
    for (const { pos, message } of [...document.errors, ...document.warnings])
      faults.push({ field: "", message: message.trim(), ...positionAt(lines, pos[0]) });
    const value = faults.length > 0 ? undefined : walk.read(document.contents, "", 0);
    return parsed(value);
  } catch (error) {
    // The library descends by recursion.
    if (!(error instanceof RangeError) && !(error instanceof TooMuch)) throw error;
    const message = error instanceof TooMuch ? error.message : `nested more than ${depth_max} deep`;
    const at = error instanceof TooMuch ? positionAt(lines, error.offset) : { line: 1, column: 1 };
    faults.push({ field: "", message, ...at });
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

import { readCurrency, readMoney, type TextFault } from "../../amount-text.js";
import { readDate, readTime } from "../../date-text.js";
import { FileRefused } from "../../file-refused.js";
import { err, ok, type Result } from "../../../../kernel/result.js";

export const keep_to_standard = "Ask the bank for a file that keeps to the standard";

export function missing(field: string, where: string, line: number): FileRefused {
  return new FileRefused({
    line,
    field: `${where}/${field}`,
    detail: `${where} has no ${field}`,
    advice: keep_to_standard,
  });
}

/** What is read of an element, by the path of names below it: { "BookgDt/Dt": "2026-01-31", "Amt@Ccy": "EUR" }. */
export type Values = Record<string, string | undefined>;

export type ScopeName =
  | "message"
  | "header"
  | "statement"
  | "balance"
  | "summary"
  | "entry"
  | "batch"
  | "details";

/** A part of the file that is collected on its own. */
export interface Scope {
  readonly name: ScopeName;
  /** The leaves that are read, by path. */
  readonly fields: Readonly<Record<string, FieldCheck>>;
  /** The elements that may stand directly in it; any where left out. */
  readonly children?: readonly string[];
}

/** Looks at a leaf's text when it ends; `code` is its attribute Ccy. */
export type FieldCheck = (text: string, code: string | undefined) => Result<void, TextFault>;

const fine = ok(undefined);

export const text: FieldCheck = () => fine;
/** A text that is repeated and belongs together. */
export const joined: FieldCheck = () => fine;

export const amount: FieldCheck = (value, code) => {
  if (code === undefined) {
    return err({
      detail: "the amount has no currency",
      advice: "Ask the bank for amounts with their attribute Ccy",
    });
  }
  const money = readMoney(value, code);
  if (!money.ok) return money;
  return money.value.minor < 0n
    ? err({
        detail: "the amount is below zero",
        advice: "Ask the bank for unsigned amounts, with the direction in CdtDbtInd",
      })
    : fine;
};

/** A payment's own amount may be in a currency that has no books here; then it says nothing of the entry. */
export const foreignAmount: FieldCheck = (value, code) =>
  code !== undefined && !readCurrency(code).ok ? fine : amount(value, code);

export function oneOf(...values: readonly string[]): FieldCheck {
  return (value) =>
    values.includes(value)
      ? fine
      : err({
          detail: `${JSON.stringify(value.slice(0, 40))} is none of ${values.join(", ")}`,
          advice: keep_to_standard,
        });
}

const wrongDate = err({
  detail: "this is no date of ISO 8601",
  advice: "Ask the bank for dates such as 2026-01-31, or 2026-01-31T09:30:00+01:00",
});
export const date: FieldCheck = (value) => (readDate(value) === undefined ? wrongDate : fine);
export const time: FieldCheck = (value) => (readTime(value) === undefined ? wrongDate : fine);

export const count: FieldCheck = (value) =>
  /^\d{1,18}$/.test(value) ? fine : err({ detail: "this is no whole number", advice: keep_to_standard });

/** An element on the way to what is read. */
export interface ElementNode {
  readonly name: string;
  readonly children: Map<string, ElementNode>;
  /** The scope that begins here. */
  scope?: Scope;
  /** The field that this element's text is, in the scope around it. */
  field?: string;
  /** Where its attribute Ccy goes; for amounts. */
  codeField?: string;
  check?: FieldCheck;
  /** A direct child of its scope may not come twice; deeper ones, such as several structured references, may. */
  once?: boolean;
}

export function makeNode(name: string): ElementNode {
  return { name, children: new Map() };
}

/** Hangs a scope below an element, with the paths of its fields. */
export function addScope(parent: ElementNode, names: readonly string[], scope: Scope): ElementNode {
  const node = descend(parent, names);
  node.scope = scope;
  for (const [path, check] of Object.entries(scope.fields)) {
    const steps = path.split("/");
    const leaf = descend(node, steps);
    leaf.field = path;
    leaf.check = check;
    if (check === amount || check === foreignAmount) leaf.codeField = `${path}@Ccy`;
    leaf.once = steps.length === 1;
  }
  return node;
}

function descend(from: ElementNode, names: readonly string[]): ElementNode {
  let node = from;
  for (const name of names) {
    let next = node.children.get(name);
    if (next === undefined) {
      next = makeNode(name);
      node.children.set(name, next);
    }
    node = next;
  }
  return node;
}

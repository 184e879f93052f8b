import { XMLParser } from "fast-xml-parser";

/** An element of a parsed document: its children by name, in order, its text and its attributes. */
export interface ParsedXml {
  readonly name: string;
  readonly text: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly ParsedXml[];
}

type Node = Record<string, unknown>;

/** Parses XML as it is: nothing is turned into numbers, no element is left out. @throws Error when it is not well formed */
export function parseXml(xml: string): ParsedXml {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: "",
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
  });
  const nodes = (parser.parse(xml, true) as Node[]).filter((node) => !("?xml" in node));
  const [root] = nodes.flatMap((node) => elementOf(node) ?? []);
  if (root === undefined) throw new Error("there is no element");
  return root;
}

function elementOf(node: Node): ParsedXml | undefined {
  const name = Object.keys(node).find((key) => key !== ":@" && key !== "#text");
  if (name === undefined) return undefined;
  const inner = node[name] as Node[];
  const children = inner.flatMap((each) => elementOf(each) ?? []);
  const text = inner.map((each) => (typeof each["#text"] === "string" ? each["#text"] : "")).join("");
  return {
    name,
    text: children.length > 0 ? "" : text,
    attributes: (node[":@"] ?? {}) as Record<string, string>,
    children,
  };
}

/** All elements at a path of names without their prefixes: "LegalMonetaryTotal/PayableAmount". */
export function elementsAt(of: ParsedXml, path: string): ParsedXml[] {
  return path
    .split("/")
    .reduce<readonly ParsedXml[]>(
      (found, step) =>
        found.flatMap(({ children }) => children.filter(({ name }) => name.replace(/^\w+:/, "") === step)),
      [of],
    )
    .slice();
}

/** The text of the one element at a path; undefined when there is none. @throws Error when there are several */
export function textAt(of: ParsedXml, path: string): string | undefined {
  const found = elementsAt(of, path);
  if (found.length > 1) throw new Error(`there are ${found.length} of ${path}`);
  return found[0]?.text;
}

/** An element of XML: its name, attributes, and either text or elements in it. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly content: string | readonly XmlElement[];
}

/** What may stand where an element is optional: undefined and empty groups are left out. */
export type XmlContent = string | readonly (XmlElement | undefined)[];

/** An element; undefined when its content is, or when none of the elements in it is there. */
export function element(
  name: string,
  content: XmlContent | undefined,
  attributes: Readonly<Record<string, string>> = {},
): XmlElement | undefined {
  if (content === undefined || content === "") return undefined;
  if (typeof content === "string") return { name, attributes, content };
  const elements = content.filter((each) => each !== undefined);
  return elements.length === 0 ? undefined : { name, attributes, content: elements };
}

/** The document in UTF-8, two blanks deeper with each element, so that people can read it. */
export function writeXml(root: XmlElement): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  writeElement(root, "", lines);
  return `${lines.join("\n")}\n`;
}

function writeElement({ name, attributes, content }: XmlElement, indent: string, lines: string[]): void {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`);
  const start = `${indent}<${name}${written.join("")}>`;
  if (typeof content === "string") {
    lines.push(`${start}${escaped(content)}</${name}>`);
    return;
  }
  lines.push(start);
  for (const each of content) writeElement(each, `${indent}  `, lines);
  lines.push(`${indent}</${name}>`);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  // Within an attribute these would be read as blanks.
  "\n": "&#10;",
  "\t": "&#9;",
};

/** Without what XML 1.0 cannot hold: control characters, halves of surrogate pairs, U+FFFE and U+FFFF. */
function escaped(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex
      .replace(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]|\p{Cs}/gu, "")
      .replace(/[&<>"\n\t]/g, (character) => entities[character] ?? character)
  );
}

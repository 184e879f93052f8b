import type { JsonValue } from "../../kernel/json.js";

/** A parsed property path: `$.usage.tokens[0]` is ["usage", "tokens", 0]. */
export type PropertyPath = readonly (string | number)[];

const depth_max = 16;
const length_max = 256;
const step = /\.([A-Za-z_][\w-]*)|\[(\d{1,6})\]|\["((?:[^"\\]|\\.)*)"\]|\['((?:[^'\\]|\\.)*)'\]/y;

/**
 * Parses the JSONPath subset that meters use: `$.name`, `["any name"]` and `[index]`, at most 16 steps.
 * A bare `tokens` means `$.tokens`. Returns undefined when the text is none of that.
 */
export function parsePropertyPath(text: string): PropertyPath | undefined {
  if (text.length === 0 || text.length > length_max) return undefined;
  const rooted = text.startsWith("$") ? text.slice(1) : text.startsWith("[") ? text : `.${text}`;
  const path: (string | number)[] = [];
  step.lastIndex = 0;
  while (step.lastIndex < rooted.length) {
    const match = step.exec(rooted);
    if (match === null || path.length === depth_max) return undefined;
    const [, name, index, doubleQuoted, singleQuoted] = match;
    path.push(index === undefined ? (name ?? unescape(doubleQuoted ?? singleQuoted ?? "")) : Number(index));
  }
  return path.length === 0 ? undefined : path;
}

function unescape(quoted: string): string {
  return quoted.replace(/\\(.)/g, "$1");
}

/** Follows a path through own properties only; undefined when any step is missing. */
export function valueAt(data: JsonValue | undefined, path: PropertyPath): JsonValue | undefined {
  let value: JsonValue | undefined = data;
  for (const key of path) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string | number, JsonValue>>)[key];
  }
  return value;
}

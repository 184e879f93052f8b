export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/**
 * JSON text with keys in code unit order at every level, so that equal values have equal text.
 * @throws RangeError when the value is nested thousands of levels deep
 */
export function canonicalJson(value: JsonValue): string {
  return isSorted(value) ? JSON.stringify(value) : sortedText(value);
}

function isSorted(value: JsonValue): boolean {
  if (value === null || typeof value !== "object") return true;
  if (isList(value)) return value.every(isSorted);
  let last: string | undefined;
  for (const key in value) {
    if (last !== undefined && key < last) return false;
    last = key;
    const item = value[key];
    if (item !== undefined && !isSorted(item)) return false;
  }
  return true;
}

/** Writes the text itself: an object built in order would still list keys such as "10" by number. */
function sortedText(value: JsonValue): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(sortedText).join(",")}]`;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${sortedText(item)}`).join(",")}}`;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

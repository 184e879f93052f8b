export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** JSON text with keys in code unit order at every level, so that equal values have equal text. */
export function canonicalJson(value: JsonValue): string {
  return isSorted(value) ? JSON.stringify(value) : JSON.stringify(sorted(value));
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

function sorted(value: JsonValue): JsonValue {
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

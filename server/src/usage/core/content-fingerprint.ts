import type { JsonValue } from "../../kernel/json.js";

/** How deep an event's data may nest. Deeper data is refused: it could not be walked or written back safely. */
export const data_depth_max = 64;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

// Two lanes of a multiplicative hash make 64 bits. It tells honest mistakes apart and need not resist an attacker:
// whoever makes two contents collide only has their own conflict reported as a duplicate.
let low = 0;
let high = 0;

function mix(word: number): void {
  low = Math.imul(low ^ word, 0x01000193);
  low ^= low >>> 15;
  high = Math.imul(high + word, 0x85ebca6b);
  high ^= high >>> 13;
}

function mixText(text: string): void {
  const { length } = text;
  mix(length);
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high + code, 0x85ebca6b) ^ (high >>> 17);
  }
}

/** @returns false when the value nests too deeply */
function mixValue(value: JsonValue | undefined, depth: number): boolean {
  switch (typeof value) {
    case "string":
      mix(1);
      mixText(value);
      return true;
    case "number":
      mix(2);
      float[0] = value === 0 ? 0 : value;
      mix(words[0] ?? 0);
      mix(words[1] ?? 0);
      return true;
    case "boolean":
      mix(value ? 3 : 4);
      return true;
    case "undefined":
      mix(5);
      return true;
    case "object":
      return mixContainer(value, depth);
    case "bigint":
    case "function":
    case "symbol":
      return value satisfies never;
  }
}

function mixContainer(value: Exclude<JsonValue, string | number | boolean>, depth: number): boolean {
  if (value === null) {
    mix(6);
    return true;
  }
  if (depth >= data_depth_max) return false;
  if (isList(value)) {
    mix(7);
    mix(value.length);
    for (const item of value) if (!mixValue(item, depth + 1)) return false;
    return true;
  }
  // Members are hashed each from the same start and added up, so that their order does not matter.
  const lowBefore = low;
  const highBefore = high;
  let lowSum = 0;
  let highSum = 0;
  let members = 0;
  for (const key in value) {
    low = 0x811c9dc5 | 0;
    high = 0x27d4eb2f;
    mixText(key);
    if (!mixValue(value[key], depth + 1)) return false;
    mix(8);
    lowSum = (lowSum + low) | 0;
    highSum = (highSum + high) | 0;
    members += 1;
  }
  low = lowBefore;
  high = highBefore;
  mix(9);
  mix(members);
  mix(lowSum);
  mix(highSum);
  return true;
}

/**
 * What must be equal for two events of one identity to be the same: type, subject and data (its keys in any
 * order), not the time. 8 latin1 characters; undefined when the data nests deeper than 64 levels.
 */
export function contentFingerprint(
  type: string,
  subject: string,
  data: JsonValue | undefined,
): string | undefined {
  low = 0x811c9dc5 | 0;
  high = 0x9e3779b9 | 0;
  mixText(type);
  mixText(subject);
  if (!mixValue(data === null ? undefined : data, 0)) return undefined;
  mix(10);
  mix(11);
  const l = low;
  const h = high;
  return String.fromCharCode(
    l & 255,
    (l >>> 8) & 255,
    (l >>> 16) & 255,
    l >>> 24,
    h & 255,
    (h >>> 8) & 255,
    (h >>> 16) & 255,
    h >>> 24,
  );
}

function isList(value: Exclude<JsonValue, string | number | boolean | null>): value is readonly JsonValue[] {
  return Array.isArray(value);
}

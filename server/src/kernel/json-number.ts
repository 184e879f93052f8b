/** A number in JSON text that a double cannot hold exactly. */
export interface UnsafeNumber {
  readonly token: string;
  /** Offset in the text, in UTF-16 code units. */
  readonly offset: number;
}

const significant_digits_max = 15;
// Without 16 digits in a row (a point allowed) or a three-digit exponent nothing can be unsafe; both are rare.
const suspect = /\d[\d.]{15}|[eE][+-]?\d{3}/;
const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/**
 * Finds the first number token, outside strings, with more than 15 significant digits or an exponent of three or
 * more digits. JSON.parse would round the one and turn the other into Infinity or 0 without a word.
 */
export function findUnsafeNumber(text: string): UnsafeNumber | undefined {
  if (!suspect.test(text)) return undefined;
  token.lastIndex = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [found] = match;
    if (found.startsWith('"')) continue;
    if (isUnsafe(found)) return { token: found, offset: match.index };
  }
  return undefined;
}

function isUnsafe(number: string): boolean {
  const [mantissa = "", exponent = ""] = number.split(/[eE]/);
  if (exponent.replace(/^[+-]?0*/, "").length > 2) return true;
  const digits = mantissa.replace(/[-.]/g, "").replace(/^0+/, "");
  const significant = mantissa.includes(".") ? digits : digits.replace(/0+$/, "");
  return significant.length > significant_digits_max;
}

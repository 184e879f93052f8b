/**
 * A text in the characters that every bank of SEPA takes (EPC230-15): letters without marks, digits, and / - ? : ( ) . , ' + and
 * blanks. What has no such letter becomes a full stop, so that nothing is silently shortened.
 */
export function sepaText(text: string, characters_max: number): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/ß/g, "ss")
    .replace(/\s+/g, " ")
    .replace(/[^A-Za-z0-9/\-?:().,'+ ]/gu, ".")
    .trim()
    .slice(0, characters_max)
    .trim();
}

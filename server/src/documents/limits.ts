/** What is printed at most; what is left out is counted and added up, so that the sums still add up. */
export const documentLimits = { lines: 2_000, detailsOfLine: 50, notes: 20, textLength: 500 } as const;

/** One line without control characters, at most 500 characters. */
export function short(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]+/gu, " ").trim();
  if (clean.length <= documentLimits.textLength) return clean;
  // By code points, so that no character is cut in two.
  const characters = Array.from(clean.slice(0, 2 * documentLimits.textLength + 2));
  if (characters.length <= documentLimits.textLength) return characters.join("");
  return `${characters.slice(0, documentLimits.textLength - 1).join("")}…`;
}

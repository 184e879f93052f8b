const shown_characters = 4;

/** "****4444": what is kept of a card or account number wherever it rests. */
export function masked(number: string): string {
  return number.length <= shown_characters ? "****" : `****${number.slice(-shown_characters)}`;
}

const shown_characters = 4;

/** "****4444": what is kept of a card or account number wherever it rests. */
export function masked(number: string): string {
  return number.length <= shown_characters ? "****" : `****${number.slice(-shown_characters)}`;
}

const possible_card_number = /(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)/g;

/** Masks what could be card numbers in text that people write: 13 to 19 digits with the right check digit (ISO/IEC 7812-1). */
export function maskCardNumbers(text: string): string {
  if (!/\d/.test(text)) return text;
  return text.replace(possible_card_number, (found) => {
    const number = found.replace(/[ -]/g, "");
    return hasCheckDigit(number) ? masked(number) : found;
  });
}

/** The Luhn check. */
function hasCheckDigit(number: string): boolean {
  let sum = 0;
  for (let place = 0; place < number.length; place += 1) {
    const digit = number.charCodeAt(number.length - 1 - place) - 0x30;
    const weighed = place % 2 === 0 ? digit : digit * 2;
    sum += weighed > 9 ? weighed - 9 : weighed;
  }
  return sum % 10 === 0;
}

const token_length_max = 64;

/**
 * Why a text is no token of an acquirer's vault; undefined when it may be one. What could be a card's number is never taken: it has
 * 12 to 19 digits, whatever stands between them, and the check digit of ISO/IEC 7812 fits.
 */
export function tokenFault(text: string): string | undefined {
  if (looksLikeCardNumber(text))
    return "it looks like a card's number: store the card in the acquirer's vault, and give the token that the vault makes of it";
  if (!/^[A-Za-z0-9][A-Za-z0-9_.:/+=-]*$/.test(text) || text.length > token_length_max)
    return `a token has 1 to ${token_length_max} letters, digits and _ . : / + = -, and begins with a letter or digit`;
  return undefined;
}

const possible_card_number = /(?<!\d)\d(?:[ .-]?\d){11,18}(?!\d)/g;

/** A text that people wrote, with what could be cards' numbers masked but for their last four digits. */
export function withoutCardNumbers(text: string): string {
  return text.replace(possible_card_number, (found) =>
    looksLikeCardNumber(found) ? `****${found.replace(/\D/g, "").slice(-4)}` : found,
  );
}

function looksLikeCardNumber(text: string): boolean {
  const digits = text.replace(/[ .:/_-]/g, "");
  return /^\d{12,19}$/.test(digits) && isLuhn(digits);
}

/** ISO/IEC 7812-1, annex B. */
function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index]);
    const weighed = index % 2 === 0 ? digit : digit * 2;
    sum += weighed > 9 ? weighed - 9 : weighed;
  }
  return sum % 10 === 0;
}

/**
 * An IBAN in its electronic form (upper case, no blanks), or undefined when the text is none: 2 letters, 2 check digits,
 * 11 to 30 letters and digits, and the remainder of ISO 7064 (mod 97) is 1.
 */
export function parseIban(text: string): string | undefined {
  const iban = text.replace(/\s/g, "").toUpperCase();
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(iban)) return undefined;
  // A letter counts as two digits, A as 10; the first four characters come last.
  const digits = `${iban.slice(4)}${iban.slice(0, 4)}`.replace(/[A-Z]/g, (letter) =>
    String(letter.charCodeAt(0) - 55),
  );
  return BigInt(digits) % 97n === 1n ? iban : undefined;
}

/** In groups of four, as it is printed. */
export function printIban(iban: string): string {
  return iban.replace(/(.{4})(?=.)/g, "$1 ");
}

/** A BIC (ISO 9362) in upper case: 8 or 11 characters. */
export function parseBic(text: string): string | undefined {
  const bic = text.replace(/\s/g, "").toUpperCase();
  return /^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$/.test(bic) ? bic : undefined;
}

/*
 * Structured creditor references, ISO 11649: RF, two check digits (ISO 7064, mod 97-10, as of an IBAN), and up to 21 letters and
 * digits, here an invoice's number without its punctuation.
 */

const text_length_max = 21;

/** The reference that a payer gives for an invoice; undefined when its number is too long for one. */
export function creditorReferenceOf(invoiceNumber: string): string | undefined {
  const text = plain(invoiceNumber);
  if (text.length === 0 || text.length > text_length_max) return undefined;
  const check = 98n - remainderOf(`${text}RF00`);
  return `RF${check.toString().padStart(2, "0")}${text}`;
}

/** The invoice's number without its punctuation, or undefined for what is no reference or has wrong check digits. */
export function readCreditorReference(reference: string): string | undefined {
  const match = /^RF(\d{2})([A-Z0-9]{1,21})$/.exec(reference.replace(/ /g, "").toUpperCase());
  const [, check, text] = match ?? [];
  if (check === undefined || text === undefined) return undefined;
  return remainderOf(`${text}RF${check}`) === 1n ? text : undefined;
}

/** How two numbers are compared: letters and digits only. */
export function plain(invoiceNumber: string): string {
  return invoiceNumber.toUpperCase().replace(/[^A-Z0-9]/g, "");
}

/** Letters count as 10 to 35. */
function remainderOf(text: string): bigint {
  const digits = text.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return BigInt(digits) % 97n;
}

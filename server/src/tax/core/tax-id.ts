/**
 * What tax ids look like, by country (ISO 3166-1; Greece's begin with EL). VAT numbers of the EU as in the Commission's
 * VIES FAQ, "VAT number structure"; the others as their tax offices describe them. Only the shape is checked: whether a
 * number is in use, only the office can say (VIES, HMRC, UID register, ABN Lookup).
 */
const shapes: Readonly<Record<string, RegExp>> = {
  AT: /^ATU\d{8}$/,
  BE: /^BE[01]\d{9}$/,
  BG: /^BG\d{9,10}$/,
  CY: /^CY\d{8}[A-Z]$/,
  CZ: /^CZ\d{8,10}$/,
  DE: /^DE\d{9}$/,
  DK: /^DK\d{8}$/,
  EE: /^EE\d{9}$/,
  ES: /^ES(?=.*\d)[A-Z0-9]\d{7}[A-Z0-9]$/,
  FI: /^FI\d{8}$/,
  FR: /^FR[A-HJ-NP-Z0-9]{2}\d{9}$/,
  GR: /^EL\d{9}$/,
  HR: /^HR\d{11}$/,
  HU: /^HU\d{8}$/,
  IE: /^IE(\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W])$/,
  IT: /^IT\d{11}$/,
  LT: /^LT(\d{9}|\d{12})$/,
  LU: /^LU\d{8}$/,
  LV: /^LV\d{11}$/,
  MT: /^MT\d{8}$/,
  NL: /^NL\d{9}B\d{2}$/,
  PL: /^PL\d{10}$/,
  PT: /^PT\d{9}$/,
  RO: /^RO\d{2,10}$/,
  SE: /^SE\d{10}01$/,
  SI: /^SI\d{8}$/,
  SK: /^SK\d{10}$/,
  AU: /^\d{11}$/, // ABN
  CA: /^\d{9}(RT\d{4})?$/, // business number, with its GST/HST account
  CH: /^CHE\d{9}(MWST|TVA|IVA)?$/,
  GB: /^(GB)?(\d{9}|\d{12}|GD\d{3}|HA\d{3})$/,
  IN: /^\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]$/, // GSTIN
  JP: /^T\d{13}$/,
  NO: /^(NO)?\d{9}(MVA)?$/,
  NZ: /^\d{8,9}$/, // IRD number
  SG: /^([A-Z0-9]{8,9}[A-Z]|M\d{8}[A-Z0-9])$/, // UEN or GST number
};

const examples: Readonly<Record<string, string>> = {
  AT: "ATU12345678",
  BE: "BE0123456789",
  CH: "CHE-123.456.789 MWST",
  DE: "DE123456789",
  ES: "ESX1234567X",
  FR: "FRXX123456789",
  GB: "GB123456789",
  GR: "EL123456789",
  IE: "IE1234567X",
  NL: "NL123456789B01",
  SE: "SE123456789001",
};

/** Member states as of 2026. Northern Ireland (XI) belongs to the United Kingdom for services. */
const memberStates = new Set(
  "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split(" "),
);

export function isInEuropeanUnion(country: string): boolean {
  return memberStates.has(country);
}

/** Upper case, without blanks, dots and hyphens. */
export function normalizeTaxId(text: string): string {
  return text.toUpperCase().replace(/[\s.\-/]/g, "");
}

/**
 * The tax id as it is stored, or what is wrong with it. In a country whose shape is not known here, 2 to 32 letters
 * and digits will do.
 */
export function checkTaxId(
  country: string | undefined,
  text: string,
): { readonly ok: true; readonly value: string } | { readonly ok: false; readonly fault: string } {
  const value = normalizeTaxId(text);
  const shape = country === undefined ? undefined : shapes[country];
  if ((shape ?? /^[A-Z0-9+*]{2,32}$/).test(value)) return { ok: true, value };
  if (country === undefined || shape === undefined) {
    return { ok: false, fault: `"${text.slice(0, 64)}" is not 2 to 32 letters and digits` };
  }
  const example = examples[country];
  const like = example === undefined ? "" : `, which look like ${example}`;
  return { ok: false, fault: `"${text.slice(0, 64)}" has not the shape of tax ids of ${country}${like}` };
}

import type { EInvoice, EInvoiceParty } from "./e-invoice.js";
import type { RuleFaults } from "./rule-fault.js";

interface IdentifierRule {
  readonly rule: string;
  readonly what: string;
  readonly isValid: (value: string) => boolean;
}

/** What Peppol checks of identifiers, by their scheme of ISO 6523: their length, and digits that check the others. */
const rules: Readonly<Record<string, IdentifierRule>> = {
  "0007": {
    rule: "PEPPOL-COMMON-R049",
    what: "a Swedish organization number: 10 digits",
    isValid: (value) => /^\d{10}$/.test(value) && isLuhn(value),
  },
  "0088": {
    rule: "PEPPOL-COMMON-R040",
    what: "a GLN of GS1: digits, the last of which checks the others",
    isValid: isGln,
  },
  "0096": {
    rule: "PEPPOL-COMMON-R052",
    what: "a Danish P number: 10 digits",
    isValid: (value) => /^\d{10}$/.test(value),
  },
  "0106": {
    rule: "PEPPOL-COMMON-R054",
    what: "a number at the KVK: 8 digits",
    isValid: (value) => /^\d{8}$/.test(value),
  },
  "0151": { rule: "PEPPOL-COMMON-R050", what: "an ABN: 11 digits", isValid: isAbn },
  "0184": {
    rule: "PEPPOL-COMMON-R042",
    what: "a CVR number: DK and 8 digits",
    isValid: (value) => /^(DK)?\d{8}$/.test(value),
  },
  "0190": {
    rule: "PEPPOL-COMMON-R055",
    what: "an OIN: 20 digits",
    isValid: (value) => /^\d{20}$/.test(value),
  },
  "0192": {
    rule: "PEPPOL-COMMON-R041",
    what: "a Norwegian organization number: 9 digits",
    isValid: isNorwegian,
  },
  "0198": {
    rule: "PEPPOL-COMMON-R053",
    what: "a Danish SE number: DK and 8 digits",
    isValid: (value) => /^DK\d{8}$/.test(value),
  },
  "0208": {
    rule: "PEPPOL-COMMON-R043",
    what: "a Belgian enterprise number: 10 digits",
    isValid: (value) =>
      /^\d{10}$/.test(value) && Number(value.slice(8)) === 97 - (Number(value.slice(0, 8)) % 97),
  },
  "0217": {
    rule: "PEPPOL-COMMON-R057",
    what: "a number of an establishment at the KVK: 12 digits",
    isValid: (value) => /^\d{12}$/.test(value),
  },
};

/** Electronic addresses and registrations are what their schemes say. */
export function checkIdentifiers({ seller, buyer }: EInvoice, faults: RuleFaults): void {
  check(seller, "the seller's", "weir organization billing-profile --name …", faults);
  check(buyer, "the buyer's", "weir customers update CUSTOMER", faults);
}

function check(party: EInvoiceParty, whose: string, command: string, faults: RuleFaults): void {
  const { electronicAddress, registration } = party;
  for (const [of, name, option] of [
    [electronicAddress, "electronic address", "--electronic-address"],
    [registration, "registration number", "--registration-number"],
  ] as const) {
    const { scheme, value } = of ?? {};
    const rule = scheme !== undefined && Object.hasOwn(rules, scheme) ? rules[scheme] : undefined;
    if (rule === undefined || value === undefined) continue;
    faults.expect(
      rule.rule,
      rule.isValid(value),
      `${whose} ${name} ${scheme}:${value} is not ${rule.what}: ${command} ${option} ${scheme}:…`,
    );
  }
}

/** Sum of digits with weights from the right, 1 and 2 by turns; a product of two digits counts as their sum. */
export function isLuhn(digits: string): boolean {
  const sum = fromTheRight(digits).reduce((total, digit, index) => {
    const product = digit * (index % 2 === 0 ? 1 : 2);
    return total + (product > 9 ? product - 9 : product);
  }, 0);
  return sum % 10 === 0;
}

function isGln(value: string): boolean {
  if (!/^\d{2,}$/.test(value)) return false;
  const sum = fromTheRight(value).reduce(
    (total, digit, index) => total + digit * (index % 2 === 0 ? 1 : 3),
    0,
  );
  return sum % 10 === 0;
}

/** Modulo 11 with the weights of the Brønnøysund Register Centre. */
function isNorwegian(value: string): boolean {
  if (!/^\d{9}$/.test(value)) return false;
  const weights = [3, 2, 7, 6, 5, 4, 3, 2];
  const sum = weights.reduce((total, weight, index) => total + weight * Number(value[index]), 0);
  return (11 - (sum % 11)) % 11 === Number(value[8]);
}

/** Modulo 89 over the digits, the first less one, with the Australian Business Register's weights. */
function isAbn(value: string): boolean {
  if (!/^\d{11}$/.test(value)) return false;
  const weights = [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19];
  const sum = weights.reduce(
    (total, weight, index) => total + weight * (Number(value[index]) - (index === 0 ? 1 : 0)),
    0,
  );
  return sum % 89 === 0;
}

function fromTheRight(digits: string): number[] {
  return digits.split("").reverse().map(Number);
}

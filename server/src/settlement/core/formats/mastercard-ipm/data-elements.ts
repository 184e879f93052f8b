/** n: digits only; ans: any text; b: bytes that are no text. */
type ContentType = "n" | "ans" | "b" | "pan";

export interface DataElement {
  /** "DE4" */
  readonly name: string;
  readonly type: ContentType;
  /** Of a fixed element its length, else the most that it may have. */
  readonly length: number;
  /** How many digits before the content say its length; none for a fixed length. */
  readonly prefix: 0 | 2 | 3;
}

/** The elements that hold private data subelements (PDS). */
export const pds_elements = [48, 62, 123, 124, 125];

export const element_max = 128;

// The IPM clearing format's data elements: number, type, length; LL and LLL elements begin with their length.
const fixed = (length: number, type: ContentType = "n") => ({ type, length, prefix: 0 }) as const;
const short = (length: number, type: ContentType = "n") => ({ type, length, prefix: 2 }) as const;
const long = (length: number, type: ContentType = "ans") => ({ type, length, prefix: 3 }) as const;

const definitions: Readonly<Record<number, Omit<DataElement, "name">>> = {
  2: short(19, "pan"), // primary account number
  3: fixed(6), // processing code
  4: fixed(12), // amount, transaction
  5: fixed(12), // amount, reconciliation
  6: fixed(12), // amount, cardholder billing
  9: fixed(8), // conversion rate, reconciliation
  10: fixed(8), // conversion rate, cardholder billing
  12: fixed(12), // date and time, local transaction
  14: fixed(4), // date, expiration
  16: fixed(4), // date, conversion
  22: fixed(12, "ans"), // point of service data code
  23: fixed(3), // card sequence number
  24: fixed(3), // function code
  25: fixed(4), // message reason code
  26: fixed(4), // card acceptor business code
  30: fixed(24), // amounts, original
  31: short(23, "ans"), // acquirer reference data
  32: short(11), // acquiring institution
  33: short(11), // forwarding institution
  37: fixed(12, "ans"), // retrieval reference number
  38: fixed(6, "ans"), // approval code
  40: fixed(3), // service code
  41: fixed(8, "ans"), // card acceptor terminal
  42: fixed(15, "ans"), // card acceptor
  43: short(99, "ans"), // card acceptor's name and location
  48: long(999), // additional data (PDS)
  49: fixed(3), // currency, transaction
  50: fixed(3), // currency, reconciliation
  51: fixed(3), // currency, cardholder billing
  54: long(120), // amounts, additional
  55: long(255, "b"), // chip data
  62: long(999), // additional data 2 (PDS)
  63: long(16), // transaction life cycle id
  71: fixed(8), // message number
  72: long(999), // data record
  73: fixed(6), // date, action
  93: short(11), // transaction destination institution
  94: short(11), // transaction originator institution
  95: short(10, "ans"), // card issuer reference data
  100: short(11), // receiving institution
  111: long(999), // amount, currency conversion assessment
  123: long(999), // additional data 3 (PDS)
  124: long(999), // additional data 4 (PDS)
  125: long(999), // additional data 5 (PDS)
  127: long(999), // network data
};

/** By number, from 2; undefined for elements that IPM does not have. */
export const data_elements: readonly (DataElement | undefined)[] = Array.from(
  { length: element_max + 1 },
  (_, number) => {
    const definition = definitions[number];
    return definition === undefined ? undefined : { name: `DE${number}`, ...definition };
  },
);

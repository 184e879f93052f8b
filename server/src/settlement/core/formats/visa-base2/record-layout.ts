/** Where a field stands in its record: the first and last column, from 1, as the format's description counts. */
export interface FieldPlace {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

const place = (name: string, from: number, to: number): FieldPlace => ({ name, from, to });

/** Of every record but the file's header. */
export const common = {
  code: place("transaction code", 1, 2),
  qualifier: place("transaction code qualifier", 3, 3),
  sequence: place("component sequence number", 4, 4),
};

/** TCR 0 of drafts (05-07), chargebacks (15-17), reversals (25-27) and chargeback reversals (35-37). */
export const draft = {
  account: place("account number", 5, 20),
  accountExtension: place("account number extension", 21, 23),
  arn: place("acquirer reference number", 27, 49),
  acquirer: place("acquirer's business id", 50, 57),
  purchaseDate: place("purchase date", 58, 61),
  destinationAmount: place("destination amount", 62, 73),
  destinationCurrency: place("destination currency", 74, 76),
  sourceAmount: place("source amount", 77, 88),
  sourceCurrency: place("source currency", 89, 91),
  merchantName: place("merchant name", 92, 116),
  merchantCity: place("merchant city", 117, 129),
  merchantCountry: place("merchant country", 130, 132),
  merchantCategory: place("merchant category", 133, 136),
  usage: place("usage code", 147, 147),
  reason: place("reason code", 148, 149),
  settlementFlag: place("settlement flag", 150, 150),
  authorization: place("authorization code", 152, 157),
  processingDate: place("central processing date", 164, 167),
};

/** TCR 1 of drafts. */
export const draftAdditional = {
  merchantId: place("card acceptor id", 81, 95),
  terminalId: place("terminal id", 96, 103),
  /** The merchant's own name for the sale, which chargebacks repeat. */
  purchaseId: place("purchase identifier", 133, 157),
};

/** TCR 5 of drafts. */
export const draftService = {
  transactionId: place("transaction identifier", 5, 19),
};

/** TCR 0 of fee collections (10) and funds disbursements (20). */
export const fee = {
  destination: place("destination BIN", 5, 10),
  source: place("source BIN", 11, 16),
  reason: place("reason code", 17, 20),
  country: place("country", 21, 23),
  eventDate: place("event date", 24, 27),
  account: place("account number", 28, 43),
  destinationAmount: place("destination amount", 47, 58),
  destinationCurrency: place("destination currency", 59, 61),
  sourceAmount: place("source amount", 62, 73),
  sourceCurrency: place("source currency", 74, 76),
  text: place("message text", 77, 146),
  transactionId: place("transaction identifier", 148, 162),
  processingDate: place("central processing date", 164, 167),
};

/** TCR 0 of settlement (46), report group V, subgroup 2: VSS-110. */
export const settlement = {
  reportingFor: place("reporting for entity", 17, 26),
  fundsTransfer: place("funds transfer entity", 37, 46),
  service: place("settlement service", 47, 49),
  currency: place("settlement currency", 50, 52),
  reportGroup: place("report group", 59, 59),
  reportSubgroup: place("report subgroup", 60, 60),
  report: place("report", 61, 63),
  settlementDate: place("settlement date", 66, 72),
  amountType: place("amount type", 94, 94),
  businessMode: place("business mode", 95, 95),
  count: place("count", 96, 110),
  creditAmount: place("credit amount", 111, 125),
  debitAmount: place("debit amount", 126, 140),
  netAmount: place("net amount", 141, 155),
  netSign: place("net amount sign", 156, 157),
  fundsTransferDate: place("funds transfer date", 158, 164),
};

/** The file's header, transaction code 90. */
export const header = {
  processor: place("processing BIN", 3, 8),
  date: place("processing date", 9, 13),
  test: place("test option", 30, 33),
  fileId: place("file id", 77, 79),
};

/** The trailers of a batch (91) and of the file (92). */
export const trailer = {
  processor: place("BIN", 5, 10),
  date: place("processing date", 11, 15),
  destinationAmount: place("destination amount", 16, 30),
  monetary: place("number of monetary transactions", 31, 42),
  /** Of a batch its number, of the file how many batches it has. */
  batches: place("batch number", 43, 48),
  records: place("number of TCRs", 49, 60),
  centerBatchId: place("center batch id", 67, 74),
  transactions: place("number of transactions", 75, 83),
  sourceAmount: place("source amount", 102, 116),
};

export function textAt(record: string, { from, to }: FieldPlace): string {
  return record.slice(from - 1, to);
}

/** "columns 77-88 (source amount)" */
export function labelOf({ name, from, to }: FieldPlace): string {
  return from === to ? `column ${from} (${name})` : `columns ${from}-${to} (${name})`;
}

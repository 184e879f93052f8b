import { camtFile, type CamtEntry } from "./camt-file.js";
import { balance_columns, stripeReport, type StripeRow } from "./stripe-report.js";

/** A provider's report of these rows, as text. */
export const report = (...rows: StripeRow[]) =>
  Buffer.concat([...stripeReport(balance_columns, rows)]).toString();

/** A row of a charge of 10.00 EUR, less 0.30. */
export const charge = (number: number, gross = 1_000n, fee = 30n): StripeRow => ({
  id: `txn_${number}`,
  category: "charge",
  currency: "EUR",
  gross,
  fee,
  source: `ch_${number}`,
  payment: `pi_${number}`,
});

/** A bank statement of these entries, as text. */
export const statement = (
  entries: CamtEntry[],
  more: Partial<Parameters<typeof camtFile>[0]["statements"][0]> = {},
) =>
  Buffer.concat([
    ...camtFile({
      id: `MSG-${more.id ?? "1"}-${more.sequence ?? 1}`,
      statements: [
        {
          id: "STMT-1",
          account: "NL91ABNA0417164300",
          currency: "EUR",
          sequence: 1,
          opening: 100_000n,
          entries: () => entries,
          ...more,
        },
      ],
    }),
  ]).toString();

import { columnName } from "../../csv/csv-columns.js";
import { csvHead } from "../../csv/csv-reader.js";
import type { SettlementFormat } from "../../settlement-format.js";
import {
  balance_change,
  payout_column,
  payout_reconciliation,
  required_columns,
  StripeParser,
  type StripeReport,
} from "./stripe-parser.js";

type Found = StripeReport | undefined;

/** Which of Stripe's reports a file is: most of the required columns make it one, the payouts tell which. */
function reportOf(head: Uint8Array, fileName: string): Found {
  const { header, rows } = csvHead(head);
  const names = header.map(columnName);
  const known = required_columns.filter((name) => names.includes(name));
  if (!names.includes("balance_transaction_id") && known.length < required_columns.length - 1)
    return undefined;
  const payout = names.indexOf(payout_column);
  if (payout < 0) return balance_change;
  if (/payout_reconciliation/i.test(fileName)) return payout_reconciliation;
  if (/balance_change/i.test(fileName)) return balance_change;
  // Both may have the column. Only in a payout reconciliation every row has a payout, and there it comes first unless asked otherwise.
  const all = rows.length > 0 ? rows.every(({ fields }) => (fields[payout] ?? "") !== "") : payout === 0;
  return all ? payout_reconciliation : balance_change;
}

function formatOf(report: StripeReport): SettlementFormat {
  return {
    name: report.format,
    title: report.title,
    detect: (head, fileName) => reportOf(head, fileName) === report,
    open: () => new StripeParser(report),
  };
}

export const stripeBalanceChange = formatOf(balance_change);
export const stripePayoutReconciliation = formatOf(payout_reconciliation);

import type { CliContext } from "./context.js";
import { grouped, printTable } from "./print.js";

export interface Money {
  readonly amount: string;
  readonly currency: string;
}

export interface LedgerAccount {
  readonly code: string;
  readonly type: string;
  readonly currency: string;
  readonly debit: Money;
  readonly credit: Money;
  readonly balance: Money;
  readonly pendingDebit: Money;
  readonly pendingCredit: Money;
}

const money = "{ amount currency }";
export const account_selection = `code type currency debit ${money} credit ${money} balance ${money} pendingDebit ${money} pendingCredit ${money}`;

/** Accounts as a table; what is pending only where something is. */
export function printAccounts(context: CliContext, accounts: readonly LedgerAccount[], empty: string): void {
  const isZero = ({ amount }: Money) => !/[1-9]/.test(amount);
  const isPending = accounts.some((one) => !isZero(one.pendingDebit) || !isZero(one.pendingCredit));
  printTable(
    context,
    [
      "ACCOUNT",
      "TYPE",
      "CURRENCY",
      "DEBIT",
      "CREDIT",
      "BALANCE",
      ...(isPending ? ["PENDING DEBIT", "PENDING CREDIT"] : []),
    ],
    accounts.map(({ code, type, currency, debit, credit, balance, pendingDebit, pendingCredit }) => [
      code,
      type.toLowerCase(),
      currency,
      ...[debit, credit, balance, ...(isPending ? [pendingDebit, pendingCredit] : [])].map(({ amount }) =>
        grouped(amount),
      ),
    ]),
    empty,
  );
}

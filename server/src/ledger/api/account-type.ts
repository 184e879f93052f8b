import { builder } from "../../graphql/builder.js";
import { MoneyType } from "../../graphql/money-type.js";
import { balanceOf, type AccountSums } from "../core/index.js";

const AccountTypeEnum = builder.enumType("LedgerAccountType", {
  description: "As in accounting: assets and expenses grow by debits, the others by credits.",
  values: {
    ASSET: { value: "asset" },
    LIABILITY: { value: "liability" },
    INCOME: { value: "income" },
    EXPENSE: { value: "expense" },
    EQUITY: { value: "equity" },
  } as const,
});

export const AccountType = builder.objectRef<AccountSums>("LedgerAccount").implement({
  description: "An account in one currency, and what its transfers add up to.",
  fields: (t) => ({
    code: t.exposeString("code", {
      description:
        '"revenue", or "receivable:cus_…" and "cash:pac_…" where it is kept per customer or per account at a provider. "receivable" is all of its customers\' together.',
    }),
    type: t.field({ type: AccountTypeEnum, resolve: (account) => account.type }),
    currency: t.exposeString("currency"),
    debit: t.field({
      type: MoneyType,
      resolve: ({ currency, debit }) => ({ currency, minor: debit }),
    }),
    credit: t.field({
      type: MoneyType,
      resolve: ({ currency, credit }) => ({ currency, minor: credit }),
    }),
    balance: t.field({
      type: MoneyType,
      description: "From the account's own side: positive when it holds what its type is for.",
      resolve: (account) => ({ currency: account.currency, minor: balanceOf(account.type, account) }),
    }),
    pendingDebit: t.field({
      type: MoneyType,
      description: "Of postings that are neither posted nor voided yet: not in the balance.",
      resolve: ({ currency, pendingDebit }) => ({ currency, minor: pendingDebit }),
    }),
    pendingCredit: t.field({
      type: MoneyType,
      resolve: ({ currency, pendingCredit }) => ({ currency, minor: pendingCredit }),
    }),
  }),
});

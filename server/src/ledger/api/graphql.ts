import { builder } from "../../graphql/builder.js";
import { forwardConnection, forwardPage, page_items_max } from "../../graphql/forward-connection.js";
import { MoneyType } from "../../graphql/money-type.js";
import { PeriodType } from "../../graphql/period-type.js";
import { balanceOf, codeOf, type AccountSums, type SumDifference, type Transfer } from "../core/index.js";
import type { TrialBalance } from "../ledger.js";
import type { StoredPosting } from "../store/postings.js";

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

const AccountType = builder.objectRef<AccountSums>("LedgerAccount").implement({
  description: "An account in one currency, and what its transfers add up to.",
  fields: (t) => ({
    code: t.exposeString("code", {
      description: '"revenue", or "receivable:cus_…" where it is kept per customer.',
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
  }),
});

const TransferType = builder.objectRef<Transfer>("LedgerTransfer").implement({
  description: "Moves an amount from the credited account to the debited one.",
  fields: (t) => ({
    debit: t.string({ resolve: (transfer) => codeOf(transfer.debit) }),
    credit: t.string({ resolve: (transfer) => codeOf(transfer.credit) }),
    amount: t.field({ type: MoneyType, resolve: (transfer) => transfer.amount }),
    servicePeriod: t.field({
      type: PeriodType,
      nullable: true,
      description: "What the amount is for, when it is for a period.",
      resolve: (transfer) => transfer.service ?? null,
    }),
  }),
});

const PostingType = builder.objectRef<StoredPosting>("LedgerPosting").implement({
  description: "Transfers that were posted together. It never changes; a correction is a posting of its own.",
  fields: (t) => ({
    id: t.exposeID("id"),
    idempotencyKey: t.exposeString("idempotencyKey", {
      description: "The business's name for the effect: it is posted once, whoever asks how often.",
    }),
    reason: t.exposeString("reason"),
    reference: t.exposeString("reference", {
      description: "The id of what caused it, such as an invoice's.",
    }),
    reverses: t.id({ nullable: true, resolve: (posting) => posting.reverses ?? null }),
    postedAt: t.expose("postedAt", { type: "Instant" }),
    transfers: t.field({ type: [TransferType], resolve: (posting) => [...posting.transfers] }),
  }),
});

const DifferenceType = builder.objectRef<SumDifference>("LedgerDifference").implement({
  description: "Where a kept balance is not what the transfers add up to.",
  fields: (t) => ({
    code: t.exposeString("code"),
    currency: t.exposeString("currency"),
    side: t.exposeString("side", { description: "debit or credit" }),
    kept: t.field({ type: "BigInt", resolve: (difference) => difference.kept }),
    transferred: t.field({ type: "BigInt", resolve: (difference) => difference.transferred }),
  }),
});

const TrialBalanceType = builder.objectRef<TrialBalance>("TrialBalance").implement({
  description: "Every account, added up anew from the transfers in one snapshot.",
  fields: (t) => ({
    balanced: t.exposeBoolean("balanced", { description: "Debits equal credits in every currency." }),
    differences: t.field({
      type: [DifferenceType],
      description: "None, ever.",
      resolve: (trial) => [...trial.differences],
    }),
    accounts: t.field({ type: [AccountType], resolve: (trial) => [...trial.accounts] }),
  }),
});

builder.queryFields((t) => ({
  ledgerAccounts: t.connection({
    type: AccountType,
    description: "Accounts by code and currency; those whose code begins with a prefix when given.",
    args: { prefix: t.arg.string() },
    resolve: async (_root, { prefix, ...args }, { caller, services }) => {
      const page = forwardPage(args, page_items_max);
      const filter = prefix == null ? {} : { prefix };
      const found = await services.ledger.accounts(caller.organization, {
        ...page,
        ...filter,
        limit: page.limit + 1,
      });
      const edges = found
        .slice(0, page.limit)
        .map((node) => ({ cursor: `${node.code} ${node.currency}`, node }));
      return {
        edges,
        pageInfo: {
          startCursor: edges[0]?.cursor ?? null,
          endCursor: edges.at(-1)?.cursor ?? null,
          hasNextPage: found.length > page.limit,
          hasPreviousPage: page.after !== undefined,
        },
      };
    },
  }),
  ledgerPostings: t.connection({
    type: PostingType,
    description: "Postings, oldest first; of what caused them, of an account, of a time.",
    args: {
      reference: t.arg.string({ description: "The id of what caused it, such as an invoice's." }),
      account: t.arg.string({ description: "An account's code." }),
      from: t.arg({ type: "Instant", description: "Posted then or later." }),
      to: t.arg({ type: "Instant", description: "Posted before." }),
    },
    resolve: (_root, { reference, account, from, to, ...args }, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.ledger.postings(caller.organization, {
          ...page,
          ...(reference == null ? {} : { reference }),
          ...(account == null ? {} : { account }),
          ...(from == null ? {} : { from }),
          ...(to == null ? {} : { to }),
        }),
      ),
  }),
  ledgerPosting: t.field({
    type: PostingType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.ledger.findPosting(caller.organization, id)) ?? null,
  }),
  trialBalance: t.field({
    type: TrialBalanceType,
    description: "Adds every transfer up anew and compares.",
    complexity: 100,
    resolve: (_root, _args, { caller, services }) => services.ledger.trialBalance(caller.organization),
  }),
}));

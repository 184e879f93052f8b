import { builder } from "../../graphql/builder.js";
import { forwardConnection, forwardPage, page_items_max } from "../../graphql/forward-connection.js";
import { MoneyType } from "../../graphql/money-type.js";
import { PeriodType } from "../../graphql/period-type.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { codeOf, type SumDifference, type Transfer } from "../core/index.js";
import type { TrialBalance } from "../ledger.js";
import type { StoredPosting } from "../store/postings.js";
import { AccountType } from "./account-type.js";
import "./blocks.js";
import "./months.js";
import "./revenue.js";

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

const ResolutionEnum = builder.enumType("LedgerResolution", {
  description: "What became of a pending posting.",
  values: {
    POST: { value: "post", description: "It counts, wholly or in part." },
    VOID: { value: "void", description: "It does not count." },
  } as const,
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
    pending: t.exposeBoolean("pending", {
      description: "It moves pending sums only, until another posting resolves it.",
    }),
    resolvedBy: t.id({
      nullable: true,
      description: "The posting that resolved this one, which was pending.",
      resolve: (posting) => posting.resolvedBy ?? null,
    }),
    resolves: t.id({
      nullable: true,
      description: "The pending posting that this one resolves.",
      resolve: (posting) => posting.resolves ?? null,
    }),
    resolution: t.field({
      type: ResolutionEnum,
      nullable: true,
      description: "How it resolves it.",
      resolve: (posting) => posting.resolution ?? null,
    }),
    postedAt: t.expose("postedAt", { type: "Instant", description: "In the organization's time." }),
    transfers: t.field({ type: [TransferType], resolve: (posting) => [...posting.transfers] }),
  }),
});

const DifferenceType = builder.objectRef<SumDifference>("LedgerDifference").implement({
  description: "Where a kept balance is not what the transfers add up to.",
  fields: (t) => ({
    code: t.exposeString("code"),
    currency: t.exposeString("currency"),
    side: t.exposeString("side", { description: "debit, credit, pendingDebit or pendingCredit" }),
    kept: t.field({ type: "BigInt", resolve: (difference) => difference.kept }),
    transferred: t.field({ type: "BigInt", resolve: (difference) => difference.transferred }),
  }),
});

const TrialBalanceType = builder.objectRef<TrialBalance>("TrialBalance").implement({
  description:
    "The books at one moment: the accounts of customers added up under their kind, every other account by itself. What is pending does not count.",
  fields: (t) => ({
    balanced: t.exposeBoolean("balanced", { description: "Debits equal credits in every currency." }),
    differences: t.field({
      type: [DifferenceType],
      description: "Of the present: where what is kept is not what the transfers add up to. None, ever.",
      resolve: (trial) => [...trial.differences],
    }),
    accounts: t.field({ type: [AccountType], resolve: (trial) => [...trial.accounts] }),
  }),
});

builder.queryFields((t) => ({
  ledgerAccounts: t.connection({
    type: AccountType,
    description: "Accounts by code and currency; those whose code begins with a prefix when given.",
    args: {
      prefix: t.arg.string(),
      at: t.arg({
        type: "Instant",
        description: "As they were then, its postings included; now when left out.",
      }),
    },
    resolve: async (_root, { prefix, at, ...args }, { caller, services }) => {
      const page = forwardPage(args, page_items_max);
      const found = await services.ledger.accounts(caller.organization, {
        ...(prefix == null ? {} : { prefix }),
        ...(at == null ? {} : { at }),
        ...(page.after === undefined ? {} : { after: readCursor(page.after) }),
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
    description:
      "Adds the transfers up anew; ledgerAccounts lists the customers below an account. Now, or at an instant, its postings included.",
    complexity: 100,
    args: { at: t.arg({ type: "Instant" }) },
    resolve: (_root, { at }, { caller, services }) =>
      services.ledger.trialBalance(caller.organization, at ?? undefined),
  }),
}));

/** @throws Refusal 400 */
function readCursor(text: string): { code: string; currency: string } {
  const [code, currency, more] = text.split(" ");
  if (code !== undefined && currency !== undefined && more === undefined) return { code, currency };
  const detail = "`after` is no cursor of this list: take it from `pageInfo.endCursor` or an edge.";
  throw new Refusal(makeProblem("invalid-cursor", 400, "Not a cursor of this list", detail));
}

export { PostingType };

import { builder } from "../../graphql/builder.js";
import { MoneyType } from "../../graphql/money-type.js";
import { formatDate } from "../../kernel/local-date.js";
import { comparison_lines, type ComparedLine } from "../core/reconciliation/index.js";
import type { ComparedAccount, Comparison } from "../index.js";
import type { HeldBalance } from "../reconciliation.js";
import type { ExceptionSum } from "../store/exceptions.js";
import type { ReconciliationSettings, StoredReport } from "../store/reports.js";
import { ExceptionKindEnum } from "./exception-types.js";
import { SettlementAccountType } from "./file-types.js";

const LineEnum = builder.enumType("ReconciliationLineKind", { values: comparison_lines });

const SideType = builder
  .objectRef<{
    readonly currency: ComparedLine["currency"];
    readonly count: number;
    readonly minor: bigint;
  }>("ReconciliationSum")
  .implement({
    description: "What one of the three says: how many movements, and what they come to.",
    fields: (t) => ({
      count: t.exposeInt("count"),
      amount: t.field({ type: MoneyType, resolve: ({ currency, minor }) => ({ currency, minor }) }),
    }),
  });

const LineType = builder.objectRef<ComparedLine>("ReconciliationLine").implement({
  description: "Our books, the sender's files and the bank, side by side; signed as our account sees it.",
  fields: (t) => ({
    line: t.field({ type: LineEnum, resolve: ({ line }) => line }),
    currency: t.exposeString("currency"),
    books: t.field({ type: SideType, resolve: ({ currency, books }) => ({ currency, ...books }) }),
    reported: t.field({
      type: SideType,
      description: "What the sender's files say.",
      resolve: ({ currency, reported }) => ({ currency, ...reported }),
    }),
    bank: t.field({
      type: SideType,
      nullable: true,
      description: "Of payouts: what is on the bank's statements.",
      resolve: ({ currency, bank }) => (bank === undefined ? null : { currency, ...bank }),
    }),
    difference: t.field({
      type: MoneyType,
      description: "What the files say beyond our books.",
      resolve: ({ currency, difference }) => ({ currency, minor: difference }),
    }),
  }),
});

const BalanceType = builder.objectRef<HeldBalance>("ReconciliationBalance").implement({
  description: "What an account of the ledger holds now.",
  fields: (t) => ({
    account: t.exposeString("account"),
    balance: t.field({ type: MoneyType, resolve: ({ currency, minor }) => ({ currency, minor }) }),
  }),
});

const ExceptionSumType = builder.objectRef<ExceptionSum>("ReconciliationExceptionSum").implement({
  description: "Exceptions of a kind that are open at the end of the period.",
  fields: (t) => ({
    kind: t.field({ type: ExceptionKindEnum, resolve: ({ kind }) => kind }),
    count: t.exposeInt("count"),
    suspense: t.field({
      type: MoneyType,
      nullable: true,
      resolve: ({ currency, suspense }) => (currency === undefined ? null : { currency, minor: suspense }),
    }),
  }),
});

const ComparedAccountType = builder.objectRef<ComparedAccount>("ReconciledAccount").implement({
  fields: (t) => ({
    account: t.field({ type: SettlementAccountType, resolve: ({ account }) => account }),
    lines: t.field({ type: [LineType], resolve: ({ lines }) => [...lines] }),
    balances: t.field({ type: [BalanceType], resolve: ({ balances }) => [...balances] }),
    exceptions: t.field({ type: [ExceptionSumType], resolve: ({ exceptions }) => [...exceptions] }),
  }),
});

export const ComparisonType = builder.objectRef<Comparison>("Reconciliation").implement({
  description: "Three ways of saying what moved in a time, compared.",
  fields: (t) => ({
    from: t.expose("from", { type: "Instant" }),
    to: t.expose("to", { type: "Instant", description: "Exclusive." }),
    accounts: t.field({ type: [ComparedAccountType], resolve: ({ accounts }) => [...accounts] }),
    exceptions: t.field({
      type: [ExceptionSumType],
      description: "Of no account in particular.",
      resolve: ({ exceptions }) => [...exceptions],
    }),
  }),
});

export const ReportType = builder.objectRef<StoredReport>("ReconciliationReport").implement({
  description: "A day's comparison, as it was found at the end of that day.",
  fields: (t) => ({
    id: t.exposeID("id"),
    day: t.string({ resolve: (report) => formatDate(report.day) }),
    from: t.expose("from", { type: "Instant" }),
    to: t.expose("to", { type: "Instant" }),
    report: t.field({ type: "JSON", resolve: ({ report }) => report }),
    madeAt: t.expose("madeAt", { type: "Instant" }),
  }),
});

export const SettingsType = builder.objectRef<ReconciliationSettings>("ReconciliationSettings").implement({
  fields: (t) => ({
    timeZone: t.exposeString("timeZone", { description: "Whose days the reports are of." }),
    fileLagDays: t.exposeInt("fileLagDays", { description: "By then a provider's file has a charge." }),
    bankLagDays: t.exposeInt("bankLagDays", { description: "By then the bank's statement has a payout." }),
  }),
});

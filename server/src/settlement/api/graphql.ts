import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { BookAccount } from "../exceptions.js";
import type { ExceptionResolution } from "../index.js";
import { BookAccountEnum, ExceptionKindEnum, ExceptionStateEnum, ExceptionType } from "./exception-types.js";
import { FileStateEnum, FileType } from "./file-types.js";
import { ComparisonType, ReportType, SettingsType } from "./reconciliation-types.js";

builder.queryFields((t) => ({
  settlementFiles: t.connection({
    type: FileType,
    description: "Files of providers, schemes and banks, newest first.",
    args: {
      account: t.arg.string({ description: "Id or key." }),
      state: t.arg({ type: FileStateEnum }),
    },
    resolve: (_root, { account, state, ...args }, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.settlement.files.list(caller.organization, {
          ...page,
          ...(account == null ? {} : { account }),
          ...(state == null ? {} : { state }),
        }),
      ),
  }),
  settlementFile: t.field({
    type: FileType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.settlement.files.find(caller.organization, id)) ?? null,
  }),
  reconciliationExceptions: t.connection({
    type: ExceptionType,
    description: "What did not match, oldest first; the open ones when no state is given.",
    args: {
      account: t.arg.string({ description: "Id or key." }),
      file: t.arg.id(),
      kind: t.arg({ type: ExceptionKindEnum }),
      state: t.arg({ type: ExceptionStateEnum }),
    },
    resolve: (_root, { account, file, kind, state, ...args }, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.settlement.exceptions.list(caller.organization, {
          ...page,
          state: state ?? "open",
          ...(account == null ? {} : { account }),
          ...(file == null ? {} : { file }),
          ...(kind == null ? {} : { kind }),
        }),
      ),
  }),
  reconciliationException: t.field({
    type: ExceptionType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.settlement.exceptions.find(caller.organization, id)) ?? null,
  }),
  reconciliation: t.field({
    type: ComparisonType,
    description: "Our books, the senders' files and the bank's statements of a time, side by side.",
    complexity: 200,
    args: {
      account: t.arg.string({ description: "Id or key; all accounts when left out." }),
      from: t.arg({ type: "Instant", required: true }),
      to: t.arg({ type: "Instant", required: true, description: "Exclusive." }),
    },
    resolve: (_root, { account, from, to }, { caller, services }) =>
      services.settlement.reconciliation.compare(caller.organization, {
        from,
        to,
        ...(account == null ? {} : { account }),
      }),
  }),
  reconciliationReports: t.connection({
    type: ReportType,
    description: "One for each day, newest first.",
    resolve: (_root, args, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.settlement.reconciliation.reports(caller.organization, page),
      ),
  }),
  reconciliationReport: t.field({
    type: ReportType,
    nullable: true,
    args: { idOrDay: t.arg.string({ required: true, description: "Its id, or its day: 2026-01-31." }) },
    resolve: async (_root, { idOrDay }, { caller, services }) =>
      (await services.settlement.reconciliation.findReport(caller.organization, idOrDay)) ?? null,
  }),
  reconciliationSettings: t.field({
    type: SettingsType,
    resolve: (_root, _args, { caller, services }) =>
      services.settlement.reconciliation.settings(caller.organization),
  }),
}));

builder.mutationFields((t) => ({
  acceptSettlementFile: t.field({
    type: FileType,
    description: "Has a file that is held posted, whatever is wrong with it.",
    errors: {},
    args: { file: t.arg.id({ required: true }), reason: t.arg.string({ required: true }) },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      return context.services.settlement.fileDecisions.accept(context.caller, input, context.idempotencyKey);
    },
  }),
  retrySettlementFile: t.field({
    type: FileType,
    description: "Reads a file that is held or refused once more; for another account when one is given.",
    errors: {},
    args: {
      file: t.arg.id({ required: true }),
      reason: t.arg.string({ required: true }),
      account: t.arg.string({ description: "Id or key." }),
    },
    resolve: (_root, { account, ...input }, context) => {
      requireSecretKey(context);
      const asked = { ...input, ...(account == null ? {} : { account }) };
      return context.services.settlement.fileDecisions.retry(context.caller, asked, context.idempotencyKey);
    },
  }),
  discardSettlementFile: t.field({
    type: FileType,
    description: "Gives a file up of which nothing is in the books.",
    errors: {},
    args: { file: t.arg.id({ required: true }), reason: t.arg.string({ required: true }) },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      return context.services.settlement.fileDecisions.discard(context.caller, input, context.idempotencyKey);
    },
  }),
  resolveException: t.field({
    type: ExceptionType,
    description: "Says what an exception is, in one of four ways; it is posted as that.",
    errors: {},
    args: {
      exception: t.arg.id({ required: true }),
      version: t.arg.int({ required: true, description: "The one that was looked at." }),
      match: t.arg.string({
        description:
          "A payment, attempt, refund, dispute, payout or invoice of ours: its id, or an invoice's number.",
      }),
      customer: t.arg.string({ description: "It is this customer's, by id or key: it goes to the balance." }),
      book: t.arg({ type: BookAccountEnum, description: "It is booked to this account." }),
      return: t.arg.boolean({ description: "It goes back to whoever sent it." }),
      note: t.arg.string(),
    },
    resolve: (_root, { exception, version, note, ...said }, context) => {
      requireSecretKey(context);
      const input = { exception, version, resolution: resolutionOf(said), ...(note == null ? {} : { note }) };
      return context.services.settlement.exceptions.resolve(context.caller, input, context.idempotencyKey);
    },
  }),
  ignoreException: t.field({
    type: ExceptionType,
    description: "Leaves an exception as it is, for a reason. What lies in suspense stays there.",
    errors: {},
    args: {
      exception: t.arg.id({ required: true }),
      version: t.arg.int({ required: true }),
      reason: t.arg.string({ required: true }),
    },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      return context.services.settlement.exceptions.ignore(context.caller, input, context.idempotencyKey);
    },
  }),
  reopenException: t.field({
    type: ExceptionType,
    description: "Takes a decision back: what it posted is posted the other way round.",
    errors: {},
    args: {
      exception: t.arg.id({ required: true }),
      version: t.arg.int({ required: true }),
      reason: t.arg.string({ required: true }),
    },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      return context.services.settlement.exceptions.reopen(context.caller, input, context.idempotencyKey);
    },
  }),
  setReconciliationSettings: t.field({
    type: SettingsType,
    description: "What is left out stays.",
    errors: {},
    args: {
      timeZone: t.arg.string({ description: "An IANA time zone: whose days the reports are of." }),
      fileLagDays: t.arg.int(),
      bankLagDays: t.arg.int(),
    },
    resolve: (_root, { timeZone, fileLagDays, bankLagDays }, context) => {
      requireSecretKey(context);
      const input = {
        ...(timeZone == null ? {} : { timeZone }),
        ...(fileLagDays == null ? {} : { fileLagDays }),
        ...(bankLagDays == null ? {} : { bankLagDays }),
      };
      return context.services.settlement.reconciliation.setSettings(
        context.caller,
        input,
        context.idempotencyKey,
      );
    },
  }),
}));

interface SaidResolution {
  readonly match?: string | null | undefined;
  readonly customer?: string | null | undefined;
  readonly book?: BookAccount | null | undefined;
  readonly return?: boolean | null | undefined;
}

/** @throws Refusal 400 unless exactly one is said */
function resolutionOf({ match, customer, book, return: isReturned }: SaidResolution): ExceptionResolution {
  const said: ExceptionResolution[] = [
    ...(match == null ? [] : [{ kind: "match" as const, target: match }]),
    ...(customer == null ? [] : [{ kind: "balance" as const, customer }]),
    ...(book == null ? [] : [{ kind: "book" as const, account: book }]),
    ...(isReturned === true ? [{ kind: "return" as const }] : []),
  ];
  const [only] = said;
  if (only !== undefined && said.length === 1) return only;
  const detail = "Say one of `match`, `customer`, `book` and `return`.";
  throw new Refusal(makeProblem("invalid-resolution", 400, "The resolution is not valid", detail));
}

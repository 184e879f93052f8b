import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { ComparisonType, ReportType, SettingsType } from "./reconciliation-types.js";

builder.queryFields((t) => ({
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

import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { FileStateEnum, FileType } from "./file-types.js";

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
}));

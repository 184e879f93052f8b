import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { BookAccount } from "../exceptions.js";
import type { ExceptionResolution } from "../index.js";
import { BookAccountEnum, ExceptionKindEnum, ExceptionStateEnum, ExceptionType } from "./exception-types.js";

builder.queryFields((t) => ({
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
}));

builder.mutationFields((t) => ({
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
}));

decidedForAReason("ignore", "Leaves an exception as it is, for a reason. What lies in suspense stays there.");
decidedForAReason("reopen", "Takes a decision back: what it posted is posted the other way round.");

function decidedForAReason(decision: "ignore" | "reopen", description: string): void {
  builder.mutationField(`${decision}Exception`, (t) =>
    t.field({
      type: ExceptionType,
      description,
      errors: {},
      args: {
        exception: t.arg.id({ required: true }),
        version: t.arg.int({ required: true }),
        reason: t.arg.string({ required: true }),
      },
      resolve: (_root, input, context) => {
        requireSecretKey(context);
        return context.services.settlement.exceptions[decision](
          context.caller,
          input,
          context.idempotencyKey,
        );
      },
    }),
  );
}

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

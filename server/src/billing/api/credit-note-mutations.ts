import { builder, requireSecretKey } from "../../graphql/builder.js";
import { CreditNoteType } from "./references.js";

const CreditedLineInput = builder.inputType("CreditedLineInput", {
  fields: (t) => ({
    line: t.id({ required: true }),
    minor: t.field({
      type: "BigInt",
      description: "In minor units, without tax; all that is left when left out.",
    }),
  }),
});

builder.mutationFields((t) => ({
  issueCreditNote: t.field({
    type: CreditNoteType,
    description:
      "Gives back parts of a finalized invoice with their tax: off what is still owed of it, the rest as balance. What was billed stays billed.",
    errors: {},
    args: {
      invoice: t.arg.id({ required: true, description: "Its id or number." }),
      reason: t.arg.string({ required: true }),
      lines: t.arg({
        type: [CreditedLineInput],
        required: false,
        description: "All that is left of every line when left out.",
      }),
    },
    resolve: (_root, { invoice, reason, lines }, context) => {
      requireSecretKey(context);
      const input = {
        invoice,
        reason,
        ...(lines == null
          ? {}
          : {
              lines: lines.map(({ line, minor }) => ({
                line,
                ...(minor == null ? {} : { minor: BigInt(minor) }),
              })),
            }),
      };
      return context.services.billing.creditNotes.issue(context.caller, input, context.idempotencyKey);
    },
  }),
  voidInvoice: t.field({
    type: CreditNoteType,
    description:
      "Takes a finalized invoice back as if it had never been; what it billed is due again, on another invoice of its periods or on the next. To waive an amount, issue a credit note.",
    errors: {},
    args: {
      id: t.arg.id({ required: true, description: "Its id or number." }),
      reason: t.arg.string({ required: true }),
    },
    resolve: (_root, { id, reason }, context) => {
      requireSecretKey(context);
      return context.services.billing.creditNotes.void(
        context.caller,
        { invoice: id, reason },
        context.idempotencyKey,
      );
    },
  }),
}));

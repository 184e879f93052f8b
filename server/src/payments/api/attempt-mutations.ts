import { builder, requireSecretKey } from "../../graphql/builder.js";
import { readAmount } from "./amount-input.js";
import { given } from "./given.js";
import { PaymentAttemptType } from "./references.js";

const FoundOutcomeEnum = builder.enumType("FoundPaymentOutcome", {
  values: ["succeeded", "failed"] as const,
});

builder.mutationFields((t) => ({
  payInvoice: t.field({
    type: PaymentAttemptType,
    description:
      "Charges what is open of an invoice, or a part of it. The attempt is stored, and the money taken a moment later: ask for the attempt to see what became of it.",
    errors: {},
    args: {
      invoice: t.arg.id({ required: true, description: "Its id or number." }),
      method: t.arg.id({ description: "The customer's default when left out." }),
      amount: t.arg({
        type: "Decimal",
        required: false,
        description: 'In major units of the invoice\'s currency: "100.00". All that is open when left out.',
      }),
    },
    resolve: async (_root, { invoice, method, amount }, context) => {
      requireSecretKey(context);
      const { caller, services, idempotencyKey } = context;
      const minor =
        amount == null
          ? undefined
          : readAmount(amount, (await services.billing.invoices.get(caller.organization, invoice)).currency);
      const input = { invoice, ...given({ method, amount: minor }) };
      return services.payments.charges.pay(caller, input, idempotencyKey);
    },
  }),
  lookUpPaymentAttempt: t.field({
    type: PaymentAttemptType,
    description: "Asks the provider now what became of an attempt; one that has ended is given as it is.",
    errors: {},
    args: { attempt: t.arg.id({ required: true }) },
    resolve: (_root, { attempt }, context) => {
      requireSecretKey(context);
      return context.services.payments.charges.lookUp(context.caller, attempt, context.idempotencyKey);
    },
  }),
  cancelPaymentAttempt: t.field({
    type: PaymentAttemptType,
    description:
      "Sees to it that an attempt takes no money any more. One that has taken it by then has succeeded.",
    errors: {},
    args: { attempt: t.arg.id({ required: true }) },
    resolve: (_root, { attempt }, context) => {
      requireSecretKey(context);
      return context.services.payments.charges.cancel(context.caller, attempt, context.idempotencyKey);
    },
  }),
  settlePaymentAttempt: t.field({
    type: PaymentAttemptType,
    description:
      "Says what became of an attempt of unknown outcome, as a person found out. Nothing is sent to the provider.",
    errors: {},
    args: {
      attempt: t.arg.id({ required: true }),
      outcome: t.arg({ type: FoundOutcomeEnum, required: true }),
      reason: t.arg.string({ required: true, description: "How it was found out; for the audit log." }),
      providerRef: t.arg.string({ description: "The provider's id of the charge, where it was found." }),
    },
    resolve: (_root, { providerRef, ...input }, context) => {
      requireSecretKey(context);
      const settled = { ...input, ...given({ ref: providerRef }) };
      return context.services.payments.charges.settleByHand(context.caller, settled, context.idempotencyKey);
    },
  }),
}));

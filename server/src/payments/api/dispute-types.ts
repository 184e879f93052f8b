import { MoneyType } from "../../billing/api/graphql.js";
import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { PostingType } from "../../ledger/api/graphql.js";
import { dispute_states } from "../core/index.js";
import { accountOf } from "./account-field.js";
import { given } from "./given.js";
import { postingsComplexity, postingsOf } from "./ledger-postings.js";
import { mustFindPayment } from "./payment-types.js";
import { DisputeType, PaymentType, ProviderAccountType } from "./references.js";

const DisputeStateEnum = builder.enumType("DisputeState", {
  description:
    "inquiry: nothing was taken yet. needs_response: the money is gone unless evidence brings it back. under_review: evidence was sent.",
  values: dispute_states,
});

const EvidenceType = builder.objectRef<readonly [field: string, text: string]>("DisputeEvidence").implement({
  fields: (t) => ({
    field: t.string({ resolve: ([field]) => field }),
    text: t.string({ resolve: ([, text]) => text }),
  }),
});

DisputeType.implement({
  description: "A chargeback: the cardholder's bank takes money of a payment back, until it is decided.",
  fields: (t) => ({
    id: t.exposeID("id"),
    payment: t.field({
      type: PaymentType,
      complexity: 5,
      resolve: ({ payment }, _args, context) => mustFindPayment(context, payment),
    }),
    paymentId: t.exposeID("payment"),
    account: t.field({ type: ProviderAccountType, complexity: 5, resolve: accountOf }),
    providerRef: t.exposeString("ref"),
    amount: t.field({ type: MoneyType, resolve: ({ amount }) => amount }),
    held: t.field({
      type: MoneyType,
      description: "What the provider took off its balance, in the currency that it settles in.",
      resolve: ({ held }) => held,
    }),
    fee: t.field({
      type: MoneyType,
      description: "What the provider kept for it so far.",
      resolve: ({ fee }) => fee,
    }),
    reason: t.exposeString("reason"),
    state: t.field({ type: DisputeStateEnum, resolve: ({ state }) => state }),
    evidence: t.field({
      type: [EvidenceType],
      description: "As it is kept, sent or not.",
      resolve: ({ evidence }) => Object.entries(evidence ?? {}),
    }),
    evidenceDueAt: t.field({
      type: "Instant",
      nullable: true,
      description: "Without evidence by then it is lost.",
      resolve: ({ evidenceDueAt }) => evidenceDueAt ?? null,
    }),
    submittedAt: t.field({
      type: "Instant",
      nullable: true,
      description: "When evidence was sent for good.",
      resolve: ({ submittedAt }) => submittedAt ?? null,
    }),
    openedAt: t.expose("openedAt", { type: "Instant" }),
    changedAt: t.expose("changedAt", { type: "Instant" }),
    closedAt: t.field({ type: "Instant", nullable: true, resolve: ({ closedAt }) => closedAt ?? null }),
    postings: t.field({
      type: [PostingType],
      description: "What it posted to the ledger.",
      complexity: postingsComplexity,
      resolve: ({ id }, _args, context) => postingsOf(context, id),
    }),
  }),
});

builder.queryFields((t) => ({
  disputes: t.connection({
    type: DisputeType,
    description: "Chargebacks, oldest first.",
    args: { payment: t.arg.id(), state: t.arg({ type: DisputeStateEnum }) },
    resolve: (_root, { payment, state, ...args }, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.payments.disputes.list(caller.organization, { ...page, ...given({ payment, state }) }),
      ),
  }),
  dispute: t.field({
    type: DisputeType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.payments.disputes.find(caller.organization, id)) ?? null,
  }),
}));

const EvidenceInput = builder.inputType("DisputeEvidenceInput", {
  fields: (t) => ({
    field: t.string({
      required: true,
      description: "As the provider names it, such as customer_communication or uncategorized_text.",
    }),
    text: t.string({ required: true, description: "At most 20,000 characters." }),
  }),
});

builder.mutationFields((t) => ({
  submitDisputeEvidence: t.field({
    type: DisputeType,
    description:
      "Keeps evidence against a dispute, at the provider too; sends it to the bank, once and for good, when told to submit.",
    errors: {},
    args: {
      dispute: t.arg.id({ required: true }),
      evidence: t.arg({
        type: [EvidenceInput],
        required: true,
        description: "Fields that are not named stay.",
      }),
      submit: t.arg.boolean({ description: "False when left out: it can still be changed." }),
    },
    resolve: (_root, { dispute, evidence, submit }, context) => {
      requireSecretKey(context);
      const fields = evidence.map(({ field }) => field);
      const twice = fields.find((field, index) => fields.indexOf(field) !== index);
      if (twice !== undefined) throw givenTwice(twice);
      const input = {
        dispute,
        evidence: Object.fromEntries(evidence.map(({ field, text }) => [field, text])),
        submit: submit ?? false,
      };
      return context.services.payments.disputes.submitEvidence(context.caller, input, context.idempotencyKey);
    },
  }),
  acceptDispute: t.field({
    type: DisputeType,
    description: "Gives in: the dispute is lost, and the money stays with the customer.",
    errors: {},
    args: { dispute: t.arg.id({ required: true }) },
    resolve: (_root, { dispute }, context) => {
      requireSecretKey(context);
      return context.services.payments.disputes.accept(context.caller, dispute, context.idempotencyKey);
    },
  }),
}));

function givenTwice(name: string): Refusal {
  const field = `evidence.${name.slice(0, 64)}`;
  const errors = [{ field, message: "is given twice" }];
  return new Refusal(
    makeProblem("invalid-evidence", 400, "The evidence is not valid", `${field}: is given twice`, { errors }),
  );
}

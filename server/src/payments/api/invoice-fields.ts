import { CreditNoteType, InvoiceType, LineExplanationType, MoneyType } from "../../billing/api/graphql.js";
import { builder } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { PostingType } from "../../ledger/api/graphql.js";
import { attempts_per_invoice_max } from "../attempts.js";
import { postingsComplexity, postingsOf } from "./ledger-postings.js";
import type { TransferInstructions } from "../payment-instructions.js";
import { accountOf } from "./account-field.js";
import { PaymentAttemptType, PaymentType, ProviderAccountType, ReceivableType } from "./references.js";

const TransferInstructionsType = builder.objectRef<TransferInstructions>("TransferInstructions").implement({
  description: "Where to pay, how much, and by which reference the payment is known again.",
  fields: (t) => ({
    account: t.field({ type: ProviderAccountType, complexity: 5, resolve: accountOf }),
    holder: t.exposeString("holder"),
    iban: t.exposeString("iban"),
    bic: t.string({ nullable: true, resolve: ({ bic }) => bic ?? null }),
    reference: t.exposeString("reference"),
    amount: t.expose("amount", { type: MoneyType, description: "What is owed now." }),
    qrPayload: t.string({
      nullable: true,
      description:
        "The text of a QR code that a banking app fills a SEPA transfer in from (EPC069-12); null in other currencies, and when nothing is owed.",
      resolve: ({ code }) => code ?? null,
    }),
  }),
});

/** From an invoice, a credit note, or why a line costs what it costs, on to the money that moved. */

builder.objectFields(InvoiceType, (t) => ({
  receivable: t.field({
    type: ReceivableType,
    nullable: true,
    complexity: 5,
    description: "What is owed of it; null for a draft, and where nothing was due.",
    resolve: async ({ id }, _args, { caller, services }) =>
      (await services.payments.receivables.find(caller.organization, id)) ?? null,
  }),
  attempts: t.field({
    type: [PaymentAttemptType],
    description: "Tries to take the money, by number.",
    complexity: { field: 10, multiplier: 5 },
    resolve: async ({ id }, _args, { caller, services }) => {
      const page = { invoice: id, limit: attempts_per_invoice_max };
      const found = await services.payments.charges.attemptsOf(caller.organization, page);
      return found.sort((one, other) => one.number - other.number);
    },
  }),
  payments: t.connection({
    type: PaymentType,
    description: "Money that went to it, in whole or in part, oldest first.",
    resolve: ({ id }, args, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.payments.charges.payments(caller.organization, { ...page, invoice: id }),
      ),
  }),
  paymentReference: t.string({
    nullable: true,
    complexity: 5,
    description:
      "What who pays by a transfer names: a structured creditor reference (ISO 11649), or the number where that is too long for one. Null without an account that takes transfers, for a draft, and where nothing was due.",
    resolve: async ({ id }, _args, { caller, services }) =>
      (await services.payments.instructions.ofInvoice(caller.organization, id))[0]?.reference ?? null,
  }),
  paymentInstructions: t.field({
    type: [TransferInstructionsType],
    complexity: 5,
    description:
      "How it can be paid by a transfer: one for each account that takes its currency, the oldest first.",
    resolve: ({ id }, _args, { caller, services }) =>
      services.payments.instructions.ofInvoice(caller.organization, id),
  }),
  postings: t.field({
    type: [PostingType],
    description:
      "What it posted to the ledger: revenue, tax and what is owed; credits and balance used; write-offs. Payments, refunds and credit notes have postings of their own.",
    complexity: postingsComplexity,
    resolve: ({ id }, _args, context) => postingsOf(context, id),
  }),
}));

builder.objectFields(CreditNoteType, (t) => ({
  postings: t.field({
    type: [PostingType],
    description: "What it posted to the ledger.",
    complexity: postingsComplexity,
    resolve: ({ id }, _args, context) => postingsOf(context, id),
  }),
}));

builder.objectFields(LineExplanationType, (t) => ({
  invoice: t.field({
    type: InvoiceType,
    nullable: true,
    complexity: 5,
    description: "On to how it was posted and paid; null for a preview.",
    resolve: ({ invoice }, _args, { caller, services }) =>
      invoice === undefined ? null : services.billing.invoices.get(caller.organization, invoice),
  }),
}));

import { PlanVersionType } from "../../catalog/api/graphql.js";
import { builder } from "../../graphql/builder.js";
import type { CreditNote, Invoice, InvoicePreview, InvoiceSection, InvoiceTax } from "../invoicing/index.js";
import type { InvoiceTotals } from "../core/index.js";
import type { Currency } from "../../kernel/currency.js";
import { customerOf } from "./customer-field.js";
import { TaxRateOfLineType } from "./line-types.js";
import {
  CreditNoteType,
  CustomerType,
  InvoiceLineType,
  InvoicePreviewType,
  InvoiceType,
  MoneyType,
  PeriodType,
  planVersionOf,
  PreviewLineType,
  SubscriptionType,
} from "./references.js";

type Either = Invoice | InvoicePreview;

const SectionType = builder.objectRef<InvoiceSection>("InvoiceSection").implement({
  description:
    "The part of an invoice that is one subscription's; several are on a payer's consolidated invoice.",
  fields: (t) => ({
    position: t.exposeInt("position"),
    kind: t.exposeString("kind", { description: "start, period, threshold or closing" }),
    period: t.field({ type: PeriodType, resolve: (section) => section.period }),
    timeZone: t.exposeString("timeZone"),
    customer: t.field({
      type: CustomerType,
      complexity: 5,
      resolve: customerOf,
    }),
    subscription: t.field({
      type: SubscriptionType,
      complexity: 5,
      resolve: (section, _args, { caller, services }) =>
        services.billing.subscriptions.get(caller.organization, section.subscription),
    }),
    planVersion: t.field({
      type: PlanVersionType,
      complexity: 5,
      resolve: (section, _args, context) => planVersionOf(context, section.planVersion),
    }),
  }),
});

const TotalsType = builder
  .objectRef<{ readonly totals: InvoiceTotals; readonly currency: Currency }>("InvoiceTotals")
  .implement({
    description: "From the lines to what is due, in the order in which it is computed.",
    fields: (t) => {
      const money = (of: (totals: InvoiceTotals) => bigint, description: string) =>
        t.field({
          type: MoneyType,
          description,
          resolve: ({ totals, currency }) => ({ currency, minor: of(totals) }),
        });
      return {
        subtotal: money(({ subtotal }) => subtotal, "The sum of the lines."),
        promotionalCredits: money(({ promotional }) => promotional, "Taken off before tax."),
        tax: money(({ tax }) => tax, "Of each rate rounded once."),
        total: money(({ total }) => total, "With tax; below zero when the invoice gives back."),
        paidCredits: money(({ paidCredits }) => paidCredits, "Prepaid credits that pay for it."),
        balanceUsed: money(({ balanceUsed }) => balanceUsed, "Balance that pays for it."),
        toBalance: money(({ toBalance }) => toBalance, "What it gives back, kept for later invoices."),
        due: money(({ due }) => due, "What remains to be paid, never below zero."),
      };
    },
  });

const InvoiceTaxType = builder
  .objectRef<InvoiceTax & { readonly currency: Currency }>("InvoiceTax")
  .implement({
    description: "What one rate comes to.",
    fields: (t) => ({
      rate: t.field({ type: TaxRateOfLineType, resolve: ({ rate }) => rate }),
      taxable: t.field({
        type: MoneyType,
        resolve: ({ currency, taxable }) => ({ currency, minor: taxable }),
      }),
      tax: t.field({ type: MoneyType, resolve: ({ currency, tax }) => ({ currency, minor: tax }) }),
    }),
  });

function firstOf({ sections }: Either): InvoiceSection {
  const [first] = sections;
  if (first === undefined) throw new Error("an invoice has at least one section");
  return first;
}

type PothosFields = Parameters<NonNullable<Parameters<typeof InvoicePreviewType.implement>[0]["fields"]>>[0];

function sharedFields(t: PothosFields) {
  return {
    customer: t.field({
      type: CustomerType,
      description: "Who pays.",
      complexity: 5,
      resolve: customerOf,
    }),
    subscription: t.field({
      type: SubscriptionType,
      description: "Of the first section.",
      complexity: 5,
      resolve: (invoice, _args, { caller, services }) =>
        services.billing.subscriptions.get(caller.organization, firstOf(invoice).subscription),
    }),
    planVersion: t.field({
      type: PlanVersionType,
      description: "Of the first section.",
      complexity: 5,
      resolve: (invoice, _args, context) => planVersionOf(context, firstOf(invoice).planVersion),
    }),
    sections: t.field({ type: [SectionType], resolve: (invoice) => [...invoice.sections] }),
    kind: t.exposeString("kind", { description: "start, period, threshold or closing" }),
    period: t.field({
      type: PeriodType,
      description: "Of the first section.",
      resolve: (invoice) => firstOf(invoice).period,
    }),
    boundary: t.expose("boundary", { type: "Instant", description: "The instant that its sections end at." }),
    issueAt: t.expose("issueAt", {
      type: "Instant",
      description: "The boundary and the grace: until then late usage is waited for.",
    }),
    timeZone: t.exposeString("timeZone"),
    currency: t.exposeString("currency"),
    watermark: t.field({
      type: "JSON",
      description: "The usage it was computed from.",
      resolve: (invoice) => invoice.watermark,
    }),
    totals: t.field({ type: TotalsType, resolve: (invoice) => invoice }),
    subtotal: t.field({
      type: MoneyType,
      resolve: ({ currency, totals }) => ({ currency, minor: totals.subtotal }),
    }),
    total: t.field({
      type: MoneyType,
      description: "With tax.",
      resolve: ({ currency, totals }) => ({ currency, minor: totals.total }),
    }),
    due: t.field({
      type: MoneyType,
      description: "What remains to be paid, never below zero.",
      resolve: ({ currency, totals }) => ({ currency, minor: totals.due }),
    }),
    taxes: t.field({
      type: [InvoiceTaxType],
      resolve: ({ currency, taxes }) => taxes.map((tax) => ({ ...tax, currency })),
    }),
    notices: t.stringList({
      description: "What to look at, such as that it comes to nothing.",
      resolve: (invoice) => [...invoice.notices],
    }),
  };
}

InvoicePreviewType.implement({
  description: "What a period costs by the usage known now. It is stored nowhere.",
  fields: (t) => ({
    ...sharedFields(t),
    lines: t.field({
      type: [PreviewLineType],
      resolve: ({ lines, currency }) => lines.map((line) => ({ line, currency })),
    }),
    computedAt: t.expose("computedAt", { type: "Instant" }),
  }),
});

InvoiceType.implement({
  description: "A stored invoice with the inputs it was computed from. Finalized, it never changes.",
  fields: (t) => ({
    id: t.exposeID("id"),
    ...sharedFields(t as unknown as PothosFields),
    status: t.exposeString("status", { description: "draft, finalized or voided" }),
    number: t.string({
      nullable: true,
      description: "Without gaps in the organization; null for a draft.",
      resolve: ({ finalized }) => finalized?.number ?? null,
    }),
    lines: t.field({
      type: [InvoiceLineType],
      resolve: (invoice) => invoice.lines.map((line) => ({ invoice, line, currency: invoice.currency })),
    }),
    revision: t.exposeInt("revision", { description: "1 when created, one more each time it was computed." }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    refreshedAt: t.expose("refreshedAt", { type: "Instant" }),
    finalizedAt: t.field({
      type: "Instant",
      nullable: true,
      resolve: ({ finalized }) => finalized?.at ?? null,
    }),
    paymentDueAt: t.field({
      type: "Instant",
      nullable: true,
      resolve: ({ finalized }) => finalized?.paymentDueAt ?? null,
    }),
    voidedAt: t.field({
      type: "Instant",
      nullable: true,
      resolve: ({ voidedAt }) => voidedAt ?? null,
    }),
    creditNotes: t.field({
      type: [CreditNoteType],
      complexity: 10,
      resolve: ({ id }, _args, { caller, services }) =>
        services.billing.creditNotes.list(caller.organization, { invoice: id, limit: 1000 }),
    }),
  }),
});

const CreditNoteLineType = builder
  .objectRef<CreditNote["lines"][number] & { readonly currency: Currency }>("CreditNoteLine")
  .implement({
    fields: (t) => ({
      lineId: t.exposeID("line"),
      net: t.field({ type: MoneyType, resolve: ({ currency, net }) => ({ currency, minor: net }) }),
      tax: t.field({ type: MoneyType, resolve: ({ currency, tax }) => ({ currency, minor: tax }) }),
    }),
  });

CreditNoteType.implement({
  description: "What is given back of a finalized invoice.",
  fields: (t) => ({
    id: t.exposeID("id"),
    number: t.exposeString("number"),
    invoiceId: t.exposeID("invoice"),
    voids: t.exposeBoolean("voids", {
      description: "Gives back everything: what was billed is due again, on another invoice.",
    }),
    reason: t.exposeString("reason"),
    net: t.field({ type: MoneyType, resolve: ({ currency, net }) => ({ currency, minor: net }) }),
    tax: t.field({ type: MoneyType, resolve: ({ currency, tax }) => ({ currency, minor: tax }) }),
    toBalance: t.field({
      type: MoneyType,
      description: "What of it became balance, since the invoice had no more to be paid.",
      resolve: ({ currency, toBalance }) => ({ currency, minor: toBalance }),
    }),
    lines: t.field({
      type: [CreditNoteLineType],
      resolve: ({ lines, currency }) => lines.map((line) => ({ ...line, currency })),
    }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
  }),
});

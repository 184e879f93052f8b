import { builder, type GraphQLContext } from "../../graphql/builder.js";
import type { PlanVersion } from "../../catalog/index.js";
import { exponentOf } from "../../kernel/currency.js";
import type { PlanVersionId } from "../../kernel/ids.js";
import { toDecimal, type Money } from "../../kernel/money.js";
import type { BilledSpan, Period } from "../core/index.js";
import type { Customer } from "../customer.js";
import type { LineExplanation } from "../explanations.js";
import type { Invoice, InvoiceLine, InvoicePreview } from "../invoice.js";
import type { Subscription } from "../subscription.js";

/** A stored line and the invoice it is on. */
export interface LineOfInvoice {
  readonly invoice: Invoice;
  readonly line: InvoiceLine;
}

// The types refer to each other, so they are named here and described in files of their own.
export const CustomerType = builder.objectRef<Customer>("Customer");
// "Subscription" is the name of GraphQL's own root type of live queries.
export const SubscriptionType = builder.objectRef<Subscription>("CustomerSubscription");
export const InvoiceType = builder.objectRef<Invoice>("Invoice");
export const InvoiceLineType = builder.objectRef<LineOfInvoice>("InvoiceLine");
export const InvoicePreviewType = builder.objectRef<InvoicePreview>("InvoicePreview");
export const LineExplanationType = builder.objectRef<LineExplanation>("LineExplanation");

export const MoneyType = builder.objectRef<Money>("Money").implement({
  description: "An amount in whole minor units of its currency.",
  fields: (t) => ({
    currency: t.exposeString("currency"),
    minor: t.field({ type: "BigInt", description: "1234 is 12.34 USD.", resolve: (money) => money.minor }),
    amount: t.field({
      type: "Decimal",
      description: "In major units, with the currency's decimals.",
      resolve: (money) => toDecimal(money).toFixed(exponentOf(money.currency)),
    }),
  }),
});

export const PeriodType = builder.objectRef<Period>("Period").implement({
  description: "A half-open span of time: start belongs to it, end to the next.",
  fields: (t) => ({
    start: t.expose("start", { type: "Instant" }),
    end: t.expose("end", { type: "Instant" }),
  }),
});

export const BilledSubjectType = builder.objectRef<BilledSpan>("BilledSubject").implement({
  description: "A subject for the part of a period that it was the customer's: [from, to).",
  fields: (t) => ({
    subject: t.exposeString("subject"),
    from: t.expose("from", { type: "Instant" }),
    to: t.expose("to", { type: "Instant" }),
  }),
});

const versions = new WeakMap<GraphQLContext, Map<PlanVersionId, Promise<PlanVersion>>>();

/** A plan version, read once per request: every line of a list names one. */
export function planVersionOf(context: GraphQLContext, id: PlanVersionId): Promise<PlanVersion> {
  const known = versions.get(context) ?? new Map<PlanVersionId, Promise<PlanVersion>>();
  versions.set(context, known);
  const reading = known.get(id) ?? context.services.catalog.getVersion(context.caller.organization, id);
  known.set(id, reading);
  return reading;
}

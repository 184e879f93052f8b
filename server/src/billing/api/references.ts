import { builder, type GraphQLContext } from "../../graphql/builder.js";
import type { PlanVersion } from "../../catalog/index.js";
import type { PlanVersionId } from "../../kernel/ids.js";
import type { BilledSpan } from "../core/index.js";
import type { Customer } from "../customer.js";
import type { LineExplanation } from "../invoicing/explanations.js";
import type { Currency } from "../../kernel/currency.js";
import type { CreditNote } from "../invoicing/credit-note.js";
import type { Invoice, InvoiceLine, InvoicePreview, PreviewLine } from "../invoicing/invoice.js";
import type { Subscription } from "../subscription.js";

export { MoneyType } from "../../graphql/money-type.js";
export { PeriodType } from "../../graphql/period-type.js";

/** A stored line and the invoice it is on. */
export interface LineOfInvoice {
  readonly invoice: Invoice;
  readonly line: InvoiceLine;
  readonly currency: Currency;
}

// The types refer to each other, so they are named here and described in files of their own.
export const CustomerType = builder.objectRef<Customer>("Customer");
// "Subscription" is the name of GraphQL's own root type of live queries.
export const SubscriptionType = builder.objectRef<Subscription>("CustomerSubscription");
export const InvoiceType = builder.objectRef<Invoice>("Invoice");
export const InvoiceLineType = builder.objectRef<LineOfInvoice>("InvoiceLine");
export const InvoicePreviewType = builder.objectRef<InvoicePreview>("InvoicePreview");
export const PreviewLineType = builder.objectRef<{
  readonly line: PreviewLine;
  readonly currency: Currency;
}>("InvoicePreviewLine");
export const CreditNoteType = builder.objectRef<CreditNote>("CreditNote");
export const LineExplanationType = builder.objectRef<LineExplanation>("LineExplanation");

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

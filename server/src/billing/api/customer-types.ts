import { PlanVersionType } from "../../catalog/api/graphql.js";
import { builder } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { coveredPart, servicePeriodAt, type SubjectSpan } from "../core/index.js";
import {
  CustomerType,
  InvoicePreviewType,
  InvoiceType,
  PeriodType,
  planVersionOf,
  SubscriptionType,
} from "./references.js";

const SubjectAssignment = builder.objectRef<SubjectSpan>("SubjectAssignment").implement({
  description: "A subject that is the customer's for a half-open span of time.",
  fields: (t) => ({
    subject: t.exposeString("subject"),
    from: t.expose("from", { type: "Instant" }),
    to: t.field({
      type: "Instant",
      nullable: true,
      description: "Null while open.",
      resolve: (span) => span.to ?? null,
    }),
  }),
});

CustomerType.implement({
  description: "Who the organization bills.",
  fields: (t) => ({
    id: t.exposeID("id"),
    key: t.exposeString("key", { description: "The organization's own name for the customer." }),
    name: t.exposeString("name"),
    currency: t.string({
      nullable: true,
      description: "The only currency it is billed in; any when null.",
      resolve: (customer) => customer.currency ?? null,
    }),
    timeZone: t.exposeString("timeZone", { description: "IANA name; where its days and months begin." }),
    email: t.string({ nullable: true, resolve: (customer) => customer.email ?? null }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    subjects: t.field({
      type: [SubjectAssignment],
      complexity: 10,
      resolve: (customer, _args, { caller, services }) =>
        services.billing.customers.subjectsOf(caller.organization, customer.id),
    }),
    subscriptions: t.connection({
      type: SubscriptionType,
      resolve: (customer, args, { caller, services }) =>
        forwardConnection(args, (page) =>
          services.billing.subscriptions.list(caller.organization, { ...page, customer: customer.id }),
        ),
    }),
    invoices: t.connection({
      type: InvoiceType,
      resolve: (customer, args, { caller, services }) =>
        forwardConnection(args, (page) =>
          services.billing.invoices.list(caller.organization, { ...page, customer: customer.id }),
        ),
    }),
  }),
});

SubscriptionType.implement({
  description: "A customer on a plan version, with what decides its periods.",
  fields: (t) => ({
    id: t.exposeID("id"),
    customer: t.field({
      type: CustomerType,
      complexity: 5,
      resolve: (subscription, _args, { caller, services }) =>
        services.billing.customers.get(caller.organization, subscription.customer),
    }),
    planVersion: t.field({
      type: PlanVersionType,
      complexity: 5,
      resolve: (subscription, _args, context) => planVersionOf(context, subscription.planVersion),
    }),
    startedAt: t.expose("startedAt", { type: "Instant" }),
    anchorDay: t.int({
      description: "Day of the month that periods begin on; the last day of shorter months.",
      resolve: (subscription) => subscription.anchor.day,
    }),
    timeZone: t.exposeString("timeZone"),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    period: t.field({
      type: PeriodType,
      nullable: true,
      description: "The period that holds an instant, now when left out; null before the subscription.",
      args: { at: t.arg({ type: "Instant" }) },
      resolve: (subscription, { at }, { clock }) => {
        const full = servicePeriodAt(subscription, "month", at ?? clock.now());
        return full === undefined ? null : (coveredPart(subscription, full) ?? null);
      },
    }),
    preview: t.field({
      type: InvoicePreviewType,
      description: "What the period that holds an instant (now when left out) costs by the usage known now.",
      complexity: 50,
      args: { at: t.arg({ type: "Instant" }) },
      resolve: (subscription, { at }, { caller, services }) =>
        services.billing.invoices.preview(caller.organization, subscription.id, at ?? undefined),
    }),
    invoices: t.connection({
      type: InvoiceType,
      resolve: (subscription, args, { caller, services }) =>
        forwardConnection(args, (page) =>
          services.billing.invoices.list(caller.organization, { ...page, subscription: subscription.id }),
        ),
    }),
  }),
});

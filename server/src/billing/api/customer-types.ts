import { TaxExemptionType } from "../../tax/api/graphql.js";
import { builder } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import type { SubjectSpan } from "../core/index.js";
import type { BillingAddress } from "../customer.js";
import { CustomerType, InvoiceType, SubscriptionType } from "./references.js";

const BillingAddressType = builder.objectRef<BillingAddress>("BillingAddress").implement({
  description: "Where invoices are addressed to, and by whose rules they are taxed.",
  fields: (t) => ({
    line1: t.string({ nullable: true, resolve: (address) => address.line1 ?? null }),
    line2: t.string({ nullable: true, resolve: (address) => address.line2 ?? null }),
    city: t.string({ nullable: true, resolve: (address) => address.city ?? null }),
    postalCode: t.string({ nullable: true, resolve: (address) => address.postalCode ?? null }),
    region: t.string({ nullable: true, resolve: (address) => address.region ?? null }),
    country: t.string({
      nullable: true,
      description: "ISO 3166: NZ.",
      resolve: (address) => address.country ?? null,
    }),
  }),
});

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
    address: t.field({
      type: BillingAddressType,
      nullable: true,
      resolve: (customer) => customer.address ?? null,
    }),
    taxId: t.string({ nullable: true, resolve: (customer) => customer.taxId ?? null }),
    taxExempt: t.expose("taxExempt", { type: TaxExemptionType }),
    paymentTermsDays: t.exposeInt("paymentTermsDays"),
    locale: t.string({
      nullable: true,
      description: "What its invoices are written in: de-AT.",
      resolve: (customer) => customer.locale ?? null,
    }),
    electronicAddress: t.string({
      nullable: true,
      description: 'Where its e-invoices go, with the scheme of the code list EAS: "0204:991-01234-56".',
      resolve: (customer) => customer.electronicAddress ?? null,
    }),
    registrationNumber: t.string({
      nullable: true,
      description: "In a register of companies; with a scheme of ISO 6523: 0106:12345678.",
      resolve: (customer) => customer.registrationNumber ?? null,
    }),
    buyerReference: t.string({
      nullable: true,
      description: "What it wants named on its invoices: a Leitweg-ID, a cost centre, an order.",
      resolve: (customer) => customer.buyerReference ?? null,
    }),
    payer: t.field({
      type: CustomerType,
      nullable: true,
      complexity: 5,
      description: "Another customer who pays its invoices; null when it pays for itself.",
      resolve: (customer, _args, { caller, services }) =>
        customer.payer === undefined
          ? null
          : services.billing.customers.get(caller.organization, customer.payer),
    }),
    paysFor: t.connection({
      type: CustomerType,
      description: "The customers that it pays for.",
      resolve: (customer, args, { caller, services }) =>
        forwardConnection(args, (page) =>
          services.billing.customers.list(caller.organization, { ...page, payer: customer.id }),
        ),
    }),
    erasedAt: t.field({
      type: "Instant",
      nullable: true,
      description: "When its personal data was replaced, for good.",
      resolve: (customer) => customer.erasedAt ?? null,
    }),
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

import { writePriceModel } from "../../catalog/core/index.js";
import { PlanVersionType } from "../../catalog/api/graphql.js";
import { builder } from "../../graphql/builder.js";
import { forwardConnection, forwardPage } from "../../graphql/forward-connection.js";
import type { BillingAnchor } from "../../kernel/billing-period.js";
import {
  billingPeriodAt,
  nextBoundary,
  phaseAt,
  phasesOf,
  statusAt,
  timeZoneAt,
  type QuantityChange,
  type Redemption,
  type SchedulePhase,
  type SubscribedAddOn,
  type SubscriptionStatus,
} from "../core/index.js";
import type { Subscription, SubscriptionChange } from "../subscription.js";
import { customerOf } from "./customer-field.js";
import {
  CustomerType,
  InvoicePreviewType,
  InvoiceType,
  PeriodType,
  planVersionOf,
  SubscriptionType,
} from "./references.js";

const changes_page_max = 200;

const statuses: readonly SubscriptionStatus[] = ["scheduled", "trialing", "active", "canceled", "ended"];
const StatusEnum = builder.enumType("SubscriptionStatus", {
  description: "CANCELED still runs, and is to end.",
  values: Object.fromEntries(statuses.map((value) => [value.toUpperCase(), { value }])) as Record<
    string,
    { value: SubscriptionStatus }
  >,
});

const AnchorType = builder.objectRef<BillingAnchor>("BillingAnchor").implement({
  description: "Where periods begin.",
  fields: (t) => ({
    day: t.exposeInt("day", { description: "Of the month; the last day of shorter months." }),
    month: t.int({ description: "Of quarters and years.", resolve: (anchor) => anchor.month ?? 1 }),
    weekday: t.int({ description: "Of weeks; Monday is 1.", resolve: (anchor) => anchor.weekday ?? 1 }),
  }),
});

const PhaseType = builder.objectRef<SchedulePhase>("SubscriptionPhase").implement({
  description: "What plan a subscription is on, for a half-open span of time.",
  fields: (t) => ({
    from: t.expose("from", { type: "Instant" }),
    to: t.field({
      type: "Instant",
      nullable: true,
      description: "Null while open.",
      resolve: (phase) => phase.to ?? null,
    }),
    planVersion: t.field({
      type: PlanVersionType,
      complexity: 5,
      resolve: (phase, _args, context) => planVersionOf(context, phase.planVersion),
    }),
    phase: t.string({
      nullable: true,
      description: "The key of the plan's phase.",
      resolve: (phase) => phase.phase ?? null,
    }),
    interval: t.exposeString("interval", {
      description: "How often it is billed: week, month, quarter, year.",
    }),
    overrides: t.field({
      type: "JSON",
      description: "Models that stand in for the plan's, by price key, as in catalog.yaml.",
      resolve: (phase) =>
        Object.fromEntries(
          Object.entries(phase.overrides).map(([key, model]) => [key, writePriceModel(model)]),
        ),
    }),
  }),
});

const QuantityType = builder.objectRef<QuantityChange>("SubscriptionQuantity").implement({
  description: "A licensed quantity from an instant on, until the next of the same price.",
  fields: (t) => ({
    price: t.exposeString("priceKey"),
    from: t.expose("at", { type: "Instant" }),
    quantity: t.field({ type: "Decimal", resolve: (change) => change.quantity.toString() }),
  }),
});

interface AddOnOf {
  readonly subscription: Subscription;
  readonly addOn: SubscribedAddOn;
}

const SubscribedAddOnType = builder.objectRef<AddOnOf>("SubscribedAddOn").implement({
  description: "An add-on on a subscription, for a half-open span of time.",
  fields: (t) => ({
    id: t.id({ resolve: ({ addOn }) => addOn.id }),
    addOnVersion: t.id({ resolve: ({ addOn }) => addOn.addOnVersion }),
    key: t.string({
      complexity: 5,
      resolve: async ({ addOn }, _args, { caller, services }) => {
        const [found] = await services.billing.catalog.addOnVersions(caller.organization, [
          addOn.addOnVersion,
        ]);
        return found?.key ?? "";
      },
    }),
    from: t.field({ type: "Instant", resolve: ({ addOn }) => addOn.from }),
    to: t.field({ type: "Instant", nullable: true, resolve: ({ addOn }) => addOn.to ?? null }),
    quantity: t.field({ type: "Decimal", resolve: ({ addOn }) => addOn.quantity.toString() }),
  }),
});

const RedemptionType = builder.objectRef<Redemption>("CouponRedemption").implement({
  description: "A coupon that counts for what is served in a half-open span of time.",
  fields: (t) => ({
    coupon: t.id({ resolve: (redemption) => redemption.coupon }),
    key: t.string({
      complexity: 5,
      resolve: async ({ coupon }, _args, { caller, services }) => {
        const [found] = await services.billing.catalog.coupons(caller.organization, [coupon]);
        return found?.key ?? "";
      },
    }),
    from: t.expose("from", { type: "Instant" }),
    to: t.field({ type: "Instant", nullable: true, resolve: (redemption) => redemption.to ?? null }),
  }),
});

const ChangeType = builder.objectRef<SubscriptionChange>("SubscriptionChange").implement({
  description: "One change of a subscription: what, from when on, by whom.",
  fields: (t) => ({
    revision: t.exposeInt("revision"),
    action: t.exposeString("action"),
    effectiveAt: t.expose("effectiveAt", { type: "Instant" }),
    details: t.field({ type: "JSON", resolve: (change) => change.details }),
    actor: t.exposeString("actor"),
    recordedAt: t.expose("recordedAt", { type: "Instant" }),
  }),
});

SubscriptionType.implement({
  description: "A customer on plans over time, with what decides its periods.",
  fields: (t) => ({
    id: t.exposeID("id"),
    customer: t.field({
      type: CustomerType,
      complexity: 5,
      resolve: customerOf,
    }),
    status: t.field({
      type: StatusEnum,
      resolve: (subscription, _args, { clock }) => statusAt(subscription, clock.now()),
    }),
    currency: t.exposeString("currency"),
    planVersion: t.field({
      type: PlanVersionType,
      complexity: 5,
      description:
        "The one at an instant, now when left out; the first before the start, the last after the end.",
      args: { at: t.arg({ type: "Instant" }) },
      resolve: (subscription, { at }, context) => {
        const schedule = phasesOf(subscription);
        const moment = at ?? context.clock.now();
        const phase =
          phaseAt(subscription, moment) ??
          (moment < subscription.startedAt
            ? subscription.schedule[0]
            : (schedule.at(-1) ?? subscription.schedule[0]));
        if (phase === undefined) throw new Error(`${subscription.id} has no schedule`);
        return planVersionOf(context, phase.planVersion);
      },
    }),
    schedule: t.field({ type: [PhaseType], resolve: (subscription) => [...phasesOf(subscription)] }),
    quantities: t.field({
      type: [QuantityType],
      description: "By price and time.",
      resolve: (subscription) => [...subscription.quantities],
    }),
    addOns: t.field({
      type: [SubscribedAddOnType],
      resolve: (subscription) => subscription.addOns.map((addOn) => ({ subscription, addOn })),
    }),
    coupons: t.field({ type: [RedemptionType], resolve: (subscription) => [...subscription.coupons] }),
    startedAt: t.expose("startedAt", { type: "Instant" }),
    trialEnd: t.field({
      type: "Instant",
      nullable: true,
      description: "Until then nothing is charged.",
      resolve: (subscription) => subscription.trialEnd ?? null,
    }),
    endsAt: t.field({
      type: "Instant",
      nullable: true,
      description: "The first instant after its last day, once it is canceled.",
      resolve: (subscription) => subscription.endsAt ?? null,
    }),
    canceledAt: t.field({
      type: "Instant",
      nullable: true,
      resolve: (subscription) => subscription.canceledAt ?? null,
    }),
    anchor: t.expose("anchor", { type: AnchorType }),
    anchorDay: t.int({
      description: "Day of the month that periods begin on; the last day of shorter months.",
      resolve: (subscription) => subscription.anchor.day,
    }),
    timeZone: t.string({
      description: "The one in force at an instant, now when left out.",
      args: { at: t.arg({ type: "Instant" }) },
      resolve: (subscription, { at }, { clock }) => timeZoneAt(subscription, at ?? clock.now()),
    }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    period: t.field({
      type: PeriodType,
      nullable: true,
      description:
        "The billing period that holds an instant, now when left out; null before the subscription and after its end.",
      args: { at: t.arg({ type: "Instant" }) },
      resolve: (subscription, { at }, { clock }) => billingPeriodAt(subscription, at ?? clock.now()) ?? null,
    }),
    nextBoundary: t.field({
      type: "Instant",
      nullable: true,
      description: "The next instant, after now when left out, at which there is something to bill.",
      args: { after: t.arg({ type: "Instant" }) },
      resolve: (subscription, { after }, { clock }) =>
        nextBoundary(subscription, after ?? clock.now()) ?? null,
    }),
    changes: t.field({
      type: [ChangeType],
      description: "What was changed, newest first; before a revision for the next page.",
      complexity: 10,
      args: { first: t.arg.int({ defaultValue: 50 }), before: t.arg.int() },
      resolve: (subscription, { first, before }, { caller, services }) => {
        const { limit } = forwardPage({ first }, changes_page_max);
        const page = before == null ? { limit } : { limit, before };
        return services.billing.subscriptions.changesOf(caller.organization, subscription, page);
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

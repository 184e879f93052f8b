import { PlanVersionType, PriceType } from "../../catalog/api/graphql.js";
import { builder } from "../../graphql/builder.js";
import { forwardPage } from "../../graphql/forward-connection.js";
import { toZoned } from "../../kernel/time-zone.js";
import type { Currency } from "../../kernel/currency.js";
import type { Difference, LineComputation, LineExplanation } from "../invoicing/explanations.js";
import type { BilledMeter, EvidencePage, EvidenceRow, WindowQuantity } from "../usage-port.js";
import { customerOf } from "./customer-field.js";
import { PortionType, RatedTierType, tiersOf } from "./line-types.js";
import {
  BilledSubjectType,
  CustomerType,
  LineExplanationType,
  MoneyType,
  PeriodType,
  SubscriptionType,
} from "./references.js";

const events_page_max = 1000;

const ComputationType = builder
  .objectRef<LineComputation & { readonly currency: Currency }>("LineComputation")
  .implement({
    description: "A quantity, and the amount it comes to tier by tier.",
    fields: (t) => ({
      quantity: t.field({
        type: "Decimal",
        nullable: true,
        resolve: (line) => line.quantity?.toString() ?? null,
      }),
      eventCount: t.exposeFloat("events"),
      tiers: t.field({ type: [RatedTierType], resolve: (line) => tiersOf(line.portions) }),
      portions: t.field({ type: [PortionType], resolve: (line) => [...line.portions] }),
      amount: t.field({
        type: "Decimal",
        description: "Exact, in major units.",
        resolve: (line) => line.exact.toString(),
      }),
      money: t.field({
        type: MoneyType,
        description: "The amount, rounded once.",
        resolve: ({ currency, minor }) => ({ currency, minor }),
      }),
    }),
  });

const DifferenceType = builder.objectRef<Difference>("LineDifference").implement({
  fields: (t) => ({
    field: t.exposeString("field"),
    recorded: t.exposeString("recorded"),
    recomputed: t.exposeString("recomputed"),
  }),
});

const MeterOfLineType = builder.objectRef<BilledMeter>("MeterOfLine").implement({
  description: "The version of the meter that measured a line.",
  fields: (t) => ({
    versionId: t.exposeID("id"),
    id: t.exposeID("meter"),
    slug: t.exposeString("slug"),
    name: t.exposeString("name"),
    aggregation: t.exposeString("aggregation"),
    version: t.exposeInt("version"),
  }),
});

const DayType = builder.objectRef<WindowQuantity & { readonly date: string }>("LineDay").implement({
  description: "The quantity of one day in the customer's zone.",
  fields: (t) => ({
    date: t.exposeString("date", { description: "The local date, 2026-01-31." }),
    start: t.expose("start", { type: "Instant" }),
    end: t.expose("end", { type: "Instant" }),
    quantity: t.field({ type: "Decimal", resolve: (window) => window.quantity.toString() }),
    eventCount: t.exposeFloat("events"),
  }),
});

const EvidenceType = builder.objectRef<EvidenceRow>("MeasuredEvent").implement({
  description: "An event that was measured into a line.",
  fields: (t) => ({
    source: t.exposeString("source"),
    id: t.exposeString("id"),
    type: t.exposeString("type"),
    subject: t.exposeString("subject"),
    time: t.expose("time", { type: "Instant" }),
    value: t.exposeString("value", { description: "What the meter read from it." }),
    data: t.field({
      type: "JSON",
      nullable: true,
      resolve: (row): unknown => (row.data === "" ? null : JSON.parse(row.data)),
    }),
  }),
});

const EvidencePageType = builder.objectRef<EvidencePage>("MeasuredEventPage").implement({
  fields: (t) => ({
    nodes: t.field({ type: [EvidenceType], resolve: (page) => [...page.rows] }),
    endCursor: t.string({
      nullable: true,
      description: "Give it as `after` for the next page; null on the last.",
      resolve: (page) => page.next ?? null,
    }),
  }),
});

LineExplanationType.implement({
  description: "Why a line costs what it costs: its inputs, and the same line computed again from them.",
  fields: (t) => ({
    invoiceId: t.id({
      nullable: true,
      description: "Null for a preview.",
      resolve: (why) => why.invoice ?? null,
    }),
    lineId: t.id({ nullable: true, resolve: (why) => why.lineId ?? null }),
    customer: t.field({
      type: CustomerType,
      complexity: 5,
      resolve: customerOf,
    }),
    subscription: t.field({
      type: SubscriptionType,
      complexity: 5,
      resolve: (why, _args, { caller, services }) =>
        services.billing.subscriptions.get(caller.organization, why.subscription),
    }),
    planVersion: t.field({ type: PlanVersionType, resolve: (why) => why.planVersion }),
    price: t.field({ type: PriceType, nullable: true, resolve: (why) => why.price ?? null }),
    meter: t.field({ type: MeterOfLineType, nullable: true, resolve: (why) => why.meter ?? null }),
    name: t.string({ resolve: (why) => why.line.name }),
    kind: t.string({ resolve: (why) => why.line.kind }),
    billedBefore: t.field({
      type: MoneyType,
      description: "What earlier invoices billed of the charge: the line is what it comes to less this.",
      resolve: ({ line, currency }) => ({ currency, minor: line.billedNet }),
    }),
    money: t.field({
      type: MoneyType,
      description: "The line.",
      resolve: ({ line, currency }) => ({ currency, minor: line.net }),
    }),
    adjustment: t.field({
      type: "JSON",
      nullable: true,
      description:
        "Of a coupon, minimum, maximum or commitment: the agreed amount and what the charges came to, in minor units.",
      resolve: ({ line: { adjustment } }): unknown =>
        adjustment === undefined
          ? null
          : { ...adjustment, agreed: adjustment.agreed.toString(), base: adjustment.base.toString() },
    }),
    period: t.field({
      type: PeriodType,
      description: "What of the service period is charged.",
      resolve: (why) => why.line.covered,
    }),
    timeZone: t.exposeString("timeZone"),
    watermark: t.field({
      type: "JSON",
      description: "Which usage was read.",
      resolve: (why) => why.watermark,
    }),
    subjects: t.field({ type: [BilledSubjectType], resolve: (why) => [...why.line.subjects] }),
    recorded: t.field({
      type: ComputationType,
      description: "What the invoice says.",
      resolve: (why) => ({ ...why.recorded, currency: why.currency }),
    }),
    recomputed: t.field({
      type: ComputationType,
      description: "The same, read and rated again at the same watermark.",
      resolve: (why) => ({ ...why.recomputed, currency: why.currency }),
    }),
    reproduced: t.exposeBoolean("reproduced", {
      description: "Whether recomputing gave the same quantity, tiers and amount, digit for digit.",
    }),
    differences: t.field({ type: [DifferenceType], resolve: (why) => [...why.differences] }),
    days: t.field({
      type: [DayType],
      description: "The quantity of each local day that has any; they add up for meters that sum or count.",
      complexity: 20,
      resolve: async (why, _args, { services }) => {
        const days = await services.billing.explanations.daysOf(why);
        return days.map((one) => ({
          ...one,
          date: toZoned(one.start, why.timeZone).toPlainDate().toString(),
        }));
      },
    }),
    events: t.field({
      type: EvidencePageType,
      description: "The events, in time order, as of the watermark.",
      complexity: 20,
      args: { first: t.arg.int({ defaultValue: 50 }), after: t.arg.string() },
      resolve: (why: LineExplanation, args, { services }) =>
        services.billing.explanations.eventsOf(why, forwardPage(args, events_page_max)),
    }),
  }),
});

import { builder, requireSecretKey } from "../../graphql/builder.js";
import { Decimal } from "../../kernel/decimal.js";
import type { Instant } from "../../kernel/instant.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { parsePriceModel } from "../../rating/core/index.js";
import type { When } from "../core/index.js";
import type { Overrides, Quantities } from "../subscription.js";
import { SubscriptionType } from "./references.js";

const AnchorInput = builder.inputType("BillingAnchorInput", {
  fields: (t) => ({
    day: t.int({ required: true, description: "Of the month, 1 to 31; the last day of shorter months." }),
    month: t.int({ description: "1 to 12; January when left out. Of quarters and years." }),
    weekday: t.int({ description: "1 (Monday, when left out) to 7. Of weeks." }),
  }),
});

const AnchorEnum = builder.enumType("BillingAnchorKind", {
  description:
    "CALENDAR: periods begin on the first of the month, quarter, year, and on Mondays. ANNIVERSARY: on the day it started.",
  values: { CALENDAR: { value: "calendar" }, ANNIVERSARY: { value: "anniversary" } } as const,
});

const QuantityInput = builder.inputType("LicensedQuantityInput", {
  fields: (t) => ({
    price: t.string({ required: true, description: "The licensed price's key." }),
    quantity: t.field({ type: "Decimal", required: true }),
  }),
});

const OverrideInput = builder.inputType("PriceOverrideInput", {
  description: "A model that stands in for a price's own.",
  fields: (t) => ({
    price: t.string({ required: true, description: "The price's key." }),
    model: t.field({
      type: "JSON",
      required: true,
      description: '{"kind": "per_unit", "unitAmount": "0.02", …}',
    }),
  }),
});

const WhenEnum = builder.enumType("ChangeTime", {
  description: "NOW is today, from its beginning or to its end; PERIOD_END the end of the billing period.",
  values: { NOW: { value: "now" }, PERIOD_END: { value: "period_end" } } as const,
});

/** @throws Refusal 400 when both are given */
function whenOf(args: {
  readonly when?: "now" | "period_end" | null | undefined;
  readonly at?: Instant | null | undefined;
}): { when?: When } {
  if (args.when != null && args.at != null)
    throw invalid([{ field: "at", message: "give when or at, not both" }]);
  if (args.at != null) return { when: { kind: "at", at: args.at } };
  return args.when == null ? {} : { when: { kind: args.when } };
}

function quantitiesOf(
  inputs: readonly { readonly price: string; readonly quantity: string }[] | null | undefined,
): { quantities?: Quantities } {
  if (inputs == null) return {};
  return {
    quantities: Object.fromEntries(
      inputs.map(({ price, quantity }) => [price, decimalOf("quantity", quantity)]),
    ),
  };
}

/** @throws Refusal 400 with each fault and its place */
function overridesOf(
  inputs: readonly { readonly price: string; readonly model?: unknown }[] | null | undefined,
): { overrides?: Overrides } {
  if (inputs == null) return {};
  const overrides = inputs.map(({ price, model }) => {
    try {
      return [price, parsePriceModel(model)] as const;
    } catch (error) {
      if (error instanceof RangeError)
        throw invalid([{ field: `overrides.${price}`, message: error.message }]);
      throw error;
    }
  });
  return { overrides: Object.fromEntries(overrides) };
}

function decimalOf(field: string, text: string): Decimal {
  const decimal = Decimal.parse(text);
  if (decimal === undefined)
    throw invalid([{ field, message: `"${text.slice(0, 100)}" is not a decimal number` }]);
  return decimal;
}

function invalid(errors: readonly { field: string; message: string }[]): Refusal {
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  return new Refusal(
    makeProblem("invalid-subscription", 400, "The subscription is not valid", detail, { errors }),
  );
}

const whenText = { when: "Now when left out.", at: "Any instant of the local day; instead of `when`." };

builder.mutationFields((t) => ({
  createSubscription: t.field({
    type: SubscriptionType,
    description: "Puts a customer on a plan from the beginning of a day in the customer's zone.",
    errors: {},
    args: {
      customer: t.arg.string({ required: true, description: "Id or key." }),
      plan: t.arg.string({
        required: true,
        description: "A plan's id or key for the version in force at the start, or a plan version's id.",
      }),
      start: t.arg({
        type: "Instant",
        description: "Any instant of the first day, up to ten years back or ahead; today when left out.",
      }),
      anchorDay: t.arg.int({
        description: "Day of the month that periods begin on, 1 to 31; short for `anchorAt: {day}`.",
      }),
      anchor: t.arg({ type: AnchorEnum, description: "CALENDAR when left out." }),
      anchorAt: t.arg({ type: AnchorInput, description: "Instead of `anchor`." }),
      currency: t.arg.string({ description: "The customer's, or else the plan's, when left out." }),
      trialDays: t.arg.int({ description: "The plan's when left out." }),
      quantities: t.arg({ type: [QuantityInput], description: "Of licensed prices; 1 when left out." }),
      overrides: t.arg({ type: [OverrideInput] }),
      coupons: t.arg.stringList({ description: "Ids or keys." }),
    },
    resolve: (_root, args, context) => {
      requireSecretKey(context);
      const { customer, plan, start, anchorDay, anchor, anchorAt, currency, trialDays, coupons } = args;
      if (anchor != null && anchorAt != null)
        throw invalid([{ field: "anchorAt", message: "give anchor or anchorAt, not both" }]);
      const chosen =
        anchorAt == null
          ? anchor
          : {
              day: anchorAt.day,
              ...(anchorAt.month == null ? {} : { month: anchorAt.month }),
              ...(anchorAt.weekday == null ? {} : { weekday: anchorAt.weekday }),
            };
      const input = {
        customer,
        plan,
        ...(start == null ? {} : { start }),
        ...(anchorDay == null ? {} : { anchorDay }),
        ...(chosen == null ? {} : { anchor: chosen }),
        ...(currency == null ? {} : { currency }),
        ...(trialDays == null ? {} : { trialDays }),
        ...quantitiesOf(args.quantities),
        ...overridesOf(args.overrides),
        ...(coupons == null ? {} : { coupons }),
      };
      return context.services.billing.subscriptions.create(context.caller, input, context.idempotencyKey);
    },
  }),
  changePlan: t.field({
    type: SubscriptionType,
    description:
      "Upgrade or downgrade: the schedule is cut at the beginning of a local day and goes on with the other plan. What was before stays.",
    errors: {},
    args: {
      subscription: t.arg.id({ required: true }),
      plan: t.arg.string({ required: true, description: "Id or key, or a plan version's id." }),
      when: t.arg({ type: WhenEnum, description: whenText.when }),
      at: t.arg({ type: "Instant", description: whenText.at }),
      quantities: t.arg({
        type: [QuantityInput],
        description: "Kept under the same price key when left out.",
      }),
      overrides: t.arg({ type: [OverrideInput] }),
    },
    resolve: (_root, args, context) => {
      requireSecretKey(context);
      const { subscription, plan } = args;
      const input = {
        subscription,
        plan,
        ...whenOf(args),
        ...quantitiesOf(args.quantities),
        ...overridesOf(args.overrides),
      };
      return context.services.billing.subscriptionChanges.changePlan(
        context.caller,
        input,
        context.idempotencyKey,
      );
    },
  }),
  setQuantity: t.field({
    type: SubscriptionType,
    description:
      "Another licensed quantity from the beginning of a local day on. Up to 35 days back also over invoiced time: the next invoice takes the difference.",
    errors: {},
    args: {
      subscription: t.arg.id({ required: true }),
      price: t.arg.string({ required: true, description: "The licensed price's key." }),
      quantity: t.arg({ type: "Decimal", required: true }),
      when: t.arg({ type: WhenEnum, description: whenText.when }),
      at: t.arg({ type: "Instant", description: whenText.at }),
    },
    resolve: (_root, args, context) => {
      requireSecretKey(context);
      const { subscription, price } = args;
      const input = { subscription, price, quantity: decimalOf("quantity", args.quantity), ...whenOf(args) };
      return context.services.billing.subscriptionChanges.setQuantity(
        context.caller,
        input,
        context.idempotencyKey,
      );
    },
  }),
  attachAddOn: t.field({
    type: SubscriptionType,
    description: "Puts an add-on on top, from the beginning of a local day on.",
    errors: {},
    args: {
      subscription: t.arg.id({ required: true }),
      addOn: t.arg.string({ required: true, description: "Id or key; the version that is sold now." }),
      quantity: t.arg({ type: "Decimal", description: "1 when left out." }),
      when: t.arg({ type: WhenEnum, description: whenText.when }),
      at: t.arg({ type: "Instant", description: whenText.at }),
      until: t.arg({ type: "Instant", description: "Any instant of its last day; open when left out." }),
    },
    resolve: (_root, args, context) => {
      requireSecretKey(context);
      const { subscription, addOn, quantity, until } = args;
      const input = {
        subscription,
        addOn,
        ...(quantity == null ? {} : { quantity: decimalOf("quantity", quantity) }),
        ...whenOf(args),
        ...(until == null ? {} : { until }),
      };
      return context.services.billing.subscriptionChanges.attachAddOn(
        context.caller,
        input,
        context.idempotencyKey,
      );
    },
  }),
  detachAddOn: t.field({
    type: SubscriptionType,
    description: "Takes an add-on off after a local day, which is included, or at the end of the period.",
    errors: {},
    args: {
      subscription: t.arg.id({ required: true }),
      addOn: t.arg.id({ required: true, description: "The id that it has on the subscription: sao_…" }),
      when: t.arg({ type: WhenEnum, description: whenText.when }),
      at: t.arg({ type: "Instant", description: whenText.at }),
    },
    resolve: (_root, args, context) => {
      requireSecretKey(context);
      const { subscription, addOn } = args;
      return context.services.billing.subscriptionChanges.detachAddOn(
        context.caller,
        { subscription, addOn, ...whenOf(args) },
        context.idempotencyKey,
      );
    },
  }),
  redeemCoupon: t.field({
    type: SubscriptionType,
    description: "Redeems a coupon for whole billing periods, from the present one on.",
    errors: {},
    args: {
      subscription: t.arg.id({ required: true }),
      coupon: t.arg.string({ required: true, description: "Id or key." }),
    },
    resolve: (_root, { subscription, coupon }, context) => {
      requireSecretKey(context);
      return context.services.billing.subscriptionChanges.redeemCoupon(
        context.caller,
        { subscription, coupon },
        context.idempotencyKey,
      );
    },
  }),
  removeCoupon: t.field({
    type: SubscriptionType,
    description: "Takes a coupon off from the next billing period on.",
    errors: {},
    args: {
      subscription: t.arg.id({ required: true }),
      coupon: t.arg.string({ required: true, description: "Id or key." }),
    },
    resolve: (_root, { subscription, coupon }, context) => {
      requireSecretKey(context);
      return context.services.billing.subscriptionChanges.removeCoupon(
        context.caller,
        { subscription, coupon },
        context.idempotencyKey,
      );
    },
  }),
  cancelSubscription: t.field({
    type: SubscriptionType,
    description: "Ends a subscription after a local day, which is included, or at the end of the period.",
    errors: {},
    args: {
      subscription: t.arg.id({ required: true }),
      when: t.arg({ type: WhenEnum, description: whenText.when }),
      at: t.arg({ type: "Instant", description: "Any instant of the last day; instead of `when`." }),
    },
    resolve: (_root, args, context) => {
      requireSecretKey(context);
      return context.services.billing.subscriptionChanges.cancel(
        context.caller,
        { subscription: args.subscription, ...whenOf(args) },
        context.idempotencyKey,
      );
    },
  }),
  uncancelSubscription: t.field({
    type: SubscriptionType,
    description: "Takes a cancellation back before it takes effect.",
    errors: {},
    args: { subscription: t.arg.id({ required: true }) },
    resolve: (_root, { subscription }, context) => {
      requireSecretKey(context);
      return context.services.billing.subscriptionChanges.uncancel(
        context.caller,
        subscription,
        context.idempotencyKey,
      );
    },
  }),
}));

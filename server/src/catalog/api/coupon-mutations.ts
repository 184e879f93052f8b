import { builder, requireSecretKey } from "../../graphql/builder.js";
import { readCoupon, readProduct } from "../core/index.js";
import { CouponDurationEnum, CouponType, ProductType } from "./coupon-types.js";
import { readInput, writtenInstant } from "./plan-input.js";

builder.mutationFields((t) => ({
  createProduct: t.field({
    type: ProductType,
    errors: {},
    args: {
      key: t.arg.string({ required: true }),
      name: t.arg.string({ description: "The key when left out." }),
      taxCategory: t.arg.string({ description: '"standard" when left out.' }),
    },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      const product = readInput("product", input, readProduct);
      return context.services.catalog.products.create(context.caller, product, context.idempotencyKey);
    },
  }),
  changeProduct: t.field({
    type: ProductType,
    description: "Renames a product, or gives it another tax category; finalized invoices stay as they are.",
    errors: {},
    args: {
      product: t.arg.string({ required: true, description: "Id or key." }),
      name: t.arg.string(),
      taxCategory: t.arg.string(),
    },
    resolve: (_root, { product, name, taxCategory }, context) => {
      requireSecretKey(context);
      const change = {
        ...(name == null ? {} : { name }),
        ...(taxCategory == null ? {} : { taxCategory }),
      };
      const { caller, idempotencyKey, services } = context;
      return services.catalog.products.change(caller, product, change, idempotencyKey);
    },
  }),
  createCoupon: t.field({
    type: CouponType,
    errors: {},
    args: {
      key: t.arg.string({ required: true, description: "What customers redeem." }),
      name: t.arg.string({ description: "The key when left out." }),
      percentOff: t.arg({ type: "Decimal", description: "This, or amountOff." }),
      amountOff: t.arg({ type: "JSON", description: 'For each currency: {"USD": "5"}.' }),
      duration: t.arg({ type: CouponDurationEnum, description: "once when left out." }),
      months: t.arg.int({ description: "For duration months." }),
      prices: t.arg.stringList({
        description: "Keys; off everything when prices and products are left out.",
      }),
      products: t.arg.stringList(),
      redemptionsMax: t.arg.int(),
      expiresAt: t.arg({ type: "Instant" }),
    },
    resolve: (_root, { prices, products, expiresAt, ...input }, context) => {
      requireSecretKey(context);
      const appliesTo = prices == null && products == null ? undefined : { prices, products };
      const notation = { ...input, appliesTo, expiresAt: writtenInstant(expiresAt) };
      const { archived: _archived, ...coupon } = readInput("coupon", notation, readCoupon);
      return context.services.catalog.coupons.create(context.caller, coupon, context.idempotencyKey);
    },
  }),
  archiveCoupon: t.field({
    type: CouponType,
    description: "It is redeemed no more; what was redeemed runs on.",
    errors: {},
    args: { coupon: t.arg.string({ required: true, description: "Id or key." }) },
    resolve: (_root, { coupon }, context) => {
      requireSecretKey(context);
      return context.services.catalog.coupons.archive(context.caller, coupon, context.idempotencyKey);
    },
  }),
}));

import { builder } from "../../graphql/builder.js";
import type { Coupon, Product } from "../core/index.js";
import { amountsOf, CurrencyAmountType } from "./price-types.js";

export const ProductType = builder.objectRef<Product>("Product").implement({
  description: "What is sold, as taxes and reports see it.",
  fields: (t) => ({
    id: t.exposeID("id"),
    key: t.exposeString("key"),
    name: t.exposeString("name"),
    taxCategory: t.exposeString("taxCategory"),
    createdAt: t.expose("createdAt", { type: "Instant" }),
  }),
});

export const CouponDurationEnum = builder.enumType("CouponDuration", {
  values: ["once", "months", "forever"] as const,
});

export const CouponType = builder.objectRef<Coupon>("Coupon").implement({
  description: "A discount that customers redeem. What it takes off never changes.",
  fields: (t) => ({
    id: t.exposeID("id"),
    key: t.exposeString("key"),
    name: t.exposeString("name"),
    percentOff: t.field({
      type: "Decimal",
      nullable: true,
      resolve: ({ off }) => (off.kind === "percent" ? off.percent.toString() : null),
    }),
    amountOff: t.field({
      type: [CurrencyAmountType],
      description: "Empty for a coupon in percent.",
      resolve: ({ off }) => (off.kind === "amount" ? amountsOf(off.amounts) : []),
    }),
    duration: t.field({ type: CouponDurationEnum, resolve: ({ duration }) => duration.kind }),
    months: t.int({
      nullable: true,
      resolve: ({ duration }) => (duration.kind === "months" ? duration.months : null),
    }),
    prices: t.stringList({
      description: "Keys of the prices that it takes something off.",
      resolve: ({ appliesTo }) => [...(appliesTo?.prices ?? [])],
    }),
    products: t.stringList({
      description:
        "Keys of the products that it takes something off; off everything when both lists are empty.",
      resolve: ({ appliesTo }) => [...(appliesTo?.products ?? [])],
    }),
    redemptionsMax: t.int({ nullable: true, resolve: (coupon) => coupon.redemptionsMax ?? null }),
    expiresAt: t.field({ type: "Instant", nullable: true, resolve: (coupon) => coupon.expiresAt ?? null }),
    archivedAt: t.field({ type: "Instant", nullable: true, resolve: (coupon) => coupon.archivedAt ?? null }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
  }),
});

import { builder } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import "./coupon-mutations.js";
import { CouponType, ProductType } from "./coupon-types.js";
import "./file-types.js";
import "./plan-mutations.js";
import { AddOnType, PlanType } from "./plan-types.js";

builder.queryFields((t) => ({
  products: t.connection({
    type: ProductType,
    description: "Products, oldest first. Pages go forward only: first, after.",
    resolve: (_root, args, { caller, services }) =>
      forwardConnection(args, (page) => services.catalog.products.list(caller.organization, page)),
  }),
  product: t.field({
    type: ProductType,
    nullable: true,
    args: { idOrKey: t.arg.string({ required: true }) },
    resolve: async (_root, { idOrKey }, { caller, services }) =>
      (await services.catalog.products.find(caller.organization, idOrKey)) ?? null,
  }),
  plans: t.connection({
    type: PlanType,
    description: "Plans, oldest first. Pages go forward only: first, after.",
    resolve: (_root, args, { caller, services }) =>
      forwardConnection(args, (page) => services.catalog.list(caller.organization, page)),
  }),
  plan: t.field({
    type: PlanType,
    nullable: true,
    args: { idOrKey: t.arg.string({ required: true }) },
    resolve: async (_root, { idOrKey }, { caller, services }) =>
      (await services.catalog.find(caller.organization, idOrKey)) ?? null,
  }),
  addOns: t.connection({
    type: AddOnType,
    description: "Add-ons, oldest first. Pages go forward only: first, after.",
    resolve: (_root, args, { caller, services }) =>
      forwardConnection(args, (page) => services.catalog.addOns.list(caller.organization, page)),
  }),
  addOn: t.field({
    type: AddOnType,
    nullable: true,
    args: { idOrKey: t.arg.string({ required: true }) },
    resolve: async (_root, { idOrKey }, { caller, services }) =>
      (await services.catalog.addOns.find(caller.organization, idOrKey)) ?? null,
  }),
  coupons: t.connection({
    type: CouponType,
    description: "Coupons, oldest first. Pages go forward only: first, after.",
    args: { archived: t.arg.boolean({ description: "Archived ones too." }) },
    resolve: (_root, { archived, ...args }, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.catalog.coupons.list(caller.organization, { ...page, archived: archived === true }),
      ),
  }),
  coupon: t.field({
    type: CouponType,
    nullable: true,
    args: { idOrKey: t.arg.string({ required: true }) },
    resolve: async (_root, { idOrKey }, { caller, services }) =>
      (await services.catalog.coupons.find(caller.organization, idOrKey)) ?? null,
  }),
}));

export { CouponType, ProductType } from "./coupon-types.js";
export { AddOnType, AddOnVersionType, PlanType, PlanVersionType } from "./plan-types.js";
export { BillingIntervalEnum, PriceType } from "./price-types.js";

export { amounts_description, CommitmentInput, PhaseInput, PriceInput, readPlanInput } from "./plan-input.js";

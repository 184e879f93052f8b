import {
  amounts_description,
  BillingIntervalEnum,
  CommitmentInput,
  PhaseInput,
  PriceInput,
  readPlanInput,
} from "../../catalog/api/graphql.js";
import { builder } from "../../graphql/builder.js";
import { BacktestType } from "./backtest-types.js";

const PlanDraftInput = builder.inputType("PlanDraftInput", {
  description: "A plan's version as it might be.",
  fields: (t) => ({
    name: t.string({ description: "The plan's key when left out." }),
    currency: t.string({ required: true, description: 'An ISO 4217 code such as "USD".' }),
    interval: t.field({ type: BillingIntervalEnum, description: "Monthly when left out." }),
    phases: t.field({ type: [PhaseInput] }),
    prices: t.field({ type: [PriceInput], required: true }),
    minimum: t.field({ type: "JSON", description: `Per interval. ${amounts_description}` }),
    maximum: t.field({ type: "JSON", description: `Per interval. ${amounts_description}` }),
    commitments: t.field({ type: [CommitmentInput] }),
  }),
});

builder.queryFields((t) => ({
  backtest: t.field({
    type: BacktestType,
    description:
      "Rates real usage of the billing periods that end within (start, end] under draft prices, for everybody on a plan.",
    complexity: 300,
    args: {
      plan: t.arg.string({ required: true, description: "Id or key." }),
      start: t.arg({ type: "Instant", required: true }),
      end: t.arg({ type: "Instant", required: true }),
      draft: t.arg({ type: PlanDraftInput, required: true }),
    },
    resolve: (_root, { plan, start, end, draft }, { caller, services }) => {
      const definition = readPlanInput({ ...draft, name: draft.name ?? plan, key: "the-plan-s" });
      return services.billing.backtests.run(caller.organization, {
        plan,
        period: { start, end },
        draft: definition,
      });
    },
  }),
}));

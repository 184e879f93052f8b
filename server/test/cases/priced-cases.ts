import { Decimal } from "../../src/kernel/decimal.js";
import { afterAllowance } from "../../src/billing/core/allowance.js";
import {
  findPriceModelFaults,
  rate,
  type AnyPriceModel,
  type BasicPriceModel,
  type Usage,
} from "../../src/rating/core/index.js";
import { refuse, type CaseParameters } from "./case-parameters.js";
import { afterCredits } from "./invoiced-cases.js";
import { centsOf, MeteredSubscription } from "./metered-subscription.js";

/** What a case comes to in Weir's code; several amounts where several invoices are made. */
export type Outcome = Decimal | readonly Decimal[];

const per = Decimal.one;
/** The models that price one quantity, by the name that cases give them. */
const basicModels: Readonly<Record<string, (given: CaseParameters) => BasicPriceModel>> = {
  unit: (given) => ({ kind: "per_unit", unitAmount: given.decimal("unit_amount"), per }),
  package: (given) => ({
    kind: "package",
    packageAmount: given.decimal("package_amount"),
    size: given.decimal("package_size"),
    rounding: given.has("rounding") ? given.oneOf("rounding", "up", "down") : "up",
    freeUnits: given.optional("free_units"),
  }),
  graduated: (given) => ({ kind: "graduated", tiers: given.tiers(), per }),
  volume: (given) => ({ kind: "volume", tiers: given.tiers(), per }),
  graduated_percentage: (given) => ({ kind: "graduated_percentage", tiers: given.percentageTiers() }),
  dynamic: (given) => ({ kind: "dynamic", multiplier: given.decimal("multiplier") }),
};

/** The evaluation that goes with a model's name, undefined when there is none. */
export function pricedCase(name: string): ((given: CaseParameters) => Outcome) | undefined {
  if (Object.hasOwn(otherModels, name)) return otherModels[name];
  if (Object.hasOwn(basicModels, name)) return (given) => partlyBilled(basicModel(name, given), given);
  const [, prefix, prefixed = ""] = /^(delta|bucketed)_(.+)$/.exec(name) ?? [];
  if (Object.hasOwn(basicModels, prefixed)) {
    return prefix === "delta"
      ? (given) => snapshots(basicModel(prefixed, given), given)
      : (given) => windows(basicModel(prefixed, given), given);
  }
  const [, suffixed = "", suffix] = /^(.+)_(converted|with_credits)$/.exec(name) ?? [];
  if (!Object.hasOwn(basicModels, suffixed)) return undefined;
  return suffix === "converted"
    ? (given) => {
        const price = basicModel(suffixed, given);
        return partlyBilled({ kind: "converted", ...given.conversion(), price }, given);
      }
    : (given) => {
        const amount = rated(basicModel(suffixed, given), given.quantity);
        return afterCredits(amount, given.decimal("credits"));
      };
}

const otherModels: Readonly<Record<string, (given: CaseParameters) => Outcome>> = {
  event_priced_sum: (given) =>
    rated({ kind: "dynamic", multiplier: Decimal.of("0.01") }, given.decimal("sum_of_precise_amount_cents")),
  percentage: (given) =>
    rated(percentageModel(given), { kind: "events", values: given.decimals("event_values") }),
  percentage_simple: (given) =>
    rated(percentageModel(given), {
      kind: "quantity",
      quantity: given.quantity,
      ...(given.has("events_count") ? { events: given.count("events_count") ?? 0 } : {}),
    }),
  windowed_commitment: (given) =>
    rated(
      {
        kind: "windowed",
        window: "hour",
        price: basicModel(given.has("tiers") ? "graduated" : "unit", given),
        commitment: {
          amount: given.decimal("commitment_per_window"),
          overageFactor: given.decimal("overage_factor"),
          trueUp: given.flag("true_up"),
        },
      },
      { kind: "windows", quantities: given.decimals("bucket_values") },
    ),
  prorated_graduated: (given) => {
    const prorated = given.decimals("event_prorated_units");
    const units = given.decimals("event_units");
    if (units.length !== prorated.length) refuse("event_units and event_prorated_units differ in length");
    const changes = units.map((each, index) => ({
      units: each,
      proratedUnits: prorated[index] ?? Decimal.zero,
    }));
    return rated({ kind: "licensed", tiers: given.tiers() }, { kind: "licensed", changes, per });
  },
  usage_discount_quantity: (given) => {
    const included = given.decimal("discount_quantity");
    const before = given.optional("already_used_quantity") ?? Decimal.zero;
    const billable = (quantity: Decimal) =>
      quantity.minus(afterAllowance({ kind: "quantity", quantity }, included).taken);
    return billable(before.plus(given.quantity)).minus(billable(before));
  },
};

function percentageModel(given: CaseParameters): AnyPriceModel {
  const values = given.has("event_values");
  return {
    kind: "percentage",
    ratePercent: given.decimal("rate_percent"),
    fixedAmount: given.optional("fixed_amount"),
    // Every list of events is rated event by event: no free event is a limit too.
    freeEvents: given.count("free_events") ?? (values && !given.has("free_amount") ? 0 : undefined),
    freeAmount: given.optional("free_amount"),
    eventMinimum: given.optional("per_event_min"),
    eventMaximum: given.optional("per_event_max"),
  };
}

/** What an invoice comes to after what was billed before. Exact, but for minimums and maximums: those are in cents. */
function partlyBilled(model: AnyPriceModel, given: CaseParameters): Decimal {
  const isSplit = given.has("line_position");
  if (isSplit) given.oneOf("line_position", "mid_period_split");
  const [minimum, maximum] = [given.optional("minimum_amount"), given.optional("maximum_amount")];
  const subscription = new MeteredSubscription(checked(model), {
    percentOff: given.optional("percentage_discount"),
    minimum,
    maximum,
  });
  const before = given.optional("already_billed_quantity") ?? Decimal.zero;
  const billed = given.optional("already_billed_amount");
  const quantity = before.plus(given.quantity);
  if (minimum !== undefined || maximum !== undefined) {
    for (const amount of [minimum, maximum, subscription.target(quantity)])
      if (amount !== undefined) centsOf(amount);
    return subscription.invoice(isSplit ? "threshold" : "period", quantity, billed);
  }
  if (isSplit && !subscription.isBilledAhead) return Decimal.zero;
  return subscription.target(quantity).minus(billed ?? Decimal.zero);
}

/** What each run books when the quantity so far is one snapshot after the other. */
function snapshots(model: AnyPriceModel, given: CaseParameters): Decimal[] {
  const subscription = new MeteredSubscription(checked(model));
  let billed = Decimal.zero;
  return given.decimals("cumulative_snapshots").map((quantity) => {
    const due = subscription.target(quantity).minus(billed);
    billed = billed.plus(due);
    return due;
  });
}

function windows(price: BasicPriceModel, given: CaseParameters): Decimal {
  const quantities = given.decimals("bucket_values");
  return rated(
    { kind: "windowed", window: "hour", price, commitment: undefined },
    { kind: "windows", quantities },
  );
}

function basicModel(name: string, given: CaseParameters): BasicPriceModel {
  return basicModels[name]?.(given) ?? refuse(`there is no model "${name}"`);
}

function rated(model: AnyPriceModel, usage: Usage | Decimal): Decimal {
  return rate(checked(model), usage).amount;
}

/** A price that nobody could sell is no case. */
function checked(model: AnyPriceModel): AnyPriceModel {
  const [fault] = findPriceModelFaults(model);
  return fault === undefined ? model : refuse(`${fault.field}: ${fault.message}`);
}

import { checkOverride, type PlanVersion } from "../catalog/core/index.js";
import { parseCurrency } from "../kernel/currency.js";
import type { OrganizationId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { CatalogPort } from "./catalog-port.js";
import type { AnchorChoice } from "./core/index.js";
import type { NewSubscription, Overrides } from "./subscription.js";

const trial_days_max = 730;
const overrides_max = 200;
const coupons_at_start_max = 20;

/** @throws Refusal 400 listing every fault by field */
export function checkNewSubscription(input: NewSubscription): { readonly anchor: AnchorChoice } {
  const errors: { field: string; message: string }[] = [];
  const fault = (field: string, message: string) => void errors.push({ field, message });
  const within = (field: string, value: number | undefined, min: number, max: number, what: string) => {
    if (value !== undefined && !(Number.isInteger(value) && value >= min && value <= max))
      fault(field, `${value} is ${what}; give ${min} to ${max}`);
  };
  within("anchorDay", input.anchorDay, 1, 31, "no day of the month");
  if (input.anchorDay !== undefined && input.anchor !== undefined)
    fault("anchorDay", "give anchorDay or anchor, not both");
  if (typeof input.anchor === "object") {
    within("anchor.day", input.anchor.day, 1, 31, "no day of the month");
    within("anchor.month", input.anchor.month, 1, 12, "no month");
    within("anchor.weekday", input.anchor.weekday, 1, 7, "no weekday, Monday being 1");
  }
  within("trialDays", input.trialDays, 0, trial_days_max, "no length of a trial in days");
  if (input.currency !== undefined && parseCurrency(input.currency) === undefined)
    fault("currency", `"${input.currency}" is not an ISO 4217 code such as "USD"`);
  if ((input.coupons?.length ?? 0) > coupons_at_start_max)
    fault("coupons", `at most ${coupons_at_start_max}`);
  if (errors.length > 0) throw invalidSubscription(errors);
  const anchor =
    input.anchor ??
    (input.anchorDay === undefined ? "calendar" : { day: input.anchorDay, month: 1, weekday: 1 });
  return { anchor };
}

/**
 * Overrides stand in for prices that there are, with models of use for the same charge and the same meter.
 * @throws Refusal 400 listing every fault by field
 */
export async function checkOverrides(
  catalog: Pick<CatalogPort, "aggregationOf">,
  organization: OrganizationId,
  plan: PlanVersion,
  overrides: Overrides,
): Promise<void> {
  const errors: { field: string; message: string }[] = [];
  const entries = Object.entries(overrides);
  if (entries.length > overrides_max)
    errors.push({ field: "overrides", message: `at most ${overrides_max}` });
  for (const [key, model] of entries.slice(0, overrides_max)) {
    const price = plan.prices.find((one) => one.key === key);
    const field = `overrides.${key}`;
    if (price === undefined) {
      const known = plan.prices.map((one) => one.key).join(", ");
      errors.push({ field, message: `plan "${plan.planKey}" has no price "${key}"; it has ${known}` });
      continue;
    }
    const { meter } = price;
    const aggregation = meter === undefined ? undefined : await catalog.aggregationOf(organization, meter.id);
    for (const { field: inner, message } of checkOverride(price, model, aggregation))
      errors.push({ field: inner === "" ? field : `${field}.${inner}`, message });
  }
  if (errors.length > 0) throw invalidSubscription(errors);
}

function invalidSubscription(errors: readonly { field: string; message: string }[]): Refusal {
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  return new Refusal(
    makeProblem("invalid-subscription", 400, "The subscription is not valid", detail, { errors }),
  );
}

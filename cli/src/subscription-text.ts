import type { CliContext } from "./context.js";
import { printFields, printJson, printTable } from "./print.js";

export interface Subscription {
  readonly id: string;
  readonly status: string;
  readonly currency: string;
  readonly anchor: { readonly day: number; readonly month: number; readonly weekday: number };
  readonly startedAt: string;
  readonly trialEnd: string | null;
  readonly endsAt: string | null;
  readonly timeZone: string;
  readonly customer: { readonly key: string };
  readonly planVersion: { readonly planKey: string; readonly version: number };
  readonly period: { readonly start: string; readonly end: string } | null;
  readonly nextBoundary: string | null;
  readonly schedule: readonly {
    readonly from: string;
    readonly to: string | null;
    readonly phase: string | null;
    readonly interval: string;
    readonly planVersion: { readonly planKey: string; readonly version: number };
  }[];
  readonly quantities: readonly {
    readonly price: string;
    readonly from: string;
    readonly quantity: string;
  }[];
  readonly addOns: readonly {
    readonly id: string;
    readonly key: string;
    readonly from: string;
    readonly to: string | null;
    readonly quantity: string;
  }[];
  readonly coupons: readonly { readonly key: string; readonly from: string; readonly to: string | null }[];
}

export const subscriptionSelection = `{ id status currency anchor { day month weekday } startedAt trialEnd endsAt timeZone
  customer { key } planVersion { planKey version } period { start end } nextBoundary
  schedule { from to phase interval planVersion { planKey version } } quantities { price from quantity }
  addOns { id key from to quantity } coupons { key from to } }`;

const interval_adjectives: Readonly<Record<string, string>> = {
  week: "weekly",
  month: "monthly",
  quarter: "quarterly",
  year: "yearly",
};

/** What begins and ends on a subscription, in order of time. */
export function timelineOf(subscription: Subscription): { at: string; what: string }[] {
  const entries: { at: string; what: string }[] = [];
  const add = (at: string | null, what: string) => {
    if (at !== null) entries.push({ at, what });
  };
  for (const { from, planVersion, phase, interval } of subscription.schedule) {
    const part = phase === null ? "" : `, phase ${phase}`;
    add(
      from,
      `plan ${planVersion.planKey} ${planVersion.version}${part}, ${interval_adjectives[interval] ?? interval}`,
    );
  }
  for (const { price, from, quantity } of subscription.quantities) add(from, `${price}: ${quantity}`);
  for (const { id, key, from, to, quantity } of subscription.addOns) {
    add(from, `add-on ${key} × ${quantity} begins (${id})`);
    add(to, `add-on ${key} ends (${id})`);
  }
  for (const { key, from, to } of subscription.coupons) {
    add(from, `coupon ${key} begins`);
    add(to, `coupon ${key} ends`);
  }
  add(subscription.trialEnd, "trial ends");
  add(subscription.endsAt, "subscription ends");
  return entries
    .map((entry, index) => ({ entry, index }))
    .sort((a, b) => Date.parse(a.entry.at) - Date.parse(b.entry.at) || a.index - b.index)
    .map(({ entry }) => entry);
}

export function printSubscription(context: CliContext, subscription: Subscription): void {
  if (context.json) return printJson(context, subscription);
  const { anchor, planVersion, period } = subscription;
  printFields(context, [
    ["id", subscription.id],
    ["customer", subscription.customer.key],
    ["status", subscription.status.toLowerCase()],
    ["plan", `${planVersion.planKey}, version ${planVersion.version}`],
    ["currency", subscription.currency],
    ["started", subscription.startedAt],
    [
      "anchor",
      `day ${anchor.day}, month ${anchor.month}, weekday ${anchor.weekday}; ${subscription.timeZone}`,
    ],
    ["period", period === null ? "" : `${period.start} … ${period.end}`],
    ["billed next", subscription.nextBoundary],
  ]);
  context.out.write("\n");
  printTable(
    context,
    ["FROM", "WHAT"],
    timelineOf(subscription).map(({ at, what }) => [at, what]),
    "",
  );
}

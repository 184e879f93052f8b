import type { Subscription } from "@weir/sdk";
import type { CliContext } from "./context.js";
import { printFields, printJson, printTable } from "./print.js";

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

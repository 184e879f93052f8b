import { Decimal } from "../kernel/decimal.js";
import { instantFromMs } from "../kernel/instant.js";
import { Refusal } from "../kernel/problem.js";
import { nimbus, nimbusCustomers } from "./nimbus.js";
import type { DemoOptions } from "./run-demo.js";

/** Nimbus Cloud has existed since then: its customers own their subjects, and subscribe, from that day on. */
const founded = instantFromMs(Date.UTC(2026, 0, 1, 12));

/** Creates Nimbus Cloud's meters, plans, customers and subscriptions, each only when it is not there yet. */
export async function setUpNimbus(options: DemoOptions, signal: AbortSignal): Promise<void> {
  const { usage, catalog, billing, caller } = options;
  for (const { groupBy, ...meter } of nimbus.meters) {
    signal.throwIfAborted();
    const dimensions = Object.entries(groupBy).map(([name, property]) => ({ name, property }));
    await unlessThere("meter-exists", () =>
      usage.meters.create(caller, { ...meter, groupBy: dimensions, filters: [] }),
    );
  }
  for (const { currency, rate } of nimbus.plans) {
    await unlessThere("plan-exists", () => catalog.createPlan(caller, planIn(currency, Decimal.of(rate))));
  }
  for (const customer of nimbusCustomers) {
    signal.throwIfAborted();
    const { key, name, timeZone, currency } = customer;
    await unlessThere("customer-exists", async () => {
      await billing.customers.create(caller, { key, name, timeZone, currency });
    });
    const { id } = await billing.customers.get(caller.organization, key);
    if ((await billing.customers.subjectsOf(caller.organization, id)).length === 0) {
      await billing.customers.assignSubject(caller, { customer: key, subject: key, from: founded });
    }
    const [subscription] = await billing.subscriptions.list(caller.organization, { customer: id, limit: 1 });
    if (subscription === undefined) {
      await billing.subscriptions.create(caller, {
        customer: key,
        plan: planKeyOf(currency),
        start: founded,
      });
    }
  }
}

/** Pay as you go, in one of the currencies: compute by the hour, egress by the gigabyte, tokens in three tiers. */
function planIn(currency: string, rate: Decimal) {
  const tier = (upTo: string | undefined, amount: string) => ({
    upTo: upTo === undefined ? undefined : Decimal.of(upTo),
    unitAmount: Decimal.of(amount).times(rate),
    flatAmount: Decimal.zero,
  });
  return {
    key: planKeyOf(currency),
    name: `Pay as you go (${currency})`,
    currency,
    effectiveFrom: founded,
    prices: [
      {
        key: "compute",
        name: "Compute, per hour",
        meter: "compute-seconds",
        model: {
          kind: "per_unit" as const,
          unitAmount: Decimal.of("0.045").times(rate),
          per: Decimal.of(3600),
        },
      },
      {
        key: "egress",
        name: "Egress, per gigabyte",
        meter: "egress-bytes",
        model: {
          kind: "graduated" as const,
          per: Decimal.of(1_000_000_000),
          tiers: [tier("100000000000", "0"), tier(undefined, "0.02")],
        },
      },
      {
        key: "tokens",
        name: "LLM tokens, per million",
        meter: "llm-tokens",
        model: {
          kind: "graduated" as const,
          per: Decimal.of(1_000_000),
          tiers: [tier("1000000", "3"), tier("5000000", "2.5"), tier(undefined, "1.8")],
        },
      },
    ],
  };
}

function planKeyOf(currency: string): string {
  return `payg-${currency.toLowerCase()}`;
}

/** Runs `create`; a refusal because the thing exists is fine. */
async function unlessThere(slug: string, create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!(error instanceof Refusal) || error.slug !== slug) throw error;
  }
}

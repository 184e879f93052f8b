import { instantFromMs, type Instant } from "../kernel/instant.js";
import { Refusal } from "../kernel/problem.js";
import { nimbus, nimbusCustomers } from "./nimbus.js";
import type { DemoOptions } from "./run-demo.js";

/** Nimbus Cloud has existed since then: its customers own their subjects from that day on. */
const founded = instantFromMs(Date.UTC(2024, 0, 1));

/** Creates Nimbus Cloud's meters, plans, customers and subscriptions, each only when it is not there yet. */
export async function setUpNimbus(options: DemoOptions, signal: AbortSignal): Promise<void> {
  const { usage, billing, caller } = options;
  for (const { groupBy, ...meter } of nimbus.meters) {
    signal.throwIfAborted();
    const dimensions = Object.entries(groupBy).map(([name, property]) => ({ name, property }));
    await unlessThere("meter-exists", () => usage.meters.create(caller, { ...meter, groupBy: dimensions, filters: [] }));
  }
  for (const customer of nimbusCustomers) {
    signal.throwIfAborted();
    const { key, name, timeZone, currency } = customer;
    await unlessThere("customer-exists", async () => {
      await billing.customers.create(caller, { key, name, timeZone, currency });
      await billing.customers.assignSubject(caller, { customer: key, subject: key, from: founded as Instant });
    });
  }
}

/** Runs `create`; a refusal because the thing exists is fine. */
export async function unlessThere(slug: string, create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!(error instanceof Refusal) || error.slug !== slug) throw error;
  }
}

import { expect } from "vitest";
import type { CustomerId, OrganizationId } from "../../src/kernel/ids.js";
import { formatInstant } from "../../src/kernel/instant.js";
import { operationsOf, type Operations } from "./graphql-operations.js";
import { startPayingOrganization, type PayingOrganization } from "./paying-organization.js";
import type { TestWeir } from "./test-weir.js";

export interface PrepaidBalance {
  readonly currency: string;
  readonly granted: string;
  readonly drawn: string;
  readonly voided: string;
  readonly expired: string;
  readonly upcoming: string;
  readonly remaining: string;
  readonly burning: string;
  readonly available: string;
  readonly burnedLately: string;
  readonly runsOutAt: string | null;
  readonly runsOutOn: string | null;
}

export interface TopUp {
  readonly id: string;
  readonly state: string;
  readonly isAutomatic: boolean;
  readonly amount: { readonly amount: string };
  readonly attempts: readonly {
    readonly id: string;
    readonly number: number;
    readonly state: string;
    readonly createdAt: string;
    readonly decline: { readonly code: string; readonly hardness: string } | null;
  }[];
  readonly retryAt: string | null;
  readonly failedBy: string | null;
  readonly payments: readonly { readonly id: string }[];
  readonly grants: readonly string[];
  readonly createdAt: string;
}

/** An organization that meters units at 1.00 USD and charges in advance through a simulated Stripe, on a test clock. */
export interface PrepayingOrganization extends Operations {
  readonly paying: PayingOrganization;
  readonly id: OrganizationId;
  /** A customer on the plan "metered", with a card when its number is given. */
  customer(key: string, options?: { card?: string; plan?: string; more?: string }): Promise<string>;
  /** Attaches another card, as the default. */
  card(customer: string, number: string): Promise<string>;
  /** Uses units, now when no time is given, and waits until they show. */
  use(customer: string, units: number, time?: string): Promise<void>;
  balance(customer: string): Promise<PrepaidBalance>;
  topUps(customer: string): Promise<readonly TopUp[]>;
  /** The data of what was told, oldest first. */
  told<T>(type: string, customer: string): Promise<readonly T[]>;
  /** Moves the clock on by minutes. */
  pass(minutes: number): Promise<void>;
  now(): string;
  /** That the books balance, and owe each customer as credit what its grants have left. */
  expectBooks(): Promise<void>;
}

const money = "{ amount currency }";
const sums = [
  "granted",
  "drawn",
  "voided",
  "expired",
  "upcoming",
  "remaining",
  "burning",
  "available",
  "burnedLately",
] as const;

export async function startPrepayingOrganization(
  weir: TestWeir,
  slug: string,
  settings: Parameters<typeof startPayingOrganization>[2] = {},
): Promise<PrepayingOrganization> {
  const paying = await startPayingOrganization(weir, slug, { declinesOnAttach: false, ...settings });
  const { organization: id } = paying.caller;
  const { services } = weir.weir;
  const operations = operationsOf((query) => weir.graphql(query, {}, paying.key));
  const { ask, mutate } = operations;
  const created = await weir.fetch("/v1/meters", {
    method: "POST",
    key: paying.key,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      slug: "units",
      name: "Units",
      eventType: "unit",
      aggregation: "SUM",
      valueProperty: "$.units",
    }),
  });
  expect(created.status).toBe(201);
  for (const [plan, graceHours] of [
    ["metered", 0],
    ["graceful", 48],
  ] as const)
    await mutate(
      `createPlan(key: "${plan}", name: "Metered", currency: "USD", graceHours: ${graceHours}, prices: [
        { key: "units", name: "Units", meter: "units", model: { perUnit: { unitAmount: "1" } } }])`,
      "{ id }",
    );
  // What is told is kept for as long as somebody listens; nobody answers at this address.
  await mutate(
    'createWebhookEndpoint(url: "https://nobody.invalid/", eventTypes: ["*"])',
    "{ endpoint { id } }",
  );
  let events = 0;
  const now = () => formatInstant(services.clocks.of(id).now());
  const card = async (customer: string, number: string) => {
    const method = paying.stripe.simulator.createPaymentMethod({ number });
    const input = { customer, account: "stripe", method, makeDefault: true };
    return (await services.payments.methods.attach(paying.caller, input)).id;
  };
  return {
    ...operations,
    paying,
    id,
    now,
    card,
    async customer(key, { card: number, plan = "metered", more = "" } = {}) {
      const made = await mutate<{ id: string }>(
        `createCustomer(key: "${key}", name: "${key}", timeZone: "UTC", currency: "USD", email: "${key}@example.com"${more})`,
        "{ id }",
      );
      await mutate(`assignSubject(customer: "${key}", subject: "${key}")`, "{ id }");
      await mutate(`createSubscription(customer: "${key}", plan: "${plan}")`, "{ id }");
      if (number !== undefined) await card(key, number);
      return made.id;
    },
    async use(customer, units, time = now()) {
      events += 1;
      const response = await weir.fetch("/v1/events", {
        method: "POST",
        key: paying.key,
        headers: { "content-type": "application/json" },
        body: JSON.stringify([
          {
            specversion: "1.0",
            id: `${slug}-${events}`,
            source: "test",
            type: "unit",
            subject: customer,
            time,
            data: { units },
          },
        ]),
      });
      expect(response.status, await response.text()).toBe(202);
      await weir.settled();
    },
    async balance(customer) {
      const { prepaidBalance } = await ask<{
        prepaidBalance: (Record<(typeof sums)[number], { amount: string }> & {
          currency: string;
          runsOutAt: string | null;
          runsOutOn: string | null;
        })[];
      }>(
        `{ prepaidBalance(customer: "${customer}") { currency ${sums.map((sum) => `${sum} ${money}`).join(" ")} runsOutAt runsOutOn } }`,
      );
      expect(prepaidBalance).toHaveLength(1);
      const { currency, runsOutAt, runsOutOn, ...found } = prepaidBalance[0]!;
      const amounts = Object.fromEntries(sums.map((sum) => [sum, found[sum].amount]));
      return { currency, runsOutAt, runsOutOn, ...amounts } as unknown as PrepaidBalance;
    },
    async topUps(customer) {
      const { topUps } = await ask<{ topUps: { nodes: TopUp[] } }>(
        `{ topUps(first: 100, customer: "${customer}") { nodes { id state isAutomatic amount ${money}
             attempts { id number state createdAt decline { code hardness } } retryAt failedBy payments { id } grants createdAt } } }`,
      );
      return topUps.nodes;
    },
    async told<T>(type: string, customer: string) {
      const { webhookMessages } = await ask<{ webhookMessages: { nodes: { body: string }[] } }>(
        `{ webhookMessages(first: 200, type: "${type}") { nodes { body } } }`,
      );
      const all = webhookMessages.nodes.map(
        ({ body }) => (JSON.parse(body) as { data: T & { customer: string } }).data,
      );
      return all.filter((data) => data.customer === customer).reverse();
    },
    async pass(minutes) {
      const to = new Date(Date.parse(now()) + minutes * 60_000).toISOString().replace(".000Z", "Z");
      await paying.advance(to);
    },
    async expectBooks() {
      const { ledger, credits } = services;
      const books = await ledger.trialBalance(id);
      expect(books.balanced && books.differences.length === 0).toBe(true);
      const owed = await ledger.accounts(id, { prefix: "prepaid_credit:", limit: 1000 });
      const grants = await credits.list(id, { limit: 1000 });
      const left = new Map<string, bigint>();
      for (const { kind, customer, remaining, expired } of grants)
        if (kind === "paid") left.set(customer, (left.get(customer) ?? 0n) + remaining - expired);
      expect(owed.length).toBe(left.size);
      for (const { code, debit, credit } of owed)
        expect(credit - debit, code).toBe(left.get(code.slice("prepaid_credit:".length) as CustomerId));
    },
  };
}

// A year of three customers around the world on the test clock, compared with a computation that shares no code with it.
import { afterAll, beforeAll, expect, test } from "vitest";
import { operationsOf } from "../support/graphql-operations.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let key: string;

const { ask, mutate, ...clock } = operationsOf((query) => weir.graphql(query, {}, key));

async function advance(to: string): Promise<void> {
  const { now, state } = await clock.advance(to);
  if (now !== to) throw new Error(`the clock stands at ${now}, ${state}, not ${to}`);
}

async function post(pathname: string, body: unknown): Promise<void> {
  const response = await weir.fetch(pathname, {
    key,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${pathname}: ${response.status} ${await response.text()}`);
}

/** Offsets at noon: in Auckland's summer it is 13:00 then, on the same local day. */
const customers = [
  { key: "auckland", zone: "Pacific/Auckland", offset: "+12:00" },
  { key: "kolkata", zone: "Asia/Kolkata", offset: "+05:30" },
  { key: "honolulu", zone: "Pacific/Honolulu", offset: "-10:00" },
] as const;

const months = [
  "2027-12",
  ...Array.from({ length: 11 }, (_, index) => `2028-${String(index + 1).padStart(2, "0")}`),
];
const quantityOf = (customer: number, month: number, day: number) =>
  1000 + 37 * month + 11 * day + 101 * customer;
/** The leap day has its event. */
const daysOf = (month: string) => (month === "2028-02" ? [5, 20, 29] : [5, 20]);

beforeAll(async () => {
  weir = await startTestWeir("billed-year");
  const { identity } = weir.weir.services;
  const { id } = await identity.createOrganization({ slug: "year", name: "Year", mode: "live" });
  ({ secret: key } = await identity.issueSystemKey(id, { name: "year", kind: "secret" }));
});
afterAll(() => weir?.close());

interface BilledInvoice {
  readonly id: string;
  readonly number: string;
  readonly kind: string;
  readonly boundary: string;
  readonly customer: { readonly key: string };
  readonly due: { readonly minor: string };
  readonly lines: readonly {
    readonly id: string;
    readonly kind: string;
    readonly eventCount: number;
    readonly isCorrection: boolean;
    readonly money: { readonly minor: string };
    readonly period: { readonly start: string };
  }[];
}

test("a year with an upgrade, a late event and a leap day comes to what it must, to the cent", async () => {
  await mutate('startTestClock(at: "2027-11-15T00:00:00Z")', "{ now }");
  await post("/v1/meters", {
    slug: "tokens",
    eventType: "llm",
    aggregation: "SUM",
    valueProperty: "$.tokens",
  });
  for (const [plan, fee, unit] of [
    ["basic", "20", "0.0003"],
    ["pro", "50", "0.0002"],
  ])
    await mutate(
      `createPlan(key: "${plan}", name: "${plan}", currency: "USD", prices: [
        { key: "fee", charge: flat, timing: advance, model: { flat: "${fee}" } },
        { key: "tokens", meter: "tokens", model: { perUnit: { unitAmount: "${unit}" } } }])`,
      "{ id }",
    );
  const subscriptions: string[] = [];
  for (const { key: name, zone, offset } of customers) {
    await mutate(`createCustomer(key: "${name}", name: "${name}", timeZone: "${zone}")`, "{ id }");
    await mutate(`assignSubject(customer: "${name}", subject: "${name}")`, "{ id }");
    const { id } = await mutate<{ id: string }>(
      `createSubscription(customer: "${name}", plan: "basic", start: "2027-12-01T12:00:00${offset}")`,
      "{ id }",
    );
    subscriptions.push(id);
  }
  const late: object[] = [];
  for (const [index, month] of months.entries()) {
    if (month === "2028-03") {
      await advance("2028-03-09T00:00:00Z");
      for (const [number, { offset }] of customers.entries())
        await mutate(
          `changePlan(subscription: "${subscriptions[number]}", plan: "pro", at: "2028-03-10T12:00:00${offset}")`,
          "{ id }",
        );
    }
    if (month === "2028-02") {
      // January's invoices are final by now.
      await advance("2028-02-10T00:00:00Z");
      await post("/v1/events", late);
    }
    await advance(`${month}-${month === "2028-02" ? "29" : "28"}T22:30:00Z`);
    const events = customers.flatMap(({ key: name, offset }, customer) =>
      daysOf(month).map((day) => ({
        id: `${name}-${month}-${day}`,
        source: "test",
        type: "llm",
        subject: name,
        time: `${month}-${String(day).padStart(2, "0")}T12:00:00${offset}`,
        data: { tokens: quantityOf(customer, index, day) },
      })),
    );
    const isLate = ({ id }: { id: string }) => id.endsWith("2028-01-20");
    late.push(...events.filter(isLate));
    await post(
      "/v1/events",
      events.filter((event) => !isLate(event)),
    );
    await weir.settled();
  }
  await advance("2028-12-02T12:00:00Z");

  const { invoices, trialBalance, ledgerAccounts, runs } = await ask<{
    invoices: { nodes: BilledInvoice[] };
    trialBalance: { balanced: boolean };
    ledgerAccounts: { nodes: { balance: { minor: string } }[] };
    runs: { nodes: { state: string }[] };
  }>(`{
    invoices(first: 100, status: "finalized") { nodes { id number kind boundary customer { key } due { minor }
      lines { id kind eventCount isCorrection money { minor } period { start } } } }
    trialBalance { balanced }
    ledgerAccounts(prefix: "receivable:") { nodes { balance { minor } } }
    runs(first: 100, state: failed) { nodes { state } }
  }`);
  expect(runs.nodes).toEqual([]);
  // One at the start and one for each month of each customer; no number twice, no gap.
  expect(invoices.nodes.map(({ number }) => number).toSorted()).toEqual(
    Array.from({ length: 39 }, (_, index) => `INV-${String(index + 1).padStart(6, "0")}`),
  );
  const boundaries = invoices.nodes.map((invoice) => `${invoice.customer.key} ${invoice.boundary}`);
  expect(new Set(boundaries).size).toBe(39);
  for (const [customer, { key: name }] of customers.entries()) {
    const own = invoices.nodes.filter((invoice) => invoice.customer.key === name);
    const billed = own.reduce((sum, { due }) => sum + BigInt(due.minor), 0n);
    expect([name, billed]).toEqual([name, plainTotal(customer)]);
    expect(ledgerAccounts.nodes.map(({ balance }) => BigInt(balance.minor))).toContain(billed);
    // January's late event stands on the next invoice, as a difference, for January.
    const corrections = own.flatMap((invoice) =>
      invoice.lines
        .filter(({ isCorrection, eventCount }) => isCorrection && eventCount > 0)
        .map((line) => [invoice.boundary.slice(0, 7), line.money.minor]),
    );
    const january = (day: number) => quantityOf(customer, 1, day);
    const difference = cents(3 * (january(5) + january(20)), 100) - cents(3 * january(5), 100);
    expect(corrections).toContainEqual([name === "honolulu" ? "2028-03" : "2028-02", String(difference)]);
  }
  expect(trialBalance.balanced).toBe(true);
  // Every line is computed again from its evidence, and comes to the same.
  for (const { id, lines } of invoices.nodes) {
    for (const line of lines) {
      const { lineExplanation } = await ask<{
        lineExplanation: { reproduced: boolean; differences: object[] };
      }>(
        `{ lineExplanation(invoice: "${id}", line: "${line.id}") { reproduced differences { field recorded recomputed } } }`,
      );
      expect(lineExplanation).toEqual({ reproduced: true, differences: [] });
    }
  }
}, 240_000);

/** numerator ÷ denominator, half away from zero. */
function cents(numerator: number, denominator: number): bigint {
  return BigInt(Math.floor((2 * numerator + denominator) / (2 * denominator)));
}

/** Fees in cents and hundredths of a cent per token, month by month. */
function plainTotal(customer: number): bigint {
  let total = 0n;
  for (const [index, month] of months.entries()) {
    const tokens = daysOf(month).map((day) => quantityOf(customer, index, day));
    const sum = tokens.reduce((all, one) => all + one, 0);
    if (month < "2028-03") total += 2000n + cents(3 * sum, 100);
    else if (month > "2028-03") total += 5000n + cents(2 * sum, 100);
    else
      total +=
        cents(2000 * 9, 31) + cents(5000 * 22, 31) + cents(3 * tokens[0]!, 100) + cents(2 * tokens[1]!, 100);
  }
  return total + 5000n; // December, in advance
}

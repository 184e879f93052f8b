// A backtest against a plain computation, on the real engines.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
const customers = ["small", "middle", "large"] as const;
/** What each customer uses in the last hours of the month before this one. */
const used = { small: [10], middle: [400, 350], large: [4_000, 3_500, 2_500] } as const;
const now = new Date();
const monthStart = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
const before = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1));

interface Answer {
  readonly backtest: {
    readonly subscriptions: number;
    readonly incomparable: readonly string[];
    readonly totals: readonly {
      readonly current: { readonly minor: string };
      readonly draft: { readonly minor: string };
      readonly winners: number;
      readonly losers: number;
      readonly unchanged: number;
    }[];
    readonly customers: readonly {
      readonly customer: { readonly key: string };
      readonly current: { readonly minor: string };
      readonly draft: { readonly minor: string };
    }[];
  };
}

const backtest = (draft: string, start = before, end = monthStart) =>
  weir.graphql<Answer>(
    `query ($start: Instant!, $end: Instant!) { backtest(plan: "payg", start: $start, end: $end, draft: ${draft}) {
      subscriptions incomparable
      totals { current { minor } draft { minor } winners losers unchanged }
      customers { customer { key } current { minor } draft { minor } } } }`,
    { start: start.toISOString(), end: end.toISOString() },
  );

beforeAll(async () => {
  weir = await startTestWeir("backtest");
  const post = async (path: string, body: unknown) => {
    const response = await weir.fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  };
  const mutate = async (field: string) => {
    const { result } = await weir.graphql<{ result: { __typename: string; message?: string } }>(
      `mutation { result: ${field} { __typename ... on RefusalError { message } } }`,
    );
    if (result.message !== undefined) throw new Error(`${field}: ${result.message}`);
  };
  await post("/v1/meters", {
    slug: "tokens",
    eventType: "request",
    aggregation: "SUM",
    valueProperty: "$.tokens",
  });
  await mutate(
    `createPlan(key: "payg", name: "Pay as you go", currency: "USD", prices: [
      { key: "base", model: { flat: "5" }, timing: arrears }
      { key: "tokens", meter: "tokens", model: { perUnit: "0.01" } }])`,
  );
  for (const key of customers) {
    await mutate(`createCustomer(key: "${key}", name: "${key}", timeZone: "UTC", currency: "USD")`);
    await mutate(`assignSubject(customer: "${key}", subject: "${key}")`);
    await mutate(`createSubscription(customer: "${key}", plan: "payg", start: "${before.toISOString()}")`);
  }
  await post(
    "/v1/events",
    customers.flatMap((subject) =>
      used[subject].map((tokens, index) => ({
        id: `${subject}-${index}`,
        source: "test",
        type: "request",
        subject,
        time: new Date(monthStart.getTime() - (index + 1) * 3_600_000).toISOString(),
        data: { tokens },
      })),
    ),
  );
  await weir.settled();
});
afterAll(() => weir?.close());

test("rates the same usage under both prices: revenue, winners and losers are those of a plain computation", async () => {
  const draft = `{ currency: "USD", prices: [
    { key: "base", model: { flat: "2" }, timing: arrears }
    { key: "tokens", meter: "tokens", model: { graduated: { tiers: [
      { upTo: "1000", unitAmount: "0.012" }, { unitAmount: "0.02" }] } } }] }`;
  const { backtest: result } = await backtest(draft);
  const cents = (amount: number) => BigInt(Math.round(amount * 100));
  const sum = (key: (typeof customers)[number]) => used[key].reduce<number>((all, one) => all + one, 0);
  const plain = customers.map((key) => {
    const quantity = sum(key);
    const tiers = Math.min(quantity, 1000) * 0.012 + Math.max(quantity - 1000, 0) * 0.02;
    return { key, current: cents(5 + quantity * 0.01), draft: cents(2 + tiers) };
  });
  expect(result.subscriptions).toBe(3);
  expect(result.incomparable).toEqual([]);
  expect(
    Object.fromEntries(
      result.customers.map(({ customer, current, draft: tried }) => [
        customer.key,
        [BigInt(current.minor), BigInt(tried.minor)],
      ]),
    ),
  ).toEqual(Object.fromEntries(plain.map(({ key, current, draft: tried }) => [key, [current, tried]])));
  expect(result.customers[0]?.customer.key).toBe("large");
  expect(result.totals).toMatchObject([{ winners: 2, losers: 1, unchanged: 0 }]);
  expect(BigInt(result.totals[0]?.draft.minor ?? 0)).toBe(plain.reduce((all, one) => all + one.draft, 0n));
  expect(BigInt(result.totals[0]?.current.minor ?? 0)).toBe(
    plain.reduce((all, one) => all + one.current, 0n),
  );
});

test("a draft may take usage in another form: each event by itself where the current price takes their sum", async () => {
  const draft = `{ currency: "USD", prices: [
    { key: "base", model: { flat: "5" }, timing: arrears }
    { key: "tokens", meter: "tokens", model: { percentage: { ratePercent: "1", eventMinimum: "5" } } }] }`;
  const { backtest: result } = await backtest(draft);
  const minors = result.customers.map(({ customer, current, draft: tried }) => [
    customer.key,
    Number(current.minor),
    Number(tried.minor),
  ]);
  // Each event costs a hundredth of its tokens, at least 5: only the large customer's are all above that.
  expect(minors).toEqual([
    ["small", 510, 1_000],
    ["middle", 1_250, 1_500],
    ["large", 10_500, 10_500],
  ]);
});

test("the same prices change nothing, and nothing of it is stored", async () => {
  const draft = `{ currency: "USD", prices: [
    { key: "base", model: { flat: "5" }, timing: arrears }
    { key: "tokens", meter: "tokens", model: { perUnit: "0.01" } }] }`;
  const { backtest: result } = await backtest(draft);
  expect(result.totals).toMatchObject([{ winners: 0, losers: 0, unchanged: 3 }]);
  const { plan } = await weir.graphql<{ plan: { versions: { nodes: { version: number }[] } } }>(
    '{ plan(idOrKey: "payg") { versions { nodes { version } } } }',
  );
  expect(plan.versions.nodes).toHaveLength(1);
});

test("a draft in another currency leaves everybody out and says so; a bad draft and a bad period are refused", async () => {
  const euros = `{ currency: "EUR", prices: [{ key: "tokens", meter: "tokens", model: { perUnit: "0.01" } }] }`;
  const { backtest: result } = await backtest(euros);
  expect(result.incomparable).toHaveLength(3);
  expect(result.totals).toEqual([]);
  await expect(
    backtest(`{ currency: "USD", prices: [{ key: "tokens", meter: "nothing", model: { perUnit: "-1" } }] }`),
  ).rejects.toThrow(/there is no meter|zero or more/);
  await expect(backtest(euros, monthStart, before)).rejects.toThrow("not after its start");
});

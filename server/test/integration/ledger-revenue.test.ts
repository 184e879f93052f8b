import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { earnedBy } from "../../src/ledger/core/index.js";
import { operationsOf } from "../support/graphql-operations.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let key: string;
let organizations = 0;

const { ask, mutate, advance } = operationsOf((query) => weir.graphql(query, {}, key));

beforeAll(async () => {
  weir = await startTestWeir("revenue");
});
afterAll(() => weir?.close());

interface Schedule {
  readonly invoice: string;
  readonly line: string;
  readonly days: number;
  readonly recognizedDays: number;
  readonly isOpen: boolean;
  readonly amount: { readonly minor: string };
  readonly takenBack: { readonly minor: string };
  readonly recognized: { readonly minor: string };
  readonly remaining: { readonly minor: string };
}

/** A customer in Berlin who pays 1,200.00 for a year in advance, from 15 October 2026 on. */
beforeEach(async () => {
  organizations += 1;
  const { identity } = weir.weir.services;
  const { id } = await identity.createOrganization({
    slug: `revenue-${organizations}`,
    name: "Revenue",
    mode: "test",
  });
  ({ secret: key } = await identity.issueSystemKey(id, { name: "t", kind: "secret" }));
  await mutate('startTestClock(at: "2026-10-15T08:00:00Z")', "{ now }");
  await mutate(
    `createPlan(key: "year", name: "Year", currency: "EUR", interval: year, prices: [
      { key: "fee", model: { flat: "1200" } },
      { key: "setup", charge: one_off, model: { flat: "50" } }
    ])`,
    "{ id }",
  );
  await mutate(
    'createCustomer(key: "acme", name: "Acme", timeZone: "Europe/Berlin", currency: "EUR")',
    "{ id }",
  );
  await mutate('createSubscription(customer: "acme", plan: "year", anchor: ANNIVERSARY)', "{ id }");
  await advance("2026-10-15T12:00:00Z");
});

/** What accounts hold, in cents. */
async function books(at?: string): Promise<Record<string, number>> {
  const { trialBalance } = await ask<{
    trialBalance: {
      balanced: boolean;
      differences: unknown[];
      accounts: { code: string; balance: { minor: string } }[];
    };
  }>(
    `{ trialBalance${at === undefined ? "" : `(at: "${at}")`} { balanced differences { code } accounts { code balance { minor } } } }`,
  );
  expect([trialBalance.balanced, trialBalance.differences]).toEqual([true, []]);
  return Object.fromEntries(
    trialBalance.accounts
      .map(({ code, balance }) => [code, Number(balance.minor)] as const)
      .filter(([, minor]) => minor !== 0),
  );
}

async function schedules(): Promise<Schedule[]> {
  const { revenueSchedules } = await ask<{ revenueSchedules: { nodes: Schedule[] } }>(
    "{ revenueSchedules { nodes { invoice line days recognizedDays isOpen amount { minor } takenBack { minor } recognized { minor } remaining { minor } } } }",
  );
  return revenueSchedules.nodes;
}

const invoice = async () => {
  const { invoices } = await ask<{
    invoices: {
      nodes: {
        id: string;
        status: string;
        lines: { id: string; money: { minor: string } }[];
      }[];
    };
  }>("{ invoices(first: 5) { nodes { id status lines { id money { minor } } } } }");
  return invoices.nodes;
};

const earned = (days: number, total = 120_000n) => Number(earnedBy(total, days, 365));

describe("a year's fee, paid in advance", () => {
  test("is deferred, and recognised at the end of each month by its days; what is given once is earned at once", async () => {
    expect(await books()).toEqual({ receivable: 125_000, deferred_revenue: 120_000, revenue: 5_000 });
    expect(await schedules()).toMatchObject([
      { days: 365, recognizedDays: 0, isOpen: true, amount: { minor: "120000" } },
    ]);
    await advance("2026-10-31T23:59:59Z");
    expect(await books()).toMatchObject({ deferred_revenue: 120_000 });
    await advance("2026-11-01T00:00:00Z");
    // 15 to 31 October. It counts in October, in its last instant.
    expect(await books()).toMatchObject({
      deferred_revenue: 120_000 - earned(17),
      revenue: 5_000 + earned(17),
    });
    expect(await books("2026-10-31T23:59:59.999999Z")).toEqual(await books());
    await advance("2027-02-01T00:00:00Z");
    expect(await books()).toMatchObject({ revenue: 5_000 + earned(17 + 30 + 31 + 31) });
    const { ledgerPostings } = await ask<{
      ledgerPostings: {
        nodes: { reason: string; postedAt: string; transfers: { servicePeriod: object }[] }[];
      };
    }>(
      `{ ledgerPostings(account: "deferred_revenue") { nodes { reason postedAt transfers { servicePeriod { start end } } } } }`,
    );
    expect(ledgerPostings.nodes.filter(({ reason }) => reason === "revenue.recognize").slice(0, 2)).toEqual([
      {
        reason: "revenue.recognize",
        postedAt: "2026-10-31T23:59:59.999999Z",
        transfers: [{ servicePeriod: { start: "2026-10-14T22:00:00Z", end: "2026-10-31T23:00:00Z" } }],
      },
      {
        reason: "revenue.recognize",
        postedAt: "2026-11-30T23:59:59.999999Z",
        transfers: [{ servicePeriod: { start: "2026-10-31T23:00:00Z", end: "2026-11-30T23:00:00Z" } }],
      },
    ]);
  });

  test("is all recognised after the year, to the cent, once; the next year's is deferred again", async () => {
    await advance("2027-12-01T00:00:00Z");
    const second = Number(earnedBy(120_000n, 47, 366));
    expect(await books()).toEqual({
      receivable: 245_000,
      deferred_revenue: 120_000 - second,
      revenue: 125_000 + second,
    });
    expect(await schedules()).toMatchObject([
      { isOpen: false, recognizedDays: 365, recognized: { minor: "120000" }, remaining: { minor: "0" } },
      { isOpen: true, days: 366, recognizedDays: 47 },
    ]);
    const { runs } = await ask<{ runs: { nodes: { state: string }[] } }>(
      '{ runs(first: 50, kind: "revenue-recognition") { nodes { state } } }',
    );
    expect(runs.nodes).toHaveLength(14);
    expect(runs.nodes.every(({ state }) => state === "succeeded")).toBe(true);
  });

  test("canceled within the year, is earned up to there, and what is given back was never earned", async () => {
    await advance("2026-12-31T12:00:00Z");
    // The last day counts: 78 days, to the end of December.
    await mutate(`cancelSubscription(subscription: "${await subscription()}")`, "{ id }");
    await advance("2027-01-05T00:00:00Z");
    const given = 120_000 - earned(78);
    const settled = { receivable: 125_000, customer_balance: given, revenue: 5_000 + earned(78) };
    expect(await books()).toEqual(settled);
    await advance("2027-03-01T00:00:00Z");
    expect(await books()).toEqual(settled);
    await advance("2027-11-01T00:00:00Z");
    expect(await books()).toEqual(settled);
    expect((await schedules()).map(({ isOpen, amount }) => [isOpen, amount.minor])).toEqual([
      [false, "120000"],
      [false, String(-given)],
    ]);
  });

  test("is foreseen month by month", async () => {
    const months = async () =>
      (
        await ask<{ upcomingRevenue: { month: string; amount: { minor: string }; schedules: number }[] }>(
          "{ upcomingRevenue(months: 24) { month amount { minor } schedules } }",
        )
      ).upcomingRevenue.map(({ month, amount }) => [month, Number(amount.minor)] as const);
    const foreseen = await months();
    expect(foreseen.slice(0, 3)).toEqual([
      ["2026-10", earned(17)],
      ["2026-11", earned(47) - earned(17)],
      ["2026-12", earned(78) - earned(47)],
    ]);
    expect(foreseen.at(-1)?.[0]).toBe("2027-10");
    expect(foreseen.reduce((sum, [, minor]) => sum + minor, 0)).toBe(120_000);
    await advance("2026-12-10T00:00:00Z");
    expect(await months()).toEqual(foreseen.slice(2));
  });

  test("voided, comes back from where it is: what was recognised from revenue, the rest from what is deferred", async () => {
    await advance("2026-12-10T00:00:00Z");
    const [standing] = await invoice();
    await mutate(`voidInvoice(id: "${standing?.id}", reason: "r")`, "{ id }");
    expect(await books()).toEqual({});
    expect(await schedules()).toMatchObject([
      { isOpen: false, takenBack: { minor: "120000" }, recognized: { minor: "0" } },
    ]);
    await advance("2027-02-01T00:00:00Z");
    // The fee is billed again, on the next invoice; nothing of the voided one is recognised any more.
    expect((await books())["revenue"] ?? 0).toBeGreaterThanOrEqual(0);
  });

  test("credited in part, goes on with the rest as if it had never been more", async () => {
    await advance("2026-12-10T00:00:00Z");
    const [standing] = await invoice();
    const line = standing?.lines.find(({ money }) => money.minor === "120000");
    await mutate(
      `issueCreditNote(invoice: "${standing?.id}", reason: "r", lines: [{ line: "${line?.id}", minor: "30000" }])`,
      "{ id }",
    );
    expect(await books()).toEqual({
      receivable: 95_000,
      deferred_revenue: 90_000 - earned(47, 90_000n),
      revenue: 5_000 + earned(47, 90_000n),
    });
    await advance("2027-01-01T00:00:00Z");
    expect(await books()).toMatchObject({ revenue: 5_000 + earned(78, 90_000n) });
    expect(await schedules()).toMatchObject([{ takenBack: { minor: "30000" } }]);
  });

  test("is recognised before its month is closed, and later what comes late for it in the month that is open", async () => {
    await advance("2026-11-10T00:00:00Z");
    const { trialBalance } = await mutate<{ trialBalance: { code: string; balance: { minor: string } }[] }>(
      'closeLedgerMonth(month: "2026-10")',
      "{ month trialBalance { code balance { minor } } }",
    );
    const october = Object.fromEntries(
      trialBalance.map(({ code, balance }) => [code, Number(balance.minor)]),
    );
    expect(october).toMatchObject({ revenue: 5_000 + earned(17), deferred_revenue: 120_000 - earned(17) });
    await advance("2027-01-10T00:00:00Z");
    expect(await books("2026-10-31T23:59:59.999999Z")).toEqual(
      Object.fromEntries(Object.entries(october).filter(([, minor]) => minor !== 0)),
    );
  });

  async function subscription(): Promise<string> {
    const { subscriptions } = await ask<{ subscriptions: { nodes: { id: string }[] } }>(
      "{ subscriptions(first: 1) { nodes { id } } }",
    );
    return subscriptions.nodes[0]?.id ?? "";
  }
});

test("a month of the books ends where the organization says, whatever the customer's zone", async () => {
  await mutate('setLedgerTimeZone(timeZone: "America/New_York")', "");
  // The wake stands at the month's end of the zone before; what it posts is not ahead of time.
  await advance("2026-11-01T00:00:00Z");
  expect(await books()).toMatchObject({ revenue: 5_000 + earned(17) });
  await advance("2026-12-01T05:00:00Z");
  expect(await books()).toMatchObject({ revenue: 5_000 + earned(47) });
});

// Weir is killed in the middle of invoice runs: every subscription is billed once for each month, numbers have no gap.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { askOver, operationsOf } from "../support/graphql-operations.js";
import { startWeirProcess, type WeirProcess } from "../support/weir-process.js";

const kills = 20;
const customers = 40;
const months = 24;
const folders: string[] = [];
let server: WeirProcess | undefined;

afterAll(async () => {
  await server?.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

const { ask, mutate } = operationsOf(
  askOver((pathname, init) => {
    if (server === undefined) throw new Error("no server");
    return server.fetch(pathname, init);
  }),
);

interface BilledInvoice {
  readonly number: string;
  readonly customer: { readonly key: string };
  readonly boundary: string;
}

async function allInvoices(): Promise<BilledInvoice[]> {
  const found: BilledInvoice[] = [];
  for (let after = ""; ; ) {
    const { invoices } = await ask<{
      invoices: { nodes: BilledInvoice[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
    }>(
      `{ invoices(first: 100, status: "finalized"${after}) { nodes { number boundary customer { key } } pageInfo { hasNextPage endCursor } } }`,
    );
    found.push(...invoices.nodes);
    if (!invoices.pageInfo.hasNextPage) return found;
    after = `, after: "${invoices.pageInfo.endCursor}"`;
  }
}

test(`kill -9 at ${kills} random moments of invoice runs: no invoice twice, no gap in numbers, books that balance`, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "weir-invoice-run-kill-"));
  folders.push(folder);
  const dir = path.join(folder, "data");
  server = await startWeirProcess(dir);
  await mutate('startTestClock(at: "2027-01-01T00:00:00Z")', "{ now }");
  await mutate(
    'createPlan(key: "p", name: "p", currency: "USD", prices: [{ key: "fee", charge: flat, timing: arrears, model: { flat: "1" } }])',
    "{ id }",
  );
  for (let number = 0; number < customers; number += 1) {
    await mutate(`createCustomer(key: "c${number}", name: "c", timeZone: "UTC")`, "{ id }");
    await mutate(`createSubscription(customer: "c${number}", plan: "p")`, "{ id }");
  }
  const end = new Date(Date.UTC(2027, months, 2)).toISOString();
  const advance = () => mutate<{ state: string }>(`advanceTestClock(to: "${end}")`, "{ now state }");
  for (let kill = 0; kill < kills; kill += 1) {
    // Whether it answers or is cut off is the same to us.
    const advancing = advance().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 700));
    await server.kill();
    await advancing;
    server = await startWeirProcess(dir);
  }
  for (let clock = await advance(); clock.state !== "idle"; clock = await advance())
    expect(clock.state).toBe("advancing");
  const invoices = await allInvoices();
  expect(invoices).toHaveLength(customers * months);
  expect(new Set(invoices.map(({ customer, boundary }) => `${customer.key} ${boundary}`)).size).toBe(
    customers * months,
  );
  expect(invoices.map(({ number }) => Number(number.slice(4))).sort((a, b) => a - b)).toEqual(
    Array.from({ length: customers * months }, (_, index) => index + 1),
  );
  const { trialBalance, revenue, failed } = await ask<{
    trialBalance: { balanced: boolean; differences: unknown[] };
    revenue: { nodes: { balance: { amount: string } }[] };
    failed: { nodes: unknown[] };
  }>(
    `{ trialBalance { balanced differences { code } } revenue: ledgerAccounts(prefix: "revenue") { nodes { balance { amount } } }
       failed: runs(state: failed) { nodes { id } } }`,
  );
  expect(trialBalance).toEqual({ balanced: true, differences: [] });
  expect(revenue.nodes.map(({ balance }) => balance.amount)).toEqual([`${customers * months}.00`]);
  expect(failed.nodes).toEqual([]);
}, 400_000);

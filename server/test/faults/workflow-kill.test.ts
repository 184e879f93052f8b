// Weir is killed while an advance of the test clock wakes run after run, each of which posts to the ledger once.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { askOver, operationsOf } from "../support/graphql-operations.js";
import { startWeirProcess, type WeirProcess } from "../support/weir-process.js";

const kills = process.env["WEIR_SOAK"] === undefined ? 8 : 20;
const grants = 120;
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

const end = "2027-12-31T00:00:00Z";
const advance = () =>
  mutate<{ now: string; state: string }>(`advanceTestClock(to: "${end}")`, "{ now state }");

test(`kill -9 at ${kills} random moments of an advance: every credit expires once, the books balance, no run is lost`, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "weir-workflow-kill-"));
  folders.push(folder);
  const dir = path.join(folder, "data");
  server = await startWeirProcess(dir);
  await mutate('startTestClock(at: "2027-01-01T00:00:00Z")', "{ now }");
  await mutate('createCustomer(key: "acme", name: "Acme", timeZone: "UTC", currency: "USD")', "{ id }");
  for (let number = 0; number < grants; number += 1) {
    const expires = new Date(Date.UTC(2027, 0, 2 + number * 3)).toISOString();
    await mutate(
      `grantCredit(customer: "acme", kind: paid, amount: "1.00", expiresAt: "${expires}")`,
      "{ id }",
    );
  }
  for (let kill = 0; kill < kills; kill += 1) {
    // Whether it answers or is cut off is the same to us.
    const advancing = advance().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 900));
    await server.kill();
    await advancing;
    server = await startWeirProcess(dir);
  }
  for (let clock = await advance(); clock.state !== "idle"; clock = await advance())
    expect(clock.state).toBe("advancing");
  const { ledgerAccounts, trialBalance, failed } = await ask<{
    ledgerAccounts: { nodes: { balance: { amount: string } }[] };
    trialBalance: { balanced: boolean; differences: unknown[] };
    failed: { nodes: unknown[] };
  }>(
    `{ ledgerAccounts(prefix: "breakage") { nodes { balance { amount } } }
       trialBalance { balanced differences { code } }
       failed: runs(state: failed) { nodes { id } } }`,
  );
  expect(ledgerAccounts.nodes.map(({ balance }) => balance.amount)).toEqual([`${grants}.00`]);
  expect(trialBalance).toEqual({ balanced: true, differences: [] });
  expect(failed.nodes).toEqual([]);
  const runs: { state: string }[] = [];
  for (let after = ""; ; ) {
    const page = await ask<{
      runs: { nodes: { state: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
    }>(
      `{ runs(kind: "credit-expiry", first: 100${after}) { nodes { state } pageInfo { hasNextPage endCursor } } }`,
    );
    runs.push(...page.runs.nodes);
    if (!page.runs.pageInfo.hasNextPage) break;
    after = `, after: "${page.runs.pageInfo.endCursor}"`;
  }
  expect(runs).toHaveLength(grants);
  expect(runs.every(({ state }) => state === "succeeded")).toBe(true);
}, 240_000);

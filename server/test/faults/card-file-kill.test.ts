// Weir is killed while charges go into batches and batches become files: each charge goes out once, in one file that never changes.
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { askOver, operationsOf } from "../support/graphql-operations.js";
import { startWeirProcess, type WeirProcess } from "../support/weir-process.js";

const kills = 8;
const customers = 12;
const months = 8;
let folder: string | undefined;
let server: WeirProcess | undefined;

afterAll(async () => {
  await server?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const running = (): WeirProcess => {
  if (server === undefined) throw new Error("no server");
  return server;
};
const { ask, mutate } = operationsOf(askOver((pathname, init) => running().fetch(pathname, init)));

interface Batch {
  readonly id: string;
  readonly sequence: string;
  readonly state: string;
  readonly itemCount: number;
  readonly sha256: string | null;
  readonly downloadPath: string | null;
}

async function allBatches(): Promise<Batch[]> {
  const { paymentBatches } = await ask<{ paymentBatches: { nodes: Batch[] } }>(
    "{ paymentBatches(first: 100) { nodes { id sequence state itemCount sha256 downloadPath } } }",
  );
  return paymentBatches.nodes;
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not come`);
}

test(`kill -9 at ${kills} random moments: no charge twice or lost, no gap in the files' numbers`, async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-card-file-kill-"));
  const dir = path.join(folder, "data");
  server = await startWeirProcess(dir);
  await mutate('startTestClock(at: "2027-01-01T00:00:00Z")', "{ now }");
  await mutate(
    `createProviderAccount(key: "acquirer", provider: "card_files", settings: [{ name: "acquirerId", value: "ACQ" },
      { name: "merchantId", value: "M1" }, { name: "closingHour", value: "18" }])`,
    "{ id }",
  );
  await mutate(
    'createPlan(key: "p", name: "p", currency: "USD", graceHours: 0, prices: [{ key: "fee", charge: flat, timing: arrears, model: { flat: "1" } }])',
    "{ id }",
  );
  for (let number = 0; number < customers; number += 1) {
    await mutate(`createCustomer(key: "c${number}", name: "c", timeZone: "UTC")`, "{ id }");
    await mutate(
      `attachPaymentMethod(customer: "c${number}", account: "acquirer", method: "tok_${number}")`,
      "{ id }",
    );
    await mutate(`createSubscription(customer: "c${number}", plan: "p")`, "{ id }");
  }
  const end = new Date(Date.UTC(2027, months, 2)).toISOString();
  const advance = () => mutate<{ state: string }>(`advanceTestClock(to: "${end}")`, "{ now state }");
  for (let kill = 0; kill < kills; kill += 1) {
    // Whether it answers or is cut off is the same to us.
    const advancing = advance().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 1_800));
    await running().kill();
    await advancing;
    server = await startWeirProcess(dir);
  }
  for (let clock = await advance(); clock.state !== "idle"; clock = await advance())
    expect(clock.state).toBe("advancing");

  const batches = await until("every file", async () => {
    const found = await allBatches();
    const count = found.reduce((sum, { itemCount }) => sum + itemCount, 0);
    return count === customers * months && found.every(({ state }) => state === "closed") ? found : undefined;
  });
  expect(batches.map(({ sequence }) => Number(sequence)).sort((one, other) => one - other)).toEqual(
    Array.from({ length: batches.length }, (_, index) => index + 1),
  );
  const references: string[] = [];
  for (const { sha256, downloadPath, itemCount, sequence } of batches) {
    const file = await (await running().fetch(downloadPath!)).text();
    expect(createHash("sha256").update(file).digest("hex")).toBe(sha256);
    const rows = file.trimEnd().split("\r\n");
    expect(rows[0]).toMatch(new RegExp(`^H,WEIR-CARD-CHARGES,1,ACQ,M1,${sequence},.*Z,${itemCount},`));
    expect(rows.at(-1)).toMatch(new RegExp(`^T,${sequence},${itemCount},${itemCount * 100},`));
    const items = rows.filter((row) => row.startsWith("D,")).map((row) => row.split(","));
    expect(items).toHaveLength(itemCount);
    references.push(...items.map(([, , , reference]) => reference!));
  }
  expect(new Set(references).size).toBe(customers * months);

  // Each invoice has one attempt, which waits for what the acquirer's files say.
  const { paymentAttempts, failed, trialBalance } = await ask<{
    paymentAttempts: { nodes: { state: string; providerRef: string }[] };
    failed: { nodes: unknown[] };
    trialBalance: { balanced: boolean; differences: unknown[] };
  }>(
    `{ paymentAttempts(first: 100) { nodes { state providerRef } } failed: runs(state: failed) { nodes { id } }
       trialBalance { balanced differences { code } } }`,
  );
  expect(paymentAttempts.nodes.map(({ state }) => state)).toEqual(
    Array.from({ length: customers * months }, () => "processing"),
  );
  expect(new Set(paymentAttempts.nodes.map(({ providerRef }) => providerRef))).toEqual(new Set(references));
  expect(failed.nodes).toEqual([]);
  expect(trialBalance).toEqual({ balanced: true, differences: [] });
}, 400_000);

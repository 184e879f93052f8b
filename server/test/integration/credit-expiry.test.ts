import { afterAll, beforeAll, expect, test } from "vitest";
import { operationsOf } from "../support/graphql-operations.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let key: string;

const { ask, mutate, advance } = operationsOf((query) => weir.graphql(query, {}, key));

interface Clock {
  readonly now: string;
  readonly state: string;
}

beforeAll(async () => {
  weir = await startTestWeir("credit-expiry");
  const { identity } = weir.weir.services;
  const { id } = await identity.createOrganization({ slug: "expiring", name: "Expiring", mode: "live" });
  ({ secret: key } = await identity.issueSystemKey(id, { name: "expiring", kind: "secret" }));
});
afterAll(() => weir?.close());

test("on the test clock: what is left of a paid grant is breakage from its expiry on, once, and a run shows it", async () => {
  expect((await ask<{ testClock: Clock | null }>("{ testClock { now state } }")).testClock).toBeNull();
  await mutate('startTestClock(at: "2027-01-01T00:00:00Z")', "{ now }");
  await mutate('createCustomer(key: "acme", name: "Acme", timeZone: "UTC", currency: "USD")', "{ id }");
  const grant = await mutate<{ id: string }>(
    'grantCredit(customer: "acme", kind: paid, amount: "25.00", expiresAt: "2027-03-01T00:00:00Z")',
    "{ id }",
  );
  const breakage = async () => {
    const { ledgerAccounts } = await ask<{ ledgerAccounts: { nodes: { balance: { amount: string } }[] } }>(
      '{ ledgerAccounts(prefix: "breakage") { nodes { balance { amount } } } }',
    );
    return ledgerAccounts.nodes.map(({ balance }) => balance.amount);
  };
  expect(await advance("2027-02-28T23:59:59Z")).toMatchObject({ state: "idle" });
  expect(await breakage()).toEqual([]);
  expect(await advance("2027-04-01T00:00:00Z")).toEqual({
    now: "2027-04-01T00:00:00Z",
    state: "idle",
  });
  expect(await breakage()).toEqual(["25.00"]);
  const { creditGrant, runs, trialBalance } = await ask<{
    creditGrant: { status: string; remaining: { amount: string } };
    runs: { nodes: { id: string; state: string }[] };
    trialBalance: { balanced: boolean };
  }>(
    `{ creditGrant(id: "${grant.id}") { status remaining { amount } } runs(kind: "credit-expiry") { nodes { id state } } trialBalance { balanced } }`,
  );
  expect(creditGrant).toEqual({ status: "expired", remaining: { amount: "0.00" } });
  expect(runs.nodes).toEqual([{ id: expect.stringContaining(grant.id), state: "succeeded" }]);
  expect(trialBalance.balanced).toBe(true);
  await expect(mutate('advanceTestClock(to: "2027-01-01T00:00:00Z")', "{ now }")).rejects.toThrow(
    "2027-04-01",
  );
});

test("a run that does not exist is refused by name; one that ended well cannot be retried", async () => {
  await expect(mutate('retryRun(id: "nothing")', "{ run { id } }")).rejects.toThrow("nothing");
  const { runs } = await ask<{ runs: { nodes: { id: string }[] } }>("{ runs(first: 1) { nodes { id } } }");
  const id = runs.nodes[0]?.id ?? "";
  await expect(mutate(`retryRun(id: "${id}")`, "{ run { id } }")).rejects.toThrow("is succeeded");
  await expect(mutate(`cancelRun(id: "${id}")`, "{ run { id } }")).rejects.toThrow("is succeeded");
  const { run } = await ask<{ run: { steps: { name: string; state: string }[] } }>(
    `{ run(id: "${id}") { steps { name state } } }`,
  );
  expect(run.steps.length).toBeGreaterThan(0);
});

// Prepaid balances that are watched and topped up, on a test clock and a simulated Stripe.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { startPrepayingOrganization, type PrepayingOrganization } from "../support/prepaying-organization.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

const visa = "4242424242424242";
const softlyDeclined = "4000000000009995";
const stolen = "4000000000009979";

let weir: TestWeir;
let org: PrepayingOrganization;

beforeAll(async () => {
  weir = await startTestWeir("top-ups");
  org = await startPrepayingOrganization(weir, "topping");
});
afterAll(async () => {
  await org?.paying.stop();
  await weir?.close();
});

const grant = (customer: string, amount: string) =>
  org.mutate(`grantCredit(customer: "${customer}", kind: paid, amount: "${amount}")`, "{ id }");
const watch = (customer: string, settings: string) =>
  org.mutate(`setTopUpSettings(customer: "${customer}", ${settings})`, "{ changedAt }");
const settingsOf = async (customer: string) =>
  (
    await org.ask<{
      topUpSettings: { isLow: boolean; stoppedBy: string | null; fault: string | null } | null;
    }>(`{ topUpSettings(customer: "${customer}") { isLow stoppedBy fault } }`)
  ).topUpSettings;
const runs = async (kind: string) =>
  (await weir.weir.services.workflows.list(org.id, { kind, limit: 200 })).length;
const audited = async (target: string) =>
  (
    await org.ask<{ auditLog: { nodes: { action: string; actor: string }[] } }>(
      `{ auditLog(first: 100, target: "${target}") { nodes { action actor } } }`,
    )
  ).auditLog.nodes.map(({ action }) => action);

interface Low {
  readonly available: { readonly amount: string };
}
interface Failed {
  readonly topUp: string | null;
  readonly isStopped: boolean;
  readonly reason: { readonly code: string };
}

describe("low", () => {
  test("is told once when the balance falls below, and again only after it was above", async () => {
    const id = await org.customer("low");
    await grant("low", "100.00");
    await watch("low", 'lowAt: "50.00"');
    await org.use("low", 50);
    await org.pass(15);
    expect(await org.told("balance.low", id)).toEqual([]);
    await org.use("low", 1);
    await org.pass(15);
    await org.use("low", 20);
    await org.pass(15);
    expect(await settingsOf("low")).toMatchObject({ isLow: true });
    await grant("low", "30.00");
    await org.pass(15);
    expect(await settingsOf("low")).toMatchObject({ isLow: false });
    await org.use("low", 10);
    await org.pass(15);
    const told = await org.told<Low>("balance.low", id);
    expect(told.map(({ available }) => available.amount)).toEqual(["49.00", "49.00"]);
  });

  test("is told of fees that begin with a period, at its beginning", async () => {
    await org.customer("fees", { plan: "monthly" });
    const id = await idOf("fees");
    await grant("fees", "50.00");
    await watch("fees", 'lowAt: "15.00"');
    await org.pass(1);
    expect(await org.told("balance.low", id)).toEqual([]);
    await org.paying.advance("2028-02-01T00:00:00Z");
    // 20.00 were drawn for January, and 20.00 burn for February.
    const told = await org.told<Low>("balance.low", id);
    expect(told.map(({ available }) => available.amount)).toEqual(["10.00"]);
    expect(await org.balance("fees")).toMatchObject({ drawn: "20.00", burning: "20.00" });
  });
});

async function idOf(customer: string): Promise<string> {
  const found = await org.ask<{ customer: { id: string } }>(`{ customer(idOrKey: "${customer}") { id } }`);
  return found.customer.id;
}

describe("a balance that falls below its threshold", () => {
  test("is topped up once, by whatever looks at the same time; the next invoice draws on what was bought", async () => {
    const id = await org.customer("auto", { card: visa });
    await grant("auto", "30.00");
    await watch("auto", 'threshold: "20.00", amount: "100.00"');
    await org.use("auto", 15);
    const { workflows } = weir.weir.services;
    await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        workflows.start(org.id, { kind: "balance-usage-look", id: `at-once:${index}`, input: {} }),
      ),
    );
    await org.pass(15);
    await org.pass(15);
    const topUps = await org.topUps("auto");
    expect(topUps).toMatchObject([
      {
        state: "succeeded",
        isAutomatic: true,
        amount: { amount: "100.00" },
        attempts: [{ state: "succeeded" }],
      },
    ]);
    expect(await org.balance("auto")).toMatchObject({
      granted: "130.00",
      remaining: "130.00",
      burning: "15.00",
      available: "115.00",
    });
    const [told] = await org.told<{ topUp: string; grant: string; amount: object }>("balance.topped_up", id);
    expect(told).toMatchObject({
      topUp: topUps[0]!.id,
      grant: topUps[0]!.grants[0],
      amount: { currency: "USD", minor: "10000", amount: "100.00" },
      isAutomatic: true,
    });
    await org.expectBooks();
    await org.use("auto", 85);
    await org.paying.advance("2028-03-01T00:00:00Z");
    const balance = await org.balance("auto");
    expect(balance).toMatchObject({ drawn: "100.00", remaining: "30.00", burning: "0.00" });
    await org.expectBooks();
    expect(await audited(topUps[0]!.id)).toEqual(["top_up.charge"]);
  });

  test("is topped up as often as it takes, and never beyond the month's maximum", async () => {
    const id = await org.customer("capped", { card: visa });
    await watch("capped", 'threshold: "10.00", amount: "50.00", monthlyMax: "150.00"');
    await org.use("capped", 1);
    await org.pass(15);
    expect(await org.topUps("capped")).toHaveLength(1);
    await org.use("capped", 199);
    await org.pass(60);
    expect((await org.topUps("capped")).map(({ state }) => state)).toEqual(Array(3).fill("succeeded"));
    await org.use("capped", 5);
    await org.pass(60);
    await org.use("capped", 5);
    await org.pass(60);
    expect(await org.topUps("capped")).toHaveLength(3);
    expect(await org.balance("capped")).toMatchObject({ granted: "150.00", available: "-60.00" });
    const failed = await org.told<Failed>("balance.top_up_failed", id);
    expect(failed).toMatchObject([{ topUp: null, isStopped: false, reason: { code: "monthly-maximum" } }]);
    // April is another month, and the invoice of March drew what there was.
    await org.paying.advance("2028-04-01T01:00:00Z");
    expect(await org.topUps("capped")).toHaveLength(4);
  });

  test("waits while collection is paused", async () => {
    await org.customer("paused", { card: visa });
    await org.mutate('pauseCollection(customer: "paused", reason: "r")', "{ id }");
    await watch("paused", 'threshold: "10.00", amount: "50.00"');
    await org.pass(60);
    expect(await org.topUps("paused")).toEqual([]);
    await org.mutate('resumeCollection(customer: "paused")', "{ id }");
    await org.pass(1);
    expect(await org.topUps("paused")).toMatchObject([{ state: "succeeded" }]);
  });
});

describe("declines", () => {
  test("hard: nothing more is charged until the card changes, and the customer is told", async () => {
    const id = await org.customer("hard", { card: stolen });
    await watch("hard", 'threshold: "10.00", amount: "50.00"');
    await org.use("hard", 5);
    await org.pass(24 * 60);
    const [first, ...more] = await org.topUps("hard");
    expect(more).toEqual([]);
    expect(first).toMatchObject({
      state: "failed",
      failedBy: "stolen_card",
      attempts: [{ state: "failed" }],
    });
    expect(await settingsOf("hard")).toMatchObject({ stoppedBy: "stolen_card" });
    expect(await org.told<Failed>("balance.top_up_failed", id)).toMatchObject([
      { topUp: first!.id, isStopped: true, reason: { code: "stolen_card" } },
    ]);
    await org.use("hard", 5);
    await org.pass(24 * 60);
    expect(await org.topUps("hard")).toHaveLength(1);
    await org.card("hard", visa);
    await org.pass(1);
    expect((await org.topUps("hard")).map(({ state }) => state)).toEqual(["failed", "succeeded"]);
    expect(await settingsOf("hard")).toMatchObject({ stoppedBy: null });
    await org.expectBooks();
  });

  test("soft: tried again after 1, 6 and 24 hours, then stopped", async () => {
    const id = await org.customer("soft", { card: softlyDeclined });
    await watch("soft", 'threshold: "10.00", amount: "50.00"');
    const began = Date.parse(org.now());
    await org.pass(3 * 24 * 60);
    const [topUp, ...more] = await org.topUps("soft");
    expect(more).toEqual([]);
    expect(topUp).toMatchObject({ state: "failed", failedBy: "insufficient_funds", retryAt: null });
    const hours = topUp!.attempts.map(({ createdAt }) => (Date.parse(createdAt) - began) / 3_600_000);
    expect(hours).toEqual([0, 1, 7, 31]);
    expect(await org.told("balance.top_up_failed", id)).toHaveLength(1);
  });

  test("soft: another card is charged at once, in the same top-up", async () => {
    await org.customer("renewed", { card: softlyDeclined });
    await watch("renewed", 'threshold: "10.00", amount: "50.00"');
    await org.pass(1);
    expect(await org.topUps("renewed")).toMatchObject([{ state: "open", attempts: [{ state: "failed" }] }]);
    await org.card("renewed", visa);
    await org.pass(1);
    expect(await org.topUps("renewed")).toMatchObject([
      {
        state: "succeeded",
        attempts: [
          { number: 1, state: "failed" },
          { number: 2, state: "succeeded" },
        ],
      },
    ]);
  });

  test("soft: one that waits is given up when the balance has recovered, and when the settings are disabled", async () => {
    await org.customer("recovered", { card: softlyDeclined });
    await org.customer("disabled", { card: softlyDeclined });
    for (const customer of ["recovered", "disabled"])
      await watch(customer, 'threshold: "10.00", amount: "50.00"');
    await org.pass(1);
    await grant("recovered", "20.00");
    await org.mutate('disableTopUpSettings(customer: "disabled")', "{ id }");
    expect(await org.topUps("disabled")).toMatchObject([{ state: "canceled" }]);
    await org.pass(120);
    expect(await org.topUps("recovered")).toMatchObject([
      { state: "canceled", attempts: [{ state: "failed" }] },
    ]);
    expect(await org.topUps("disabled")).toMatchObject([{ attempts: [{ state: "failed" }] }]);
  });

  test("without a card it is told, once, and a card brings it on", async () => {
    const id = await org.customer("cardless");
    await watch("cardless", 'threshold: "10.00", amount: "50.00"');
    await org.pass(60);
    expect(await org.told<Failed>("balance.top_up_failed", id)).toMatchObject([
      { isStopped: true, reason: { code: "no-payment-method" } },
    ]);
    await org.use("cardless", 1);
    await org.pass(60);
    expect(await org.told("balance.top_up_failed", id)).toHaveLength(1);
    await org.card("cardless", visa);
    await org.pass(1);
    expect((await org.topUps("cardless")).map(({ state }) => state)).toEqual(["failed", "succeeded"]);
  });
});

describe("by hand", () => {
  const topUp = (customer: string, more = "", key?: string) =>
    weir.fetch("/graphql", {
      method: "POST",
      key: org.paying.key,
      headers: {
        "content-type": "application/json",
        ...(key === undefined ? {} : { "idempotency-key": key }),
      },
      body: JSON.stringify({
        query: `mutation { topUpCredit(customer: "${customer}", amount: "25.00"${more}) {
          ... on TopUpCreditSuccess { data { id state topUpId } } ... on RefusalError { code message details } } }`,
      }),
    });
  const answer = async (response: Response) =>
    (
      (await response.json()) as {
        data: { topUpCredit: { data?: { id: string; topUpId: string }; code?: string; message?: string } };
      }
    ).data.topUpCredit;

  test("the attempt is given at once, the grant a moment later; the same key charges once", async () => {
    await org.customer("hand", { card: visa });
    const first = await answer(await topUp("hand", "", "top-up-key-1"));
    const again = await answer(await topUp("hand", "", "top-up-key-1"));
    expect(again).toEqual(first);
    await org.pass(1);
    const [made, ...more] = await org.topUps("hand");
    expect(more).toEqual([]);
    expect(made).toMatchObject({ id: first.data!.topUpId, isAutomatic: false, state: "succeeded" });
    expect(await org.balance("hand")).toMatchObject({ granted: "25.00", available: "25.00" });
    expect(await audited(made!.id)).toEqual(["top_up.create"]);
    await org.expectBooks();
  });

  test("two at once: one is charged, the other is refused with the one that is under way", async () => {
    await org.customer("twice", { card: visa });
    org.paying.stripe.simulator.faults.add({
      operation: "payment_intents.confirm",
      times: 1,
      effect: { kind: "processing" },
    });
    const answers = await Promise.all([topUp("twice"), topUp("twice"), topUp("twice")]);
    const found = await Promise.all(answers.map(answer));
    expect(found.filter(({ data }) => data !== undefined)).toHaveLength(1);
    const refused = found.filter(({ code }) => code === "top-up-in-progress");
    expect(refused).toHaveLength(2);
    expect(refused[0]!.message).toContain("tup_");
    // The fault is meant for this one.
    await eventually(
      () => org.topUps("twice"),
      ([one]) => one?.attempts[0]?.state !== "pending",
    );
  });

  test("a decline is the end of it; nothing is stopped", async () => {
    const id = await org.customer("declined", { card: softlyDeclined });
    await grant("declined", "50.00");
    await watch("declined", 'threshold: "10.00", amount: "50.00"');
    await topUp("declined");
    await org.pass(48 * 60);
    expect(await org.topUps("declined")).toMatchObject([
      {
        isAutomatic: false,
        state: "failed",
        failedBy: "insufficient_funds",
        attempts: [{ state: "failed" }],
      },
    ]);
    expect(await settingsOf("declined")).toMatchObject({ stoppedBy: null });
    expect(await org.told<Failed>("balance.top_up_failed", id)).toMatchObject([{ isStopped: false }]);
  });

  test.each([
    ["nobody", "", "customer-not-found"],
    ["hand", ', currency: "EUR"', "invalid-top-up"],
    ["hand", ', method: "pmt_of_nobody"', "payment-method-not-found"],
    ["low", "", "no-payment-method"],
  ])("of %s with%s is refused as %s", async (customer, more, code) => {
    expect(await answer(await topUp(customer, more))).toMatchObject({ code });
  });
});

describe("settings", () => {
  test("are refused with every fault by field", async () => {
    await org.customer("faulty");
    const refused = (settings: string) => expect(watch("faulty", settings)).rejects.toThrow;
    await refused('threshold: "-1", amount: "0", monthlyMax: "x", lowAt: "1.001"')(
      'threshold: zero or more; amount: must be above zero; monthlyMax: "x" is not a decimal number such as "100.00"; lowAt: USD has 2 decimals, "1.001" has more',
    );
    await refused('threshold: "5.00"')("amount: by how much to top up");
    await refused('monthlyMax: "5.00", lowAt: "1.00"')("monthlyMax: goes with a threshold and an amount");
    await refused('threshold: "5.00", amount: "10.00", monthlyMax: "9.99"')(
      "monthlyMax: at least one top-up's amount",
    );
    await refused('currency: "EUR", lowAt: "1.00"')("currency: the customer is billed in USD only");
    await refused('currency: "USD"')("threshold: give a threshold and an amount, or lowAt, or all three");
  });

  test("are replaced as a whole, audited, and undone", async () => {
    const id = await org.customer("changed");
    await watch("changed", 'threshold: "5.00", amount: "10.00", lowAt: "7.00"');
    await watch("changed", 'lowAt: "8.00"');
    const { auditLog } = await org.ask<{
      auditLog: { nodes: { action: string; before: object | null; after: object | null }[] };
    }>(`{ auditLog(first: 10, target: "${id}") { nodes { action before after } } }`);
    expect(auditLog.nodes.find(({ action }) => action === "top_up_settings.set")).toMatchObject({
      before: { threshold: "5.00 USD", amount: "10.00 USD", lowAt: "7.00 USD" },
      after: { threshold: null, amount: null, lowAt: "8.00 USD" },
    });
    await org.mutate('disableTopUpSettings(customer: "changed")', "{ id }");
    await org.mutate('disableTopUpSettings(customer: "changed")', "{ id }");
    expect(await settingsOf("changed")).toBeNull();
    expect((await audited(id)).filter((action) => action.startsWith("top_up_settings"))).toEqual([
      "top_up_settings.disable",
      "top_up_settings.set",
      "top_up_settings.set",
    ]);
  });
});

test("a month without usage is passed over: nothing is looked at but what billing did", async () => {
  await org.customer("idle", { card: visa });
  await grant("idle", "10000.00");
  await watch("idle", 'threshold: "20.00", amount: "100.00", lowAt: "50.00"');
  await org.pass(60);
  const [looks, usageLooks] = [await runs("balance-look"), await runs("balance-usage-look")];
  await org.paying.advance("2028-05-01T00:00:00Z");
  await org.paying.advance("2028-06-01T00:00:00Z");
  // At each of two boundaries: of the new period, and of invoices that drew.
  expect((await runs("balance-look")) - looks).toBeLessThanOrEqual(8);
  expect((await runs("balance-usage-look")) - usageLooks).toBe(0);
});

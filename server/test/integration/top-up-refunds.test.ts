// Money of a top-up that goes back takes its credit with it.
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../support/eventually.js";
import { startPrepayingOrganization, type PrepayingOrganization } from "../support/prepaying-organization.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let org: PrepayingOrganization;

beforeAll(async () => {
  weir = await startTestWeir("top-up-refunds");
  org = await startPrepayingOrganization(weir, "refunding", { delays: { refund_ms: 20, dispute_ms: 20 } });
});
afterAll(async () => {
  await org?.paying.stop();
  await weir?.close();
});

/** A customer who paid 100.00 in advance. @returns the payment's id */
async function prepaid(customer: string, card = "4242424242424242"): Promise<string> {
  await org.customer(customer, { card });
  await org.mutate(`topUpCredit(customer: "${customer}", amount: "100.00")`, "{ id }");
  await org.pass(1);
  const [topUp] = await org.topUps(customer);
  expect(topUp).toMatchObject({ state: "succeeded" });
  return topUp!.payments[0]!.id;
}
const refund = (payment: string, more = "") =>
  org.mutate<{ id: string; amount: { amount: string }; state: string }>(
    `createRefund(payment: "${payment}", source: prepaid, reason: "r"${more})`,
    "{ id amount { amount } state }",
  );
const refundUntil = (id: string, state: string) =>
  eventually(
    async () => (await org.ask<{ refund: { state: string } }>(`{ refund(id: "${id}") { state } }`)).refund,
    (found) => found.state === state,
  );

test("a refund takes back as much credit, never more than is left of it", async () => {
  const payment = await prepaid("used");
  await org.use("used", 70);
  await org.paying.advance("2028-02-01T00:00:00Z");
  expect(await org.balance("used")).toMatchObject({ drawn: "70.00", remaining: "30.00" });
  await expect(refund(payment, ', amount: "30.01"')).rejects.toThrow(
    /30\.00 USD are left: 30\.01 USD cannot/,
  );
  const part = await refund(payment, ', amount: "10.00"');
  expect(await org.balance("used")).toMatchObject({ voided: "10.00", remaining: "20.00" });
  expect(await refundUntil(part.id, "succeeded")).toMatchObject({ state: "succeeded" });
  // Without an amount: all that is left of the credit.
  expect(await refund(payment)).toMatchObject({ amount: { amount: "20.00" } });
  expect(await org.balance("used")).toMatchObject({ voided: "30.00", remaining: "0.00" });
  await expect(refund(payment, ', amount: "0.01"')).rejects.toThrow("0.00 USD are left");
  await org.expectBooks();
});

test("two refunds at once never take more than there is", async () => {
  const payment = await prepaid("raced");
  const outcomes = await Promise.allSettled(
    Array.from({ length: 4 }, () => refund(payment, ', amount: "40.00"')),
  );
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
  expect(await org.balance("raced")).toMatchObject({ voided: "80.00", remaining: "20.00" });
  await org.expectBooks();
});

test("a refund that does not arrive gives the credit back, which can be drawn again", async () => {
  const payment = await prepaid("bounced", "4000000000005126");
  const { id } = await refund(payment, ', amount: "60.00"');
  await refundUntil(id, "failed");
  expect(await org.balance("bounced")).toMatchObject({ voided: "0.00", remaining: "100.00" });
  const [topUp] = await org.topUps("bounced");
  const { creditGrant } = await org.ask<{
    creditGrant: { movements: { nodes: { kind: string; amount: { amount: string } }[] } };
  }>(`{ creditGrant(id: "${topUp!.grants[0]}") { movements { nodes { kind amount { amount } } } } }`);
  expect(creditGrant.movements.nodes).toEqual([
    { kind: "void", amount: { amount: "60.00" } },
    { kind: "reinstate", amount: { amount: "60.00" } },
  ]);
  await org.expectBooks();
});

test("one that was made at the provider takes the credit too, as long as it was not used", async () => {
  const { simulator } = org.paying.stripe;
  const refundThere = async (payment: string, amount: number) => {
    const found = await org.ask<{ payment: { providerRef: string } }>(
      `{ payment(id: "${payment}") { providerRef } }`,
    );
    const answer = await simulator.handle({
      method: "POST",
      path: "/v1/refunds",
      headers: {
        authorization: "Bearer sk_test_weir",
        "content-type": "application/x-www-form-urlencoded",
      },
      body: `payment_intent=${found.payment.providerRef}&amount=${amount}`,
    });
    expect(answer).toMatchObject({ status: 200 });
  };
  const refundsOf = async (payment: string) =>
    (
      await org.ask<{ refunds: { nodes: { source: string }[] } }>(
        `{ refunds(payment: "${payment}") { nodes { source } } }`,
      )
    ).refunds.nodes;
  const payment = await prepaid("there");
  await refundThere(payment, 2500);
  await eventually(
    () => refundsOf(payment),
    (list) => list.length === 1,
  );
  expect(await refundsOf(payment)).toEqual([{ source: "prepaid" }]);
  expect(await org.balance("there")).toMatchObject({ voided: "25.00", remaining: "75.00" });
  await org.use("there", 50);
  await org.paying.advance("2028-03-01T00:00:00Z");
  await refundThere(payment, 6000);
  await eventually(
    () => refundsOf(payment),
    (list) => list.length === 2,
  );
  expect(await refundsOf(payment)).toEqual([{ source: "prepaid" }, { source: "goodwill" }]);
  expect(await org.balance("there")).toMatchObject({ remaining: "25.00" });
  await org.expectBooks();
});

test("of a payment that bought no credit it is refused", async () => {
  await org.customer("invoiced", { card: "4242424242424242" });
  await org.use("invoiced", 5);
  await org.paying.advance("2028-04-01T00:00:00Z");
  const { payments } = await org.ask<{ payments: { nodes: { id: string }[] } }>(
    '{ payments(customer: "invoiced") { nodes { id } } }',
  );
  await expect(refund(payments.nodes[0]!.id)).rejects.toThrow("is not one of a top-up");
});

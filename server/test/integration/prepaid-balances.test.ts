// What is left of what was paid in advance, as usage burns it down: it agrees with previews, drafts and invoices at any moment.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPrepayingOrganization, type PrepayingOrganization } from "../support/prepaying-organization.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let org: PrepayingOrganization;

beforeAll(async () => {
  weir = await startTestWeir("prepaid-balances");
  org = await startPrepayingOrganization(weir, "burning");
});
afterAll(async () => {
  await org?.paying.stop();
  await weir?.close();
});

const grant = (customer: string, amount: string, more = "") =>
  org.mutate(`grantCredit(customer: "${customer}", kind: paid, amount: "${amount}"${more})`, "{ id }");

/** The totals of what the customer's subscriptions would be invoiced now. */
async function previewed(customer: string): Promise<number> {
  const { subscriptions } = await org.ask<{ subscriptions: { nodes: { id: string }[] } }>(
    `{ subscriptions(first: 50, customer: "${customer}") { nodes { id } } }`,
  );
  let sum = 0;
  for (const { id } of subscriptions.nodes) {
    const { invoicePreview } = await org.ask<{ invoicePreview: { total: { minor: string } } }>(
      `{ invoicePreview(subscription: "${id}") { total { minor } } }`,
    );
    sum += Number(invoicePreview.total.minor);
  }
  return sum;
}

test("while a draft waits for late usage the balance is the same, and what comes late burns once", async () => {
  await org.customer("late", { plan: "graceful" });
  await grant("late", "50.00");
  await org.use("late", 20);
  await org.paying.advance("2028-02-01T12:00:00Z");
  const { invoices } = await org.ask<{ invoices: { nodes: { status: string }[] } }>(
    '{ invoices(first: 5, customer: "late") { nodes { status } } }',
  );
  expect(invoices.nodes).toEqual([{ status: "draft" }]);
  expect(await org.balance("late")).toMatchObject({ drawn: "0.00", burning: "20.00", available: "30.00" });
  await org.use("late", 5, "2028-01-31T12:00:00Z");
  await org.use("late", 2);
  expect(await org.balance("late")).toMatchObject({ burning: "27.00", available: "23.00" });
  await org.paying.advance("2028-02-03T00:00:00Z");
  expect(await org.balance("late")).toMatchObject({ drawn: "25.00", burning: "2.00", available: "23.00" });
  await org.expectBooks();
});

test("a payer's credit burns for the subscriptions of those that it pays for; theirs do not burn their own", async () => {
  await org.customer("parent");
  await org.customer("child", { more: ', payer: "parent"' });
  await grant("parent", "40.00");
  await grant("child", "7.00");
  await org.use("child", 12);
  await org.use("parent", 3);
  expect((await previewed("parent")) + (await previewed("child"))).toBe(1500);
  expect(await org.balance("parent")).toMatchObject({ burning: "15.00", available: "25.00" });
  expect(await org.balance("child")).toMatchObject({ burning: "0.00", available: "7.00" });
});

test("promotional credits burn first, and more than there is shows below zero", async () => {
  await org.customer("over");
  await grant("over", "10.00");
  await org.mutate('grantCredit(customer: "over", kind: promotional, amount: "4.00")', "{ id }");
  await org.use("over", 3);
  expect(await org.balance("over")).toMatchObject({ burning: "0.00", available: "10.00" });
  await org.use("over", 16);
  expect(await org.balance("over")).toMatchObject({
    burning: "15.00",
    available: "-5.00",
    runsOutAt: org.now(),
  });
});

test("it runs out as usage of the last 7 days goes on, across the end of a period", async () => {
  await org.customer("steady");
  await grant("steady", "100.00");
  await org.paying.advance("2028-03-29T00:00:00Z");
  await org.use("steady", 14);
  await org.paying.advance("2028-04-02T00:00:00Z");
  await org.use("steady", 7);
  const balance = await org.balance("steady");
  // 14 on the invoice of March, 7 in April: both within 7 days. 79.00 are left at 3.00 a day.
  expect(balance).toMatchObject({
    drawn: "14.00",
    burning: "7.00",
    available: "79.00",
    burnedLately: "21.00",
    runsOutAt: "2028-04-28T08:00:00Z",
    runsOutOn: "2028-04-28",
  });
  await org.paying.advance("2028-04-06T00:00:00Z");
  expect(await org.balance("steady")).toMatchObject({ burnedLately: "7.00" });
  await org.paying.advance("2028-04-12T00:00:00Z");
  expect(await org.balance("steady")).toMatchObject({ burnedLately: "0.00", runsOutAt: null });
});

test("grants that are not valid yet, expired or voided are not available, and say so", async () => {
  await org.customer("parts");
  await grant("parts", "10.00", ', effectiveFrom: "2028-06-01T00:00:00Z"');
  await grant("parts", "20.00", ', expiresAt: "2028-04-13T00:00:00Z"');
  const { id } = (await grant("parts", "40.00")) as { id: string };
  await org.mutate(`voidCreditGrant(grant: "${id}", reason: "r")`, "{ id }");
  expect(await org.balance("parts")).toMatchObject({ runsOutAt: "2028-04-13T00:00:00Z" });
  await org.paying.advance("2028-04-14T00:00:00Z");
  expect(await org.balance("parts")).toMatchObject({
    granted: "70.00",
    voided: "40.00",
    expired: "20.00",
    upcoming: "10.00",
    remaining: "0.00",
    available: "0.00",
  });
  await org.expectBooks();
});

test("of an unknown customer it is refused, and of one that never paid in advance there is none", async () => {
  await expect(org.ask('{ prepaidBalance(customer: "nobody") { currency } }')).rejects.toThrow(
    'There is no customer with the id or key "nobody"',
  );
  await org.customer("never");
  await org.use("never", 1);
  expect(await org.ask('{ prepaidBalance(customer: "never") { currency } }')).toEqual({ prepaidBalance: [] });
});

test("while others finalize invoices, what is left never disagrees with what was drawn", async () => {
  await org.customer("busy");
  await grant("busy", "1000.00");
  await org.use("busy", 100);
  const advanced = org.paying.advance("2028-07-01T00:00:00Z");
  const seen: string[] = [];
  for (let done = false; !done; ) {
    done = await Promise.race([
      advanced.then(() => true),
      org.balance("busy").then(({ available }) => !seen.push(available)),
    ]);
  }
  await advanced;
  expect(new Set(seen)).toEqual(new Set(["900.00"]));
  expect(await org.balance("busy")).toMatchObject({ drawn: "100.00", burning: "0.00", available: "900.00" });
}, 60_000);

test("burning is what the preview says, tax included; invoicing moves it from burning to drawn and changes nothing else", async () => {
  await org.mutate('setTaxSettings(country: "NZ")', "{ country }");
  await org.mutate(
    'addTaxRate(country: "NZ", name: "GST", percent: "15", validFrom: "2020-01-01")',
    "{ id }",
  );
  await org.customer("taxed", { more: ', address: { country: "NZ" }' });
  await grant("taxed", "100.00");
  expect(await org.balance("taxed")).toMatchObject({
    granted: "100.00",
    burning: "0.00",
    available: "100.00",
  });
  await org.use("taxed", 30);
  expect(await previewed("taxed")).toBe(3450);
  expect(await org.balance("taxed")).toMatchObject({
    drawn: "0.00",
    remaining: "100.00",
    burning: "34.50",
    available: "65.50",
    burnedLately: "34.50",
  });
  await org.paying.advance("2028-08-01T00:00:00Z");
  expect(await org.balance("taxed")).toMatchObject({
    granted: "100.00",
    drawn: "34.50",
    remaining: "65.50",
    burning: "0.00",
    available: "65.50",
  });
  await org.expectBooks();
});

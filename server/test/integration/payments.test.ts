import { afterAll, beforeAll, expect, test } from "vitest";
import { startPayingOrganization, type PayingOrganization } from "../support/paying-organization.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let paying: PayingOrganization;
const payments = () => weir.weir.services.payments;
const invoicesOf = (customer: string) =>
  payments().receivables.list(paying.caller.organization, { customer: customer as never, limit: 100 });
const balanceOf = async (code: string, currency = "USD") => {
  const accounts = await weir.weir.services.ledger.accounts(paying.caller.organization, {
    prefix: code,
    limit: 10,
  });
  const found = accounts.find((one) => one.code === code && one.currency === currency);
  return found === undefined ? undefined : found.debit - found.credit;
};

beforeAll(async () => {
  weir = await startTestWeir("payments");
  paying = await startPayingOrganization(weir, "paying");
});
afterAll(async () => {
  await paying?.stop();
  await weir?.close();
});

test("an invoice is charged as it is finalized, and posted with the provider's fee", async () => {
  const customer = await paying.customer("acme", "4242424242424242");
  await paying.advance("2028-02-01T00:00:00Z");
  const [receivable] = await invoicesOf(customer);
  expect(receivable).toMatchObject({ state: "paid", due: 2000n, paid: 2000n, attempts: 1 });
  const [attempt] = await payments().charges.attemptsOf(paying.caller.organization, {
    invoice: receivable!.invoice,
    limit: 10,
  });
  expect(attempt).toMatchObject({ state: "succeeded", number: 1, amount: 2000n });
  const [payment] = await payments().charges.payments(paying.caller.organization, {
    invoice: receivable!.invoice,
    limit: 10,
  });
  expect(payment).toMatchObject({ amount: 2000n, excess: 0n, source: "attempt" });
  const settlement = await payments().charges.settlement(paying.caller.organization, payment!);
  expect(settlement?.gross).toEqual({ currency: "USD", minor: 2000n });
  expect(await balanceOf(`receivable:${customer}`)).toBe(0n);
  expect(await balanceOf(`provider_clearing:${paying.account}`)).toBe(2000n - settlement!.fee.minor);
  expect(await balanceOf("provider_fees")).toBe(settlement!.fee.minor);
  expect((await weir.weir.services.ledger.trialBalance(paying.caller.organization)).balanced).toBe(true);
});

import { afterAll, beforeAll, expect, test } from "vitest";
import type { CustomerId } from "../../src/kernel/ids.js";
import { formatInstant, parseInstant } from "../../src/kernel/instant.js";
import { startPayingOrganization, type PayingOrganization } from "../support/paying-organization.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let paying: PayingOrganization;
const payments = () => weir.weir.services.payments;
const organization = () => paying.caller.organization;
const invoiceOf = async (customer: string, index = 0) => {
  const found = await payments().receivables.list(organization(), {
    customer: customer as CustomerId,
    limit: 100,
  });
  return found[index]!;
};
const attemptsOf = (invoice: string) =>
  payments().charges.attemptsOf(organization(), { invoice, limit: 100 });

beforeAll(async () => {
  weir = await startTestWeir("dunning");
  paying = await startPayingOrganization(weir, "dunning", { declinesOnAttach: false });
});
afterAll(async () => {
  await paying?.stop();
  await weir?.close();
});

test("the schedule has its defaults, and is refused with every fault by field", async () => {
  const { dunning } = payments();
  expect(await dunning.schedule(organization())).toEqual({
    retryDays: [1, 3, 5, 7, 9, 11, 13],
    hour: 10,
    endDays: 14,
    end: "none",
  });
  await expect(
    dunning.setSchedule(paying.caller, { retryDays: [3, 3], hour: 24, endDays: 2, end: "none" }),
  ).rejects.toMatchObject({
    problem: { errors: [{ field: "retryDays" }, { field: "hour" }, { field: "endDays" }] },
  });
});

test("a soft decline is retried by the schedule in the customer's morning, and then is left to a person", async () => {
  const { dunning } = payments();
  await dunning.setSchedule(paying.caller, { retryDays: [1, 3], hour: 10, endDays: 5, end: "none" });
  const customer = await paying.customer("soft", "4000000000000002");
  await paying.advance("2028-02-01T00:00:00Z");
  const { invoice, ...first } = await invoiceOf(customer);
  expect(first).toMatchObject({ state: "open", dunning: { state: "retrying", retries: 0 } });
  const preview = await dunning.preview(organization(), invoice);
  expect(preview.map((step) => `${step.kind} ${formatInstant("at" in step ? step.at : step.until)}`)).toEqual(
    ["retry 2028-02-02T10:00:00Z", "retry 2028-02-04T10:00:00Z", "end 2028-02-06T10:00:00Z"],
  );
  await paying.advance("2028-02-07T00:00:00Z");
  const attempts = await attemptsOf(invoice);
  expect(
    attempts.map(({ number, state, createdAt }) => `${number} ${state} ${formatInstant(createdAt)}`),
  ).toEqual([
    "1 failed 2028-02-01T00:00:00Z",
    "2 failed 2028-02-02T10:00:00Z",
    "3 failed 2028-02-04T10:00:00Z",
  ]);
  expect(attempts[0]?.decline).toMatchObject({ code: "generic_decline", hardness: "soft" });
  expect(await invoiceOf(customer)).toMatchObject({ state: "open", dunning: { state: "ended", retries: 2 } });
});

test("a hard decline is never retried with the same card; a new card is charged at once", async () => {
  const customer = await paying.customer("hard", "4000000000009979");
  await paying.advance("2028-03-07T00:00:00Z");
  const { invoice, dunning } = await invoiceOf(customer);
  // Ended on the schedule's last day, after one attempt.
  expect(await attemptsOf(invoice)).toMatchObject([
    { state: "failed", decline: { code: "stolen_card", hardness: "hard" } },
  ]);
  expect(dunning).toMatchObject({ state: "ended" });
  const other = await paying.customer("renewed", "4000000000009979");
  await paying.advance("2028-04-03T00:00:00Z");
  await payments().methods.attach(paying.caller, {
    customer: "renewed",
    account: "stripe",
    method: paying.stripe.simulator.createPaymentMethod({ number: "4242424242424242" }),
    makeDefault: true,
  });
  await paying.advance("2028-04-03T00:01:00Z");
  const renewed = await invoiceOf(other);
  expect(renewed).toMatchObject({ state: "paid", attempts: 2 });
});

test("without funds the retry waits for a payday that is near", async () => {
  await payments().dunning.setSchedule(paying.caller, {
    retryDays: [2, 12],
    hour: 9,
    endDays: 20,
    end: "none",
  });
  const customer = await paying.customer("poor", "4000000000009995");
  await paying.advance("2028-05-04T00:00:00Z");
  const { invoice } = await invoiceOf(customer);
  const attempts = await attemptsOf(invoice);
  expect(attempts.map(({ decline, createdAt }) => `${decline?.code} ${formatInstant(createdAt)}`)).toEqual([
    "insufficient_funds 2028-05-01T00:00:00Z",
    "insufficient_funds 2028-05-03T09:00:00Z",
  ]);
  // The 13th is planned; the 15th is a payday.
  const preview = await payments().dunning.preview(organization(), invoice);
  expect(preview.map((step) => `${step.kind} ${"at" in step ? formatInstant(step.at) : ""}`)).toEqual([
    "retry 2028-05-15T09:00:00Z",
    "end 2028-05-21T09:00:00Z",
  ]);
});

test("at the end an invoice can become uncollectible, the customer be paused, or the subscription canceled", async () => {
  const { dunning, receivables } = payments();
  const ends = { retryDays: [], hour: 0, endDays: 1 } as const;
  await dunning.setSchedule(paying.caller, { ...ends, end: "mark_uncollectible" });
  const bad = await paying.customer("bad", "4000000000000002");
  await paying.advance("2028-06-10T00:00:00Z");
  const written = await invoiceOf(bad);
  expect(written).toMatchObject({
    state: "uncollectible",
    writtenOff: written.due,
    dunning: { state: "ended" },
  });
  await dunning.setSchedule(paying.caller, { ...ends, end: "pause" });
  const paused = await paying.customer("paused", "4000000000000002");
  await paying.advance("2028-07-12T00:00:00Z");
  expect((await dunning.pauseOf(organization(), paused as CustomerId))?.reason).toContain("was not paid");
  await paying.advance("2028-08-12T00:00:00Z");
  expect(
    (await receivables.list(organization(), { customer: paused as CustomerId, limit: 10 })).map(
      ({ attempts }) => attempts,
    ),
  ).toEqual([1, 0]);
  await dunning.setSchedule(paying.caller, { ...ends, end: "cancel" });
  await paying.customer("canceled", "4000000000000002");
  await paying.advance("2028-09-14T00:00:00Z");
  const { subscriptions } = await weir.graphql<{ subscriptions: { nodes: { endsAt: string | null }[] } }>(
    `{ subscriptions(first: 10, customer: "canceled") { nodes { endsAt } } }`,
    {},
    paying.key,
  );
  expect(subscriptions.nodes[0]?.endsAt).not.toBeNull();
  const books = await weir.weir.services.ledger.trialBalance(organization());
  expect(books.balanced && books.differences.length === 0).toBe(true);
  expect(parseInstant("2028-09-14T00:00:00Z")).toBe(weir.weir.services.clocks.of(organization()).now());
});

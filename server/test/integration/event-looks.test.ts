// A provider's list of events is read by itself for what never came by webhook: soon, not without end, and cheaply on a test clock.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { hour, minute, type Instant } from "../../src/kernel/instant.js";
import type { OrganizationId } from "../../src/kernel/ids.js";
import { event_look_kind } from "../../src/payments/kinds.js";
import { eventually } from "../support/eventually.js";
import {
  startPayingOrganization,
  stripeKey,
  webhookSecret,
  type PayingOrganization,
} from "../support/paying-organization.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let paying: PayingOrganization;
let organizations = 0;
const payments = () => weir.weir.services.payments;
const organization = () => paying.caller.organization;
const simulator = () => paying.stripe.simulator;

beforeAll(async () => {
  weir = await startTestWeir("event-looks");
});
afterAll(() => weir?.close());
beforeEach(async () => {
  organizations += 1;
  paying = await startPayingOrganization(weir, `looks-${organizations}`, {
    delays: { dispute_ms: 20, payout_ms: 20, available_ms: 0 },
  });
});
afterEach(() => paying?.stop());

const loseWebhooks = () => simulator().faults.add({ event: "*", effect: { kind: "webhook_lost" } });
const looksOf = (of: OrganizationId) =>
  weir.weir.services.workflows.list(of, { kind: event_look_kind, limit: 500 });
const wakeOf = async (of: OrganizationId): Promise<Instant | undefined> => {
  const [found] = await weir.weir.services.postgres.inOrganization(
    of,
    (sql) => sql<{ at: string }[]>`
      SELECT (extract(epoch FROM at) * 1000000)::bigint::text AS at FROM wakes WHERE kind = ${event_look_kind}`,
  );
  return found && (Number(found.at) as Instant);
};
const outcomeOf = async (of: OrganizationId) => {
  const [last] = await looksOf(of);
  return (await weir.weir.services.workflows.inspect(of, last!.id))?.output;
};
async function paid(): Promise<string> {
  await paying.customer("acme", "4242424242424242");
  await paying.advance("2028-02-01T00:00:00Z");
  const [payment] = await payments().charges.payments(organization(), { limit: 1 });
  return payment!.ref!;
}
const disputes = () => payments().disputes.list(organization(), { limit: 10 });

test("a dispute whose webhook was lost is found a day later", async () => {
  loseWebhooks();
  simulator().dispute(await paying.chargeOf(await paid()));
  await paying.advance("2028-02-01T23:59:59Z");
  expect(await disputes()).toEqual([]);
  await paying.advance("2028-02-02T00:00:00Z");
  expect(await disputes()).toHaveLength(1);
});

test("a year of a test clock starts a few looks, and where nothing is expected none is left", async () => {
  await paid();
  await paying.advance("2029-01-31T00:00:00Z");
  // A day after each month's charge, and a day after a look that found something.
  const looks = await looksOf(organization());
  expect(looks.length).toBeGreaterThanOrEqual(12);
  expect(looks.length).toBeLessThanOrEqual(26);
  expect(looks.filter(({ state }) => state !== "succeeded")).toEqual([]);
  expect(await wakeOf(organization())).toBeUndefined();
});

test("a provider that does not answer stops no clock, and is asked again", async () => {
  loseWebhooks();
  const charge = await paying.chargeOf(await paid());
  const down = simulator().faults.add({ operation: "events.list", effect: { kind: "error_before" } });
  simulator().dispute(charge);
  await paying.advance("2028-02-02T12:00:00Z");
  expect(await outcomeOf(organization())).toEqual({ failure: expect.stringContaining("did not answer") });
  simulator().faults.remove(down);
  await paying.advance("2028-02-03T00:00:00Z");
  expect(await disputes()).toHaveLength(1);
});

test("one look reads so many pages and no more, and the next goes on behind them", async () => {
  const request = async (path: string, body = "") => {
    const headers = {
      authorization: `Bearer ${stripeKey}`,
      "content-type": "application/x-www-form-urlencoded",
    };
    const answer = await simulator().handle({ method: "POST", path: `/v1/${path}`, headers, body });
    if (typeof answer === "string") throw new Error("the simulator gave no answer");
    return JSON.parse(answer.body) as { id: string };
  };
  loseWebhooks();
  await paid();
  const { inbox } = payments();
  await inbox.backfill(organization(), "stripe");
  for (let count = 0; count < 230; count += 1) {
    const { id } = await request("payment_intents", "amount=1000&currency=usd");
    await request(`payment_intents/${id}/cancel`);
  }
  const read = (pages: number) => inbox.readOn(organization(), "stripe", pages);
  expect(await read(1)).toEqual({ taken: 100, hasMore: true });
  expect(await read(1)).toEqual({ taken: 100, hasMore: true });
  expect(await read(5)).toEqual({ taken: 30, hasMore: false });
  expect(await inbox.backfill(organization(), "stripe")).toBe(0);
});

test("where the provider no longer lists the last event that was read, it is read from that time on", async () => {
  loseWebhooks();
  const charge = await paying.chargeOf(await paid());
  await payments().inbox.backfill(organization(), "stripe");
  await weir.weir.services.postgres.inOrganization(
    organization(),
    (sql) => sql`UPDATE provider_event_cursors SET cursor = 'evt_of_last_year'`,
  );
  simulator().dispute(charge);
  await eventually(
    () => payments().inbox.backfill(organization(), "stripe"),
    (taken) => taken > 0,
  );
  await eventually(disputes, (found) => found.length === 1);
  expect(await disputes()).toHaveLength(1);
});

test("in live mode the list is read an hour after something was asked, and every hour from then on", async () => {
  const { identity, workflows, clock, postgres } = weir.weir.services;
  const { id } = await identity.createOrganization({ slug: "live-looks", name: "Live", mode: "live" });
  const { secret: key } = await identity.issueSystemKey(id, { name: "live", kind: "secret" });
  const caller = { organization: id, key: "key_live" as typeof paying.caller.key, kind: "secret" as const };
  await payments().accounts.create(caller, {
    key: "stripe",
    provider: "stripe",
    settings: { apiBase: paying.stripe.url },
    secrets: { secretKey: stripeKey, webhookSecret },
  });
  expect(await wakeOf(id)).toBeUndefined();
  await weir.graphql(
    `mutation { createCustomer(key: "acme", name: "Acme", timeZone: "UTC") { __typename } }`,
    {},
    key,
  );
  await payments().methods.setupPage(id, {
    customer: "acme",
    account: "stripe",
    returnUrl: "https://acme.example/",
  });
  const inAnHour = async () => {
    const at = (await wakeOf(id))!;
    expect(Math.abs(at - clock.now() - hour)).toBeLessThan(minute);
    return at;
  };
  const first = await inAnHour();
  // An hour passes.
  await postgres.inOrganization(
    id,
    (sql) => sql`UPDATE wakes SET at = at - interval '1 hour 1 minute' WHERE kind = ${event_look_kind}`,
  );
  const [look] = await eventually(
    () => workflows.list(id, { kind: event_look_kind, limit: 10 }),
    ([one]) => one?.state === "succeeded",
  );
  expect(look).toMatchObject({ state: "succeeded" });
  expect(await outcomeOf(id)).toEqual({ taken: 0, hasMore: false });
  expect(await inAnHour()).toBeGreaterThan(first);
});

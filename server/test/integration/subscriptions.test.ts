import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { listAudit } from "../../src/audit/index.js";
import { Customers, type Billing, type Subscription } from "../../src/billing/index.js";
import { phasesOf } from "../../src/billing/core/index.js";
import { Catalog } from "../../src/catalog/index.js";
import type { Postgres } from "../../src/engines/postgres/index.js";
import { openIdentity, type Caller, type Identity } from "../../src/identity/index.js";
import { FixedClock, sameClock } from "../../src/kernel/clock.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { formatInstant, parseInstant, type Instant } from "../../src/kernel/instant.js";
import { Refusal } from "../../src/kernel/problem.js";
import { UsageInMemory } from "../support/usage-in-memory.js";
import { openTestBilling } from "../support/open-test-billing.js";
import { openTestPostgres } from "./embedded-postgres.js";

const at = (text: string): Instant => parseInstant(text)!;
const d = (text: string) => Decimal.of(text);
const noon = at("2026-03-15T12:00:00Z");

let postgres: Postgres;
let remove: () => Promise<void>;
let identity: Identity;
let clock: FixedClock;
let catalog: Catalog;
let billing: Billing;
let caller: Caller;
let invoiced: Instant | undefined;
let changedIds: string[] = [];
let organizations = 0;

beforeAll(async () => {
  ({ postgres, remove } = await openTestPostgres());
  identity = openIdentity({ postgres, clock: new FixedClock(noon) });
});
afterAll(() => remove());

beforeEach(async () => {
  clock = new FixedClock(noon);
  invoiced = undefined;
  changedIds = [];
  organizations += 1;
  const slug = `subs-${organizations}`;
  const { id } = await identity.createOrganization({ slug, name: "Test", mode: "test" });
  caller = { organization: id, key: "key_test" as Caller["key"], kind: "secret" };
  const usage = new UsageInMemory();
  catalog = new Catalog({ postgres, clock, clocks: sameClock(clock), meters: usage });
  const ports = {
    postgres,
    clock,
    clocks: sameClock(clock),
    invoicedUntil: () => Promise.resolve(invoiced),
    subscriptionChanged: (_sql: unknown, _organization: unknown, subscription: Subscription) => {
      changedIds.push(subscription.id);
      return Promise.resolve();
    },
  };
  const wakes = {
    subscriptionChanged: ports.subscriptionChanged,
    boundariesDone: () => Promise.resolve(),
    draftsNoted: () => Promise.resolve(),
    thresholdsChecked: () => Promise.resolve(),
  };
  ({ billing } = openTestBilling({ ...ports, catalog, usage, wakes, customers: new Customers(ports) }));
  const amount = (text: string) => ({ kind: "flat" as const, amount: d(text) });
  const seats = { kind: "per_unit" as const, unitAmount: d("10"), per: Decimal.one };
  await catalog.createPlan(caller, {
    key: "team",
    name: "Team",
    currency: "USD",
    prices: [
      { key: "fee", charge: "flat", model: amount("20"), currencies: { EUR: amount("18") } },
      { key: "seats", charge: "licensed", model: seats, currencies: { EUR: seats } },
    ],
  });
  await catalog.createPlan(caller, {
    key: "year",
    name: "Year",
    currency: "USD",
    interval: "year",
    trialDays: 14,
    prices: [{ key: "fee", charge: "flat", model: amount("200") }],
  });
  await catalog.addOns.create(caller, {
    key: "support",
    name: "Support",
    currency: "USD",
    prices: [{ key: "support", charge: "flat", model: amount("5") }],
  });
  await catalog.coupons.create(caller, {
    key: "spring",
    name: "Spring",
    off: { kind: "percent", percent: d("10") },
    duration: { kind: "months", months: 3 },
    redemptionsMax: 1,
  });
  await billing.customers.create(caller, { key: "acme", name: "Acme", timeZone: "Pacific/Auckland" });
});

const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no refusal",
    (error: unknown) => (error instanceof Refusal ? `${error.problem.status} ${error.slug}` : String(error)),
  );
const text = (instant: Instant | undefined) => (instant === undefined ? undefined : formatInstant(instant));
const subscribe = (more: object = {}) =>
  billing.subscriptions.create(caller, {
    customer: "acme",
    plan: "team",
    start: at("2026-01-10T00:00:00Z"),
    ...more,
  });
const scheduleOf = (subscription: Subscription) =>
  phasesOf(subscription).map(({ from, to, interval }) => [text(from), text(to), interval]);

describe("creating", () => {
  test("a customer has several subscriptions, each read back as it was written", async () => {
    const first = await subscribe({
      anchor: "anniversary",
      quantities: { seats: d("3.5") },
      coupons: ["spring"],
    });
    clock.advance(1000); // ids of one millisecond are in no order
    const second = await subscribe({ plan: "year", trialDays: 7, anchorDay: 31 });
    expect(await billing.subscriptions.list(caller.organization, { limit: 10 })).toEqual([first, second]);
    expect(first.anchor).toEqual({ day: 10, month: 1, weekday: 6 });
    expect(first.quantities.map(({ quantity }) => quantity.toString())).toEqual(["3.5"]);
    expect(first.coupons.map(({ from, to }) => [text(from), text(to)])).toEqual([
      ["2026-01-09T11:00:00Z", "2026-04-09T12:00:00Z"],
    ]);
    expect(text(second.trialEnd)).toBe("2026-01-16T11:00:00Z");
    expect(scheduleOf(second)).toEqual([["2026-01-09T11:00:00Z", undefined, "year"]]);
    expect(changedIds).toEqual([first.id, second.id]);
  });

  test("a currency is one that every price has, the customer's and the payer's", async () => {
    expect((await subscribe({ currency: "EUR" })).currency).toBe("EUR");
    expect(await refusalOf(subscribe({ plan: "year", currency: "EUR" }))).toBe("409 currency-mismatch");
    const override = { fee: { kind: "flat" as const, amount: d("150") } };
    expect((await subscribe({ plan: "year", currency: "EUR", overrides: override })).currency).toBe("EUR");
    await billing.customers.create(caller, { key: "us", name: "US", timeZone: "UTC", currency: "USD" });
    expect(await refusalOf(subscribe({ customer: "us", currency: "EUR" }))).toBe("409 currency-mismatch");
  });

  test("what is not valid is refused with its place", async () => {
    const refusal = await subscribe({ anchorDay: 32, trialDays: -1, currency: "XXY" }).catch(
      (error: unknown) => error,
    );
    expect((refusal as Refusal).problem["errors"]).toMatchObject([
      { field: "anchorDay" },
      { field: "trialDays" },
      { field: "currency" },
    ]);
    expect(await refusalOf(subscribe({ start: at("2010-01-01T00:00:00Z") }))).toBe(
      "400 invalid-subscription",
    );
    expect(await refusalOf(subscribe({ quantities: { desks: d("1") } }))).toBe("404 price-not-found");
    expect(await refusalOf(subscribe({ quantities: { seats: d("-1") } }))).toBe("400 invalid-quantity");
    const perUnit = { kind: "per_unit" as const, unitAmount: d("1"), per: Decimal.one };
    expect(await refusalOf(subscribe({ overrides: { fee: perUnit } }))).toBe("400 invalid-subscription");
    expect(await refusalOf(subscribe({ coupons: ["nothing"] }))).toBe("404 coupon-not-found");
  });
});

describe("changing", () => {
  test("an upgrade cuts the schedule at local midnight and keeps what was; the store keeps the row it replaced", async () => {
    const { id } = await subscribe({ quantities: { seats: d("4") } });
    const changed = await billing.subscriptionChanges.changePlan(caller, { subscription: id, plan: "year" });
    expect(scheduleOf(changed)).toEqual([
      ["2026-01-09T11:00:00Z", "2026-03-15T11:00:00Z", "month"],
      ["2026-03-15T11:00:00Z", undefined, "year"],
    ]);
    const rows = await postgres.inOrganization(
      caller.organization,
      (sql) => sql`SELECT added_in, removed_in FROM subscription_phases ORDER BY added_in, valid_from`,
    );
    expect(rows.map((row) => [row["added_in"], row["removed_in"]])).toEqual([
      [1, 2],
      [2, null],
      [2, null],
    ]);
    const changes = await billing.subscriptions.changesOf(caller.organization, changed, { limit: 10 });
    expect(changes.map(({ revision, action }) => [revision, action])).toEqual([
      [2, "change_plan"],
      [1, "create"],
    ]);
    const log = await listAudit(postgres, caller.organization, { target: id });
    const actions = log.entries.map(({ action }) => action); // of one millisecond, in no order
    expect(actions.toSorted()).toEqual(["subscription.change_plan", "subscription.create"]);
  });

  test("a downgrade at the period's end, quantities today and later, an add-on, a coupon, a cancellation and its taking back", async () => {
    const { id } = await subscribe({ quantities: { seats: d("4") } });
    const changes = billing.subscriptionChanges;
    await changes.setQuantity(caller, { subscription: id, price: "seats", quantity: d("7") });
    await changes.setQuantity(caller, {
      subscription: id,
      price: "seats",
      quantity: d("6"),
      when: { kind: "period_end" },
    });
    await changes.changePlan(caller, {
      subscription: id,
      plan: "year",
      when: { kind: "at", at: at("2026-06-01T00:00:00Z") },
    });
    let now = await changes.attachAddOn(caller, { subscription: id, addOn: "support", quantity: d("2") });
    const addOn = now.addOns[0]!;
    now = await changes.detachAddOn(caller, {
      subscription: id,
      addOn: addOn.id,
      when: { kind: "period_end" },
    });
    expect(now.addOns.map(({ from, to, quantity }) => [text(from), text(to), quantity.toString()])).toEqual([
      ["2026-03-15T11:00:00Z", "2026-03-31T11:00:00Z", "2"],
    ]);
    await changes.redeemCoupon(caller, { subscription: id, coupon: "spring" });
    now = await changes.removeCoupon(caller, { subscription: id, coupon: "spring" });
    expect(now.coupons.map(({ from, to }) => [text(from), text(to)])).toEqual([
      ["2026-02-28T11:00:00Z", "2026-03-31T11:00:00Z"],
    ]);
    expect(now.quantities.map(({ at: from, quantity }) => [text(from), quantity.toString()])).toEqual([
      ["2026-01-09T11:00:00Z", "4"],
      ["2026-03-15T11:00:00Z", "7"],
      ["2026-03-31T11:00:00Z", "6"],
    ]);
    const canceled = await changes.cancel(caller, { subscription: id });
    expect([text(canceled.endsAt), text(canceled.canceledAt)]).toEqual(["2026-03-16T11:00:00Z", text(noon)]);
    expect(await changes.uncancel(caller, id)).toEqual(now);
    expect(await refusalOf(changes.uncancel(caller, id))).toBe("409 not-canceled");
    await changes.cancel(caller, { subscription: id });
    clock.advance(2 * 86_400_000_000);
    expect(await refusalOf(changes.uncancel(caller, id))).toBe("409 subscription-ended");
    expect(await refusalOf(changes.changePlan(caller, { subscription: id, plan: "year" }))).toBe(
      "409 subscription-ended",
    );
  });

  test("time that finalized invoices have closed is not changed, but for quantities within 35 days", async () => {
    const { id } = await subscribe();
    const changes = billing.subscriptionChanges;
    invoiced = at("2026-02-28T11:00:00Z");
    const early = { kind: "at" as const, at: at("2026-02-20T00:00:00Z") };
    const refusal = await changes
      .changePlan(caller, { subscription: id, plan: "year", when: early })
      .catch((error: unknown) => error as Refusal);
    expect((refusal as Refusal).problem).toMatchObject({ status: 409, from: "2026-02-28T11:00:00Z" });
    expect(
      await refusalOf(changes.attachAddOn(caller, { subscription: id, addOn: "support", when: early })),
    ).toBe("409 already-invoiced");
    expect(await refusalOf(changes.cancel(caller, { subscription: id, when: early }))).toBe(
      "409 already-invoiced",
    );
    const quantity = { subscription: id, price: "seats", quantity: d("9") };
    expect(await refusalOf(changes.setQuantity(caller, { ...quantity, when: early }))).toBe("no refusal");
    const older = { kind: "at" as const, at: at("2026-02-01T00:00:00Z") };
    expect(await refusalOf(changes.setQuantity(caller, { ...quantity, when: older }))).toBe(
      "409 already-invoiced",
    );
  });

  test("ten changes at once are ten revisions; one sent twice is one", async () => {
    const { id } = await subscribe();
    const set = (units: number, key?: string) =>
      billing.subscriptionChanges.setQuantity(
        caller,
        { subscription: id, price: "seats", quantity: Decimal.of(units) },
        key,
      );
    await Promise.all(Array.from({ length: 10 }, (_, index) => set(index + 2)));
    await set(50, "once");
    await set(50, "once");
    const subscription = await billing.subscriptions.get(caller.organization, id);
    const changes = await billing.subscriptions.changesOf(caller.organization, subscription, { limit: 50 });
    expect(changes.map(({ revision }) => revision)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(subscription.quantities.at(-1)?.quantity.toString()).toBe("50");
  });

  test("of two who want the last redemption of a coupon, one gets it", async () => {
    const ids = [(await subscribe()).id, (await subscribe()).id];
    const answers = await Promise.all(
      ids.map((subscription) =>
        refusalOf(billing.subscriptionChanges.redeemCoupon(caller, { subscription, coupon: "spring" })),
      ),
    );
    expect(answers.toSorted()).toEqual(["409 coupon-used-up", "no refusal"]);
  });

  test("the store lets no row of a schedule be rewritten or taken away", async () => {
    await subscribe();
    const run = (query: string) => postgres.inOrganization(caller.organization, (sql) => sql.unsafe(query));
    await expect(run("UPDATE subscription_phases SET valid_to = now()")).rejects.toThrow(/permission denied/);
    await expect(run("DELETE FROM subscription_quantities")).rejects.toThrow(/permission denied/);
    await expect(run("DELETE FROM subscription_changes")).rejects.toThrow(/permission denied|append-only/);
  });
});

describe("a customer who moves", () => {
  test("has the new zone from the next period on, and no period more or less", async () => {
    const { id } = await subscribe();
    await billing.subscriptionChanges.cancel(caller, {
      subscription: id,
      when: { kind: "at", at: at("2026-05-09T12:00:00Z") },
    });
    await billing.customers.update(caller, { customer: "acme", timeZone: "Pacific/Honolulu" });
    const moved = await billing.subscriptions.get(caller.organization, id);
    expect(moved.timeZone).toBe("Pacific/Auckland");
    expect(moved.zoneChanges.map(({ from, timeZone }) => [text(from), timeZone])).toEqual([
      ["2026-03-31T11:00:00Z", "Pacific/Honolulu"],
    ]);
    // The last day is still 10 May, now of Honolulu.
    expect(text(moved.endsAt)).toBe("2026-05-11T10:00:00Z");
    const [change] = await billing.subscriptions.changesOf(caller.organization, moved, { limit: 1 });
    expect(change).toMatchObject({ action: "change_time_zone", details: { timeZone: "Pacific/Honolulu" } });
  });

  test("takes the zone of whoever pays, and its own again", async () => {
    await billing.customers.create(caller, { key: "parent", name: "P", timeZone: "Europe/Berlin" });
    const { id } = await subscribe();
    await billing.customers.update(caller, { customer: "acme", payer: "parent" });
    const paid = await billing.subscriptions.get(caller.organization, id);
    const parent = await billing.customers.get(caller.organization, "parent");
    expect([paid.payer, paid.zoneChanges.at(-1)?.timeZone]).toEqual([parent.id, "Europe/Berlin"]);
    expect((await subscribe()).timeZone).toBe("Europe/Berlin");
    await billing.customers.update(caller, { customer: "acme", payer: null });
    const own = await billing.subscriptions.get(caller.organization, id);
    expect([own.payer, own.zoneChanges]).toEqual([own.customer, []]);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { listAudit } from "../../src/audit/index.js";
import type { Billing, Invoice } from "../../src/billing/index.js";
import { Catalog, type NewPlan } from "../../src/catalog/index.js";
import type { Postgres } from "../../src/engines/postgres/index.js";
import { openIdentity, type Caller, type Identity } from "../../src/identity/index.js";
import { FixedClock, sameClock } from "../../src/kernel/clock.js";
import { Decimal } from "../../src/kernel/decimal.js";
import { formatInstant, parseInstant, type Instant } from "../../src/kernel/instant.js";
import { formatMoney } from "../../src/kernel/money.js";
import { Refusal } from "../../src/kernel/problem.js";
import type { PriceModel } from "../../src/rating/core/index.js";
import { openTestBilling } from "../support/open-test-billing.js";
import { openTestPostgres } from "./embedded-postgres.js";
import { UsageInMemory } from "../support/usage-in-memory.js";

const at = (text: string): Instant => parseInstant(text)!;
const d = (text: string) => Decimal.of(text);
const clock = new FixedClock(at("2026-03-15T12:00:00Z"));
const clocks = sameClock(clock);

let postgres: Postgres;
let remove: () => Promise<void>;
let identity: Identity;
let usage: UsageInMemory;
let catalog: Catalog;
let billing: Billing;
let caller: Caller;
let organizations = 0;

beforeAll(async () => {
  ({ postgres, remove } = await openTestPostgres());
  identity = openIdentity({ postgres, clock });
  usage = new UsageInMemory();
  catalog = new Catalog({ postgres, clock, clocks, meters: usage });
  ({ billing } = openTestBilling({
    postgres,
    clock,
    clocks,
    catalog,
    usage,
  }));
});
afterAll(() => remove());

beforeEach(async () => {
  caller = await newCaller();
});

async function newCaller(): Promise<Caller> {
  organizations += 1;
  const { id } = await identity.createOrganization({
    slug: `org-${organizations}`,
    name: "Test",
    mode: "test",
  });
  const { key } = await identity.createKey(
    { organization: id, key: "key_x" as Caller["key"], kind: "secret" },
    { name: "t", kind: "secret" },
  );
  await usage.addMeter(postgres, id, "tokens", clock.now());
  return { organization: id, key: key.id, kind: "secret" };
}

const graduated: PriceModel = {
  kind: "graduated",
  per: d("1000"),
  tiers: [
    { upTo: d("1000"), unitAmount: d("0"), flatAmount: d("5") },
    { upTo: d("10000"), unitAmount: d("0.03"), flatAmount: d("0") },
    { upTo: undefined, unitAmount: d("0.02"), flatAmount: d("0") },
  ],
};
const llm: NewPlan = {
  key: "llm",
  name: "LLM",
  currency: "USD",
  prices: [{ key: "tokens", name: "Tokens", meter: "tokens", model: graduated }],
};

const total = ({ currency, totals }: Pick<Invoice, "currency" | "totals">) =>
  formatMoney({ currency, minor: totals.total });

const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no refusal",
    (error: unknown) => (error instanceof Refusal ? `${error.problem.status} ${error.slug}` : String(error)),
  );

async function subscribe(timeZone = "Pacific/Auckland", anchorDay = 1) {
  await catalog.createPlan(caller, llm);
  const customer = await billing.customers.create(caller, { key: "acme", name: "Acme", timeZone });
  await billing.customers.assignSubject(caller, { customer: "acme", subject: "acme-1" });
  const subscription = await billing.subscriptions.create(caller, {
    customer: "acme",
    plan: "llm",
    start: at("2026-01-01T00:00:00Z"),
    anchorDay,
  });
  return { customer, subscription };
}

describe("catalog", () => {
  test("a new version is sold from now on and leaves the old one as it was", async () => {
    const plan = await catalog.createPlan(caller, llm);
    const before = JSON.stringify(plan.current);
    const model: PriceModel = { kind: "per_unit", unitAmount: d("0.5"), per: d("1000") };
    const second = await catalog.createVersion(caller, "llm", {
      ...llm,
      prices: [{ key: "tokens", meter: "tokens", model }],
    });
    expect([second.version, second.prices[0]?.name]).toEqual([2, "tokens"]);
    expect((await catalog.get(caller.organization, "llm")).current!.id).toBe(second.id);
    const versions = await catalog.versionsOf(caller.organization, plan.id);
    expect(versions.map((version) => version.version)).toEqual([1, 2]);
    expect(JSON.stringify(versions[0])).toBe(before);
    expect((await catalog.list(caller.organization, { limit: 10 })).map((one) => one.key)).toEqual(["llm"]);
  });

  test("a version's rows refuse to change, whoever asks", async () => {
    await catalog.createPlan(caller, llm);
    const change = postgres.inOrganization(
      caller.organization,
      (sql) => sql`UPDATE prices SET name = 'other'`,
    );
    await expect(change).rejects.toThrow(/permission denied|append-only/);
  });

  test("two new versions at once get consecutive numbers", async () => {
    const plan = await catalog.createPlan(caller, llm);
    await Promise.all([1, 2, 3, 4].map(() => catalog.createVersion(caller, "llm", llm)));
    expect((await catalog.versionsOf(caller.organization, plan.id)).map((one) => one.version)).toEqual([
      1, 2, 3, 4, 5,
    ]);
  });

  test("a bad plan is refused with every fault and its field, and nothing is stored", async () => {
    const bad: NewPlan = {
      ...llm,
      key: "No Good",
      currency: "XXY",
      prices: [
        {
          key: "a",
          meter: "nowhere",
          model: {
            kind: "graduated",
            per: d("1"),
            tiers: [{ upTo: d("5"), unitAmount: d("-1"), flatAmount: d("0") }],
          },
        },
      ],
    };
    const refusal = await catalog.createPlan(caller, bad).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refusal);
    const { errors } = (refusal as Refusal).problem as unknown as { errors: { field: string }[] };
    expect(errors.map((fault) => fault.field)).toEqual([
      "key",
      "currency",
      "prices[0].model.graduated.tiers[0].upTo",
      "prices[0].model.graduated.tiers[0].unitAmount",
      "prices[0].meter",
    ]);
    expect(await catalog.list(caller.organization, { limit: 10 })).toEqual([]);
  });

  test("a key that is taken is refused; the same request under one idempotency key is not", async () => {
    const first = await catalog.createPlan(caller, llm, "k1");
    expect((await catalog.createPlan(caller, llm, "k1")).id).toBe(first.id);
    expect(await refusalOf(catalog.createPlan(caller, { ...llm, name: "Other" }, "k1"))).toBe(
      "422 idempotency-key-reused",
    );
    expect(await refusalOf(catalog.createPlan(caller, llm))).toBe("409 plan-exists");
  });
});

describe("customers and subjects", () => {
  test("a customer needs a zone that exists and a currency that does", async () => {
    const input = { key: "a", name: "A", timeZone: "Mars/Olympus", currency: "ABC", email: "nobody" };
    const refusal = (await billing.customers
      .create(caller, input)
      .catch((error: unknown) => error)) as Refusal;
    expect(refusal.problem["errors"]).toMatchObject([
      { field: "currency" },
      { field: "timeZone" },
      { field: "email" },
    ]);
  });

  test("a subject has one owner at a time; half-open spans may touch", async () => {
    for (const key of ["a", "b"]) await billing.customers.create(caller, { key, name: key, timeZone: "UTC" });
    const boundary = at("2026-02-01T00:00:00.000001Z");
    await billing.customers.assignSubject(caller, { customer: "a", subject: "s", to: boundary });
    expect(
      await refusalOf(
        billing.customers.assignSubject(caller, {
          customer: "b",
          subject: "s",
          from: (boundary - 1) as Instant,
        }),
      ),
    ).toBe("409 subject-taken");
    await billing.customers.assignSubject(caller, { customer: "b", subject: "s", from: boundary });
    const spans = await billing.customers.spansOf(caller.organization, ["a", "b"]);
    expect(spans.map((span) => [span.from, span.to])).toEqual([
      [0, boundary],
      [boundary, undefined],
    ]);
  });

  test("a subject is as long as an event's may be, 512 characters", async () => {
    await billing.customers.create(caller, { key: "a", name: "A", timeZone: "UTC" });
    const assign = (length: number) =>
      refusalOf(billing.customers.assignSubject(caller, { customer: "a", subject: "é".repeat(length) }));
    expect([await assign(512), await assign(513), await assign(0)]).toEqual([
      "no refusal",
      "400 invalid-subject",
      "400 invalid-subject",
    ]);
  });

  test("of two customers who claim a subject at once, one gets it", async () => {
    for (const key of ["a", "b", "c", "d"])
      await billing.customers.create(caller, { key, name: key, timeZone: "UTC" });
    const claims = await Promise.all(
      ["a", "b", "c", "d"].map((customer) =>
        refusalOf(billing.customers.assignSubject(caller, { customer, subject: "s" })),
      ),
    );
    expect(claims.toSorted()).toEqual([
      "409 subject-taken",
      "409 subject-taken",
      "409 subject-taken",
      "no refusal",
    ]);
  });

  test("the store itself refuses a second owner", async () => {
    const customer = await billing.customers.create(caller, { key: "a", name: "A", timeZone: "UTC" });
    const insert = (from: string) =>
      postgres.inOrganization(
        caller.organization,
        (sql) => sql`
          INSERT INTO customer_subjects (organization, customer, subject, valid_from)
          VALUES (${caller.organization}, ${customer.id}, 's', ${from}::text::timestamptz)`,
      );
    await insert("2026-01-01T00:00:00Z");
    await expect(insert("2027-01-01T00:00:00Z")).rejects.toMatchObject({ code: "23P01" });
  });

  test("an assignment that is ended frees the subject from then on; ended at its start it never was", async () => {
    for (const key of ["a", "b"]) await billing.customers.create(caller, { key, name: key, timeZone: "UTC" });
    const { customers } = billing;
    await customers.assignSubject(caller, { customer: "a", subject: "s", from: at("2026-01-01T00:00:00Z") });
    await customers.endSubject(caller, { customer: "a", subject: "s", at: at("2026-02-01T00:00:00Z") });
    await customers.assignSubject(caller, { customer: "b", subject: "s", from: at("2026-02-01T00:00:00Z") });
    await customers.endSubject(caller, { customer: "b", subject: "s", at: at("2026-02-01T00:00:00Z") });
    expect(await customers.spansOf(caller.organization, ["b"])).toEqual([]);
    expect(await refusalOf(customers.endSubject(caller, { customer: "b", subject: "s" }))).toBe(
      "404 subject-not-assigned",
    );
    const log = await listAudit(postgres, caller.organization, { action: "subject.end" });
    expect(log.entries).toHaveLength(2);
  });
});

describe("subscriptions", () => {
  test("begin with the local day, keep the customer's zone, and refuse another currency", async () => {
    const { subscription } = await subscribe();
    expect(formatInstant(subscription.startedAt)).toBe("2025-12-31T11:00:00Z");
    expect(subscription.timeZone).toBe("Pacific/Auckland");
    await billing.customers.create(caller, { key: "eu", name: "EU", timeZone: "UTC", currency: "EUR" });
    expect(await refusalOf(billing.subscriptions.create(caller, { customer: "eu", plan: "llm" }))).toBe(
      "409 currency-mismatch",
    );
    expect(await refusalOf(billing.subscriptions.create(caller, { customer: "acme", plan: "no" }))).toBe(
      "404 plan-not-found",
    );
    expect(
      await refusalOf(billing.subscriptions.create(caller, { customer: "acme", plan: "llm", anchorDay: 32 })),
    ).toBe("400 invalid-subscription");
  });
});

describe("invoices", () => {
  test("a month of an Auckland customer holds its local month and nothing else", async () => {
    const { subscription } = await subscribe();
    const { organization } = caller;
    usage.add(organization, "acme-1", at("2026-02-28T10:59:59.999999Z"), "1000000"); // still February
    usage.add(organization, "acme-1", at("2026-02-28T11:00:00Z"), "500");
    usage.add(organization, "acme-1", at("2026-03-31T10:59:59.999999Z"), "12000.5");
    usage.add(organization, "acme-1", at("2026-03-31T11:00:00Z"), "7"); // April
    usage.add(organization, "other", at("2026-03-10T00:00:00Z"), "7");
    const preview = await billing.invoices.preview(organization, subscription.id);
    // 5 for the first 1,000; 9,000 at 0.03 per 1,000; 2,500.5 at 0.02 per 1,000.
    expect(preview.lines[0]?.exact.toString()).toBe("5.32001");
    expect(total(preview)).toBe("5.32 USD");
    expect(preview.notices).toEqual([expect.stringMatching(/^No tax/)]);
    expect(await billing.invoices.list(organization, { limit: 10 })).toEqual([]);
  });

  test("usage counts only while its subject was the customer's", async () => {
    const { subscription } = await subscribe("UTC");
    await billing.customers.endSubject(caller, {
      customer: "acme",
      subject: "acme-1",
      at: at("2026-03-10T00:00:00Z"),
    });
    usage.add(caller.organization, "acme-1", at("2026-03-09T23:59:59.999999Z"), "1");
    usage.add(caller.organization, "acme-1", at("2026-03-10T00:00:00Z"), "2");
    const { lines } = await billing.invoices.preview(caller.organization, subscription.id);
    expect(lines[0]?.quantity?.toString()).toBe("1");
  });

  test("a customer without subjects or usage is told so; the first tier's flat fee applies", async () => {
    const { subscription } = await subscribe();
    const silent = await billing.invoices.preview(caller.organization, subscription.id);
    expect(total(silent)).toBe("5.00 USD");
    expect(silent.notices[0]).toMatch(/No event/);
    await billing.customers.endSubject(caller, { customer: "acme", subject: "acme-1", at: 0 as Instant });
    const bare = await billing.invoices.preview(caller.organization, subscription.id);
    expect(bare.notices[0]).toMatch(/no subject/);
  });

  test("ten calls at once make one invoice, audited once", async () => {
    const { subscription } = await subscribe();
    usage.add(caller.organization, "acme-1", at("2026-03-10T00:00:00Z"), "1500");
    const made = await Promise.all(
      Array.from({ length: 10 }, () => billing.invoices.create(caller, { subscription: subscription.id })),
    );
    expect(new Set(made.map(({ invoice }) => invoice.id)).size).toBe(1);
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    expect(await billing.invoices.list(caller.organization, { limit: 10 })).toHaveLength(1);
    const log = await listAudit(postgres, caller.organization, { action: "invoice.create" });
    expect(log.entries).toHaveLength(1);
  });

  test("a draft keeps its figures until it is refreshed; its lines keep their ids", async () => {
    const { subscription, customer } = await subscribe();
    usage.add(caller.organization, "acme-1", at("2026-03-10T00:00:00Z"), "2000");
    const { invoice } = await billing.invoices.create(caller, { subscription: subscription.id });
    usage.add(caller.organization, "acme-1", at("2026-03-09T00:00:00Z"), "1000");
    const { invoice: again, created } = await billing.invoices.create(caller, {
      subscription: subscription.id,
    });
    expect([created, again]).toEqual([false, invoice]);
    const refreshed = await billing.invoices.refresh(caller, invoice.id);
    expect(refreshed.lines.map((line) => line.id)).toEqual(invoice.lines.map((line) => line.id));
    expect([invoice.revision, total(invoice)]).toEqual([1, "5.03 USD"]);
    expect([refreshed.revision, total(refreshed)]).toEqual([2, "5.06 USD"]);
    expect(await billing.invoices.list(caller.organization, { customer: customer.id, limit: 10 })).toEqual([
      refreshed,
    ]);
  });

  test("consecutive months are billed once each, and together hold all usage", async () => {
    const { subscription } = await subscribe("Asia/Kolkata", 31);
    const start = at("2025-12-31T18:30:00Z");
    for (let hours = 0; hours < 24 * 90; hours += 5) {
      usage.add(caller.organization, "acme-1", (start + hours * 3_600_000_000) as Instant, "1");
    }
    let events = 0;
    let moment = start;
    for (let count = 0; count < 5; count += 1) {
      const { invoice } = await billing.invoices.create(caller, {
        subscription: subscription.id,
        at: moment,
      });
      events += invoice.lines[0]!.events;
      moment = invoice.boundary;
    }
    expect(events).toBe(432);
    const starts = async (page: { after?: string; limit: number }) =>
      (await billing.invoices.list(caller.organization, page)).map(({ id }) => id);
    const newestFirst = await starts({ limit: 10 });
    expect(newestFirst).toEqual(newestFirst.toSorted().toReversed());
    expect(newestFirst).toHaveLength(5);
    expect(await starts({ limit: 2, after: newestFirst[1]! })).toEqual(newestFirst.slice(2, 4));
    expect(
      await refusalOf(
        billing.invoices.create(caller, { subscription: subscription.id, at: (start - 1) as Instant }),
      ),
    ).toBe("409 not-subscribed-then");
  });
});

describe("explain", () => {
  test("a stored line is reproduced from its inputs, also after more usage and a new plan version", async () => {
    const { subscription } = await subscribe();
    const { organization } = caller;
    for (let hours = 0; hours < 10; hours += 1) {
      usage.add(
        organization,
        "acme-1",
        (at("2026-03-10T06:00:00Z") + hours * 3_600_000_000) as Instant,
        "1234.5",
      );
    }
    const { invoice } = await billing.invoices.create(caller, { subscription: subscription.id });
    usage.add(organization, "acme-1", at("2026-03-11T00:00:00Z"), "999999");
    await catalog.createVersion(caller, "llm", {
      ...llm,
      prices: [
        { key: "tokens", meter: "tokens", model: { kind: "per_unit", unitAmount: d("9"), per: d("1") } },
      ],
    });

    const { explanations } = billing;
    const why = await explanations.ofLine(organization, invoice.id, invoice.lines[0]!.id);
    expect([why.reproduced, why.differences]).toEqual([true, []]);
    expect(why.recomputed.exact.toString()).toBe(invoice.lines[0]!.exact.toString());
    expect([why.planVersion.version, why.price?.key, why.meter?.slug]).toEqual([1, "tokens", "tokens"]);
    expect(why.line.subjects).toEqual([
      { subject: "acme-1", from: invoice.sections[0]!.period.start, to: invoice.boundary },
    ]);

    const days = await explanations.daysOf(why);
    expect(days.map((one) => [formatInstant(one.start), one.events])).toEqual([
      ["2026-03-09T11:00:00Z", 5],
      ["2026-03-10T11:00:00Z", 5],
    ]);
    expect(Decimal.sum(days.map((one) => one.quantity)).toString()).toBe("12345");

    const first = await explanations.eventsOf(why, { limit: 7 });
    const rest = await explanations.eventsOf(why, { limit: 7, after: first.next! });
    expect([first.rows.length, rest.rows.length, rest.next]).toEqual([7, 3, undefined]);
    expect(new Set([...first.rows, ...rest.rows].map((row) => row.id)).size).toBe(10);
    expect(await refusalOf(explanations.eventsOf(why, { limit: 7, after: "nonsense" }))).toBe(
      "400 invalid-cursor",
    );
  });

  test("a price is explained without an invoice; the pages of one walk stay at one watermark", async () => {
    const { subscription } = await subscribe();
    const { organization } = caller;
    for (const value of ["1", "2", "3"]) usage.add(organization, "acme-1", at("2026-03-10T00:00:00Z"), value);
    const input = { subscription: subscription.id, price: "tokens" };
    const page = await billing.explanations.eventsOf(
      await billing.explanations.ofPreview(organization, input),
      { limit: 2 },
    );
    usage.add(organization, "acme-1", at("2026-03-12T00:00:00Z"), "4");
    const later = await billing.explanations.ofPreview(organization, input);
    const next = await billing.explanations.eventsOf(later, { limit: 2, after: page.next! });
    expect(later.recomputed.quantity?.toString()).toBe("10");
    expect(next.rows.map((row) => row.value)).toEqual(["3"]);
    expect(await billing.invoices.list(organization, { limit: 10 })).toEqual([]);
    expect(await refusalOf(billing.explanations.ofPreview(organization, { ...input, price: "other" }))).toBe(
      "404 price-not-found",
    );
  });

  test("a line whose usage reads differently is not called reproduced, and the difference is named", async () => {
    const { subscription } = await subscribe();
    usage.add(caller.organization, "acme-1", at("2026-03-10T00:00:00Z"), "5000");
    const { invoice } = await billing.invoices.create(caller, { subscription: subscription.id });
    usage.rows.splice(usage.rows.length - 1, 1);
    const why = await billing.explanations.ofLine(caller.organization, invoice.id, invoice.lines[0]!.id);
    expect(why.reproduced).toBe(false);
    expect(why.differences.map((difference) => difference.field)).toContain("quantity");
  });
});

test("another organization sees none of it", async () => {
  const { subscription } = await subscribe();
  const { invoice } = await billing.invoices.create(caller, { subscription: subscription.id });
  const { organization } = await newCaller();
  expect(await billing.customers.find(organization, "acme")).toBeUndefined();
  expect(await catalog.find(organization, "llm")).toBeUndefined();
  expect(await billing.invoices.find(organization, invoice.id)).toBeUndefined();
  expect(await refusalOf(billing.invoices.preview(organization, subscription.id))).toBe(
    "404 subscription-not-found",
  );
  expect(await billing.subscriptions.list(organization, { limit: 10 })).toEqual([]);
});

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listAudit } from "../../src/audit/index.js";
import type { Billing, Invoice } from "../../src/billing/index.js";
import { Catalog } from "../../src/catalog/index.js";
import type { Credits } from "../../src/credits/index.js";
import type { Postgres } from "../../src/engines/postgres/index.js";
import { openIdentity, type Caller, type Identity } from "../../src/identity/index.js";
import { FixedClock, sameClock } from "../../src/kernel/clock.js";
import { Decimal } from "../../src/kernel/decimal.js";
import type { SubscriptionId } from "../../src/kernel/ids.js";
import { parseInstant, type Instant } from "../../src/kernel/instant.js";
import { Refusal } from "../../src/kernel/problem.js";
import { accountOf, balanceOf, type Ledger } from "../../src/ledger/index.js";
import type { Taxes } from "../../src/tax/index.js";
import type { DraftsNoted } from "../../src/billing/invoicing/write-invoices.js";
import { openTestBilling } from "../support/open-test-billing.js";
import { UsageInMemory } from "../support/usage-in-memory.js";
import { openTestPostgres } from "./embedded-postgres.js";

const at = (text: string): Instant => parseInstant(text)!;
const d = (text: string) => Decimal.of(text);
const clock = new FixedClock(at("2026-01-01T00:00:00Z"));
const clocks = sameClock(clock);

let postgres: Postgres;
let remove: () => Promise<void>;
let identity: Identity;
let usage: UsageInMemory;
let catalog: Catalog;
let billing: Billing;
let tax: Taxes;
let ledger: Ledger;
let credits: Credits;
let caller: Caller;
let organizations = 0;
const noted: { invoice: string; issueAt: Instant }[] = [];

beforeAll(async () => {
  ({ postgres, remove } = await openTestPostgres());
  identity = openIdentity({ postgres, clock });
  usage = new UsageInMemory();
  catalog = new Catalog({ postgres, clock, clocks, meters: usage });
  const wakes = {
    subscriptionChanged: () => Promise.resolve(),
    boundariesDone: () => Promise.resolve(),
    thresholdsChecked: () => Promise.resolve(),
    draftsNoted: (_sql: unknown, _organization: unknown, drafts: Parameters<DraftsNoted>[2]) => {
      noted.push(...drafts);
      return Promise.resolve();
    },
  };
  ({ billing, tax, ledger, credits } = openTestBilling({ postgres, clock, clocks, catalog, usage, wakes }));
});
afterAll(() => remove());

beforeEach(async () => {
  organizations += 1;
  clock.set(at("2026-01-01T00:00:00Z"));
  const { id } = await identity.createOrganization({
    slug: `invoicing-${organizations}`,
    name: "Test",
    mode: "test",
  });
  const { key } = await identity.createKey(
    { organization: id, key: "key_x" as Caller["key"], kind: "secret" },
    { name: "t", kind: "secret" },
  );
  caller = { organization: id, key: key.id, kind: "secret" };
  await usage.addMeter(postgres, id, "tokens", clock.now());
  await catalog.createPlan(caller, {
    graceHours: 1,
    key: "llm",
    name: "LLM",
    currency: "EUR",
    prices: [
      { key: "fee", charge: "flat", timing: "arrears", model: { kind: "flat", amount: d("10") } },
      { key: "tokens", meter: "tokens", model: { kind: "per_unit", unitAmount: d("0.5"), per: d("1") } },
    ],
  });
});

async function subscribe(
  key: string,
  { plan = "llm", ...more }: { payer?: string; plan?: string } = {},
): Promise<SubscriptionId> {
  await billing.customers.create(caller, {
    key,
    name: key,
    timeZone: "UTC",
    address: { country: "DE" },
    ...more,
  });
  await billing.customers.assignSubject(caller, { customer: key, subject: key });
  return (await billing.subscriptions.create(caller, { customer: key, plan })).id;
}

const february = at("2026-02-01T00:00:00Z");
const march = at("2026-03-01T00:00:00Z");

async function runAt(boundary: Instant, ...ids: SubscriptionId[]) {
  clock.set((boundary + 7_200_000_000) as Instant);
  return billing.dueInvoices.billAt(caller.organization, ids, boundary);
}

const all = () => billing.invoices.list(caller.organization, { limit: 100 });

async function only(): Promise<Invoice> {
  const [invoice, more] = await all();
  if (invoice === undefined || more !== undefined) throw new Error("there is not one invoice");
  return invoice;
}

/** What each account holds, in cents. */
async function books(): Promise<Record<string, bigint>> {
  const { accounts, balanced, differences } = await ledger.trialBalance(caller.organization);
  expect([balanced, differences]).toEqual([true, []]);
  return Object.fromEntries(
    accounts
      .map((one): [string, bigint] => [accountOf(one.code).kind, balanceOf(one.type, one)])
      .filter(([, minor]) => minor !== 0n),
  );
}

const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no refusal",
    (error: unknown) => (error instanceof Refusal ? `${error.problem.status} ${error.slug}` : String(error)),
  );

test("a finalized invoice is numbered, taxed, paid from credits and balance, posted, and never changes", async () => {
  await tax.setSettings(caller, { country: "DE" });
  const id = await subscribe("acme");
  usage.add(caller.organization, "acme", at("2026-01-10T00:00:00Z"), "100"); // 50.00, with the fee 60.00
  await credits.grant(caller, { customer: "acme", kind: "promotional", amount: "20", currency: "EUR" });
  await credits.grant(caller, { customer: "acme", kind: "paid", amount: "30", currency: "EUR" });
  expect(await runAt(february, id)).toEqual({ finalized: 1, drafts: 0, failed: [] });
  const invoice = await only();
  // (60 − 20) × 1.19 = 47.60, of which 30 are paid by credits.
  expect(invoice.totals).toEqual({
    subtotal: 6000n,
    promotional: 2000n,
    tax: 760n,
    total: 4760n,
    paidCredits: 3000n,
    balanceUsed: 0n,
    toBalance: 0n,
    due: 1760n,
  });
  expect([invoice.status, invoice.finalized?.number]).toEqual(["finalized", "INV-000001"]);
  expect(await books()).toEqual({
    receivable: 1760n,
    revenue: 6000n,
    tax_payable: 760n,
    promotional_credit: 2000n,
    cash_clearing: 3000n,
  });
  for (const statement of [
    "UPDATE invoices SET due_minor = 0",
    "DELETE FROM invoice_lines",
    "UPDATE invoice_lines SET name = 'x'",
  ])
    await expect(
      postgres.inOrganization(caller.organization, (sql) => sql.unsafe(statement)),
    ).rejects.toThrow(/never changes|permission denied|check constraint/);
  expect(await refusalOf(billing.invoices.refresh(caller, invoice.id))).toBe("409 invoice-not-a-draft");
  expect(await billing.invoices.finalize(caller, invoice.id)).toEqual(invoice);
  const log = await listAudit(postgres, caller.organization, { action: "invoice.finalize" });
  expect(log.entries.map(({ actor, target }) => [actor, target])).toEqual([["system", invoice.id]]);
});

test("runs at once, again, and with the clock set back, bill each subscription once", async () => {
  const ids = await Promise.all(["a", "b", "c", "d", "e"].map((key) => subscribe(key)));
  await Promise.all(Array.from({ length: 6 }, () => runAt(february, ...ids)));
  clock.set(at("2026-01-05T00:00:00Z"));
  await billing.dueInvoices.billAt(caller.organization, ids, february);
  await runAt(february, ...ids);
  const invoices = await all();
  expect(invoices.map(({ finalized }) => finalized?.sequence ?? 0).toSorted((a, b) => a - b)).toEqual([
    1, 2, 3, 4, 5,
  ]);
  expect(new Set(invoices.map(({ customer }) => customer)).size).toBe(5);
  expect((await books())["revenue"]).toBe(5000n);
});

test("a line cannot be without its section, nor a section go before its lines", async () => {
  const id = await subscribe("acme");
  clock.set(february);
  expect(await billing.dueInvoices.billAt(caller.organization, [id], february)).toMatchObject({ drafts: 1 });
  const refused = (statement: string) =>
    expect(postgres.inOrganization(caller.organization, (sql) => sql.unsafe(statement))).rejects;
  await refused(`CREATE TEMPORARY TABLE moved AS SELECT * FROM invoice_lines LIMIT 1;
    UPDATE moved SET id = 'il_other', section = 7; INSERT INTO invoice_lines SELECT * FROM moved`).toThrow(
    /section 7 of invoice \S+, which is not there/,
  );
  await refused("DELETE FROM invoice_sections").toThrow(/before its lines/);
});

test("before its grace is over an invoice is a draft that takes late usage with it; an earlier draft comes first", async () => {
  const id = await subscribe("acme");
  clock.set(february);
  expect(await billing.dueInvoices.billAt(caller.organization, [id], february)).toMatchObject({ drafts: 1 });
  usage.add(caller.organization, "acme", at("2026-01-31T23:00:00Z"), "4");
  const draft = await only();
  expect(draft.totals.total).toBe(1000n);
  clock.set(march);
  await billing.dueInvoices.billAt(caller.organization, [id], march);
  const [second] = await all();
  expect(await refusalOf(billing.invoices.finalize(caller, second!.id))).toBe("409 earlier-draft");
  // By itself, past its grace, it waits for the earlier one, and is not looked at again at once.
  clock.set((march + 7_200_000_000) as Instant);
  await billing.dueInvoices.finalizeDue(caller.organization, [second!.id]);
  expect((await billing.invoices.get(caller.organization, second!.id)).status).toBe("draft");
  expect(noted.at(-1)).toEqual({ invoice: second!.id, issueAt: march + 7_200_000_000 + 3_600_000_000 });
  clock.set(march);
  await billing.dueInvoices.finalizeDue(caller.organization, [second!.id, draft.id]);
  expect((await billing.invoices.get(caller.organization, draft.id)).totals.total).toBe(1200n);
  clock.set((march + 7_200_000_000) as Instant);
  await billing.dueInvoices.finalizeDue(caller.organization, [second!.id, draft.id]);
  const final = await all();
  expect(final.map(({ finalized }) => finalized?.number)).toEqual(["INV-000002", "INV-000001"]);
  expect(final.map(({ totals }) => totals.total)).toEqual([1000n, 1200n]);
});

test("late usage is billed by the difference, on the next invoice, for the period that it is of", async () => {
  const id = await subscribe("acme");
  usage.add(caller.organization, "acme", at("2026-01-10T00:00:00Z"), "3");
  await runAt(february, id);
  usage.add(caller.organization, "acme", at("2026-01-20T00:00:00Z"), "4");
  await runAt(march, id);
  const [second] = await all();
  const late = second!.lines.filter(({ isCorrection }) => isCorrection);
  expect(
    late.map(({ period, net, targetNet, billedNet }) => [period.end, net, targetNet, billedNet]),
  ).toEqual([[february, 200n, 350n, 150n]]);
  const why = await billing.explanations.ofLine(caller.organization, second!.id, late[0]!.id);
  expect([why.reproduced, why.recorded.minor]).toEqual([true, 350n]);
});

test("what corrects a month before a move is measured in the days of the zone before, and explained so", async () => {
  await catalog.createPlan(caller, {
    key: "daily",
    name: "Daily",
    currency: "EUR",
    prices: [
      {
        key: "days",
        meter: "tokens",
        model: {
          kind: "windowed",
          window: "day",
          price: {
            kind: "package",
            packageAmount: d("1"),
            size: d("10"),
            rounding: "up",
            freeUnits: undefined,
          },
          commitment: undefined,
        },
      },
    ],
  });
  await billing.customers.create(caller, { key: "acme", name: "Acme", timeZone: "UTC" });
  await billing.customers.assignSubject(caller, { customer: "acme", subject: "acme" });
  const { id } = await billing.subscriptions.create(caller, { customer: "acme", plan: "daily" });
  // Two days in UTC, one in New York.
  usage.add(caller.organization, "acme", at("2026-01-10T20:00:00Z"), "5");
  usage.add(caller.organization, "acme", at("2026-01-11T02:00:00Z"), "5");
  await runAt(february, id);
  await billing.customers.update(caller, { customer: "acme", timeZone: "America/New_York" });
  await runAt(march, id);
  usage.add(caller.organization, "acme", at("2026-01-31T12:00:00Z"), "5");
  await runAt(at("2026-04-01T04:00:00Z"), id);
  const [third] = await all();
  const late = third!.lines.find(({ isCorrection }) => isCorrection);
  expect([late?.targetNet, late?.billedNet]).toEqual([300n, 200n]);
  const why = await billing.explanations.ofLine(caller.organization, third!.id, late!.id);
  expect([why.differences, why.timeZone]).toEqual([[], "UTC"]);
});

test("a voided invoice is taken back to the cent, and its period billed again, with what came in between", async () => {
  await tax.setSettings(caller, { country: "DE" });
  const id = await subscribe("acme");
  await credits.grant(caller, { customer: "acme", kind: "paid", amount: "5", currency: "EUR" });
  await runAt(february, id);
  const invoice = await only();
  const note = await billing.creditNotes.void(caller, { invoice: "INV-000001", reason: "wrong address" });
  expect([note.number, note.net, note.tax, note.voids]).toEqual(["CN-000001", 1000n, 190n, true]);
  expect(await books()).toEqual({ prepaid_credit: 500n, cash_clearing: 500n });
  expect((await billing.creditNotes.void(caller, { invoice: invoice.id, reason: "again" })).id).toBe(note.id);
  const voids = await listAudit(postgres, caller.organization, { action: "invoice.void" });
  expect(voids.entries.map(({ target }) => target)).toEqual([invoice.id]);
  usage.add(caller.organization, "acme", at("2026-01-20T00:00:00Z"), "4");
  const { invoice: again, created } = await billing.invoices.create(caller, {
    subscription: id,
    at: at("2026-01-15T00:00:00Z"),
  });
  expect(created).toBe(true);
  const final = await billing.invoices.finalize(caller, again.id);
  expect([final.finalized?.number, final.totals.total, final.totals.due]).toEqual([
    "INV-000002",
    1428n,
    928n,
  ]);
  expect((await books())["receivable"]).toBe(928n);
});

test("a credit note gives back a part with its tax, off what is owed and then as balance, which pays the next invoice", async () => {
  await tax.setSettings(caller, { country: "DE" });
  const id = await subscribe("acme");
  await credits.grant(caller, { customer: "acme", kind: "paid", amount: "10", currency: "EUR" });
  await runAt(february, id);
  const invoice = await only(); // 11.90, of which 1.90 are due
  const [line] = invoice.lines.filter(({ net }) => net > 0n);
  const issue = (lines: { line: string; minor?: bigint }[], idempotencyKey?: string) =>
    billing.creditNotes.issue(caller, { invoice: invoice.id, reason: "outage", lines }, idempotencyKey);
  expect(await refusalOf(issue([{ line: line!.id, minor: 1001n }]))).toBe("400 invalid-credit-note");
  const note = await issue([{ line: line!.id, minor: 400n }], "key-1");
  expect((await issue([{ line: line!.id, minor: 400n }], "key-1")).id).toBe(note.id);
  expect(await refusalOf(issue([{ line: line!.id, minor: 401n }], "key-1"))).toBe(
    "422 idempotency-key-reused",
  );
  expect([note.net, note.tax, note.toBalance]).toEqual([400n, 76n, 286n]);
  expect(await books()).toMatchObject({ revenue: 600n, tax_payable: 114n, customer_balance: 286n });
  expect(await refusalOf(billing.creditNotes.void(caller, { invoice: invoice.id, reason: "r" }))).toBe(
    "409 invoice-credited",
  );
  const rest = await billing.creditNotes.issue(caller, { invoice: invoice.id, reason: "the rest" });
  expect([rest.net, rest.tax, rest.toBalance]).toEqual([600n, 114n, 714n]);
  expect(await refusalOf(billing.creditNotes.issue(caller, { invoice: invoice.id, reason: "r" }))).toBe(
    "409 invoice-credited",
  );
  await runAt(march, id);
  const [next] = await all();
  expect([next!.totals.total, next!.totals.balanceUsed, next!.totals.due]).toEqual([1190n, 1000n, 190n]);
  expect((await books())["customer_balance"]).toBeUndefined();
});

test("a payer has one invoice for all that it pays for, each in a section of its own", async () => {
  const group = await subscribe("group");
  const ids = [group, await subscribe("one", { payer: "group" }), await subscribe("two", { payer: "group" })];
  usage.add(caller.organization, "two", at("2026-01-10T00:00:00Z"), "2");
  await runAt(february, ...ids);
  const invoice = await only();
  const keys = await Promise.all(
    invoice.sections.map(
      async ({ customer }) => (await billing.customers.get(caller.organization, customer)).key,
    ),
  );
  expect(keys.sort()).toEqual(["group", "one", "two"]);
  expect([invoice.finalized?.buyer.key, invoice.totals.total]).toEqual(["group", 3100n]);
  const two = await billing.customers.get(caller.organization, "two");
  expect(await billing.invoices.list(caller.organization, { customer: two.id, limit: 5 })).toHaveLength(1);
});

test("what a payer pays for is on one invoice too when it comes in different runs and needs no grace", async () => {
  const fee = {
    key: "fee",
    charge: "flat",
    timing: "arrears",
    model: { kind: "flat", amount: d("10") },
  } as const;
  await catalog.createPlan(caller, { key: "seat", name: "Seat", currency: "EUR", prices: [fee] });
  const alone = await subscribe("alone", { plan: "seat" });
  const group = await subscribe("group", { plan: "seat" });
  const paidFor = await subscribe("one", { plan: "seat", payer: "group" });
  clock.set(february);
  const run = (id: SubscriptionId) => billing.dueInvoices.billAt(caller.organization, [id], february);
  expect(await run(alone)).toMatchObject({ finalized: 1, drafts: 0 });
  expect(await run(group)).toMatchObject({ finalized: 0, drafts: 1 });
  expect(await run(paidFor)).toMatchObject({ finalized: 0, drafts: 1 });
  const [draft, ...more] = (await all()).filter(({ status }) => status === "draft");
  expect([draft?.sections.length, draft?.issueAt, more]).toEqual([2, february + 3_600_000_000, []]);
  clock.set((february + 3_600_000_000) as Instant);
  expect(await billing.dueInvoices.finalizeDue(caller.organization, [draft!.id])).toMatchObject({
    finalized: 1,
  });
});

test("a subscription that cannot be computed is named, and keeps nobody back", async () => {
  const ids = await Promise.all(["a", "b", "c"].map((key) => subscribe(key)));
  usage.add(caller.organization, "b", at("2026-01-10T00:00:00Z"), "7");
  usage.failFor = "b";
  try {
    const outcome = await runAt(february, ...ids);
    expect([outcome.finalized, outcome.failed.map(({ id }) => id)]).toEqual([2, [ids[1]]]);
  } finally {
    usage.failFor = undefined;
  }
  expect(await runAt(february, ...ids)).toEqual({ finalized: 1, drafts: 0, failed: [] });
  expect((await all()).map(({ finalized }) => finalized?.sequence ?? 0).toSorted((a, b) => a - b)).toEqual([
    1, 2, 3,
  ]);
});

test("what changes a subscription while its invoice is computed makes it be computed again", async () => {
  const id = await subscribe("acme");
  const done = await Promise.all([
    runAt(february, id),
    billing.subscriptionChanges.cancel(caller, { subscription: id, when: { kind: "period_end" } }),
    billing.customers.update(caller, { customer: "acme", timeZone: "Pacific/Auckland" }),
  ]);
  expect(done[0]).toMatchObject({ failed: [] });
  const [invoice] = await all();
  expect(invoice?.status).toBe("finalized");
  expect(await all()).toHaveLength(1);
  expect((await books())["revenue"]).toBe(1000n);
});

test("usage that comes to the plan's threshold is billed ahead, once, and the period's end bills the rest", async () => {
  await catalog.createPlan(caller, {
    graceHours: 1,
    key: "capped",
    name: "Capped",
    currency: "EUR",
    spendThreshold: { EUR: d("5") },
    prices: [
      { key: "tokens", meter: "tokens", model: { kind: "per_unit", unitAmount: d("0.5"), per: d("1") } },
    ],
  });
  await billing.customers.create(caller, { key: "acme", name: "Acme", timeZone: "UTC" });
  await billing.customers.assignSubject(caller, { customer: "acme", subject: "acme" });
  const { id } = await billing.subscriptions.create(caller, { customer: "acme", plan: "capped" });
  const look = async (day: string, units: string) => {
    clock.set(at(`2026-01-${day}T12:00:00Z`));
    usage.add(caller.organization, "acme", at(`2026-01-${day}T06:00:00Z`), units);
    const { finalized } = await billing.dueInvoices.billThresholds(caller.organization, [id]);
    return finalized;
  };
  expect([
    await look("05", "9"),
    await look("06", "2"),
    await look("07", "3"),
    await look("08", "10"),
  ]).toEqual([0, 1, 0, 1]);
  await runAt(february, id);
  const invoices = await all();
  expect(invoices.map(({ kind, totals }) => [kind, totals.total])).toEqual([
    ["period", 0n],
    ["threshold", 650n],
    ["threshold", 550n],
  ]);
  usage.add(caller.organization, "acme", at("2026-01-31T12:00:00Z"), "1");
  await runAt(march, id);
  expect((await all()).reduce((sum, { totals }) => sum + totals.total, 0n)).toBe(1250n);
  expect((await books())["revenue"]).toBe(1250n);
});

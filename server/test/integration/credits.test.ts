import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listAudit } from "../../src/audit/index.js";
import { Credits, selectGrants, type GrantUse, type NewGrant } from "../../src/credits/index.js";
import type { Postgres } from "../../src/engines/postgres/index.js";
import type { Caller } from "../../src/identity/index.js";
import { FixedClock, sameClock } from "../../src/kernel/clock.js";
import { parseCurrency, type Currency } from "../../src/kernel/currency.js";
import type { CreditGrantId, CustomerId, InvoiceId } from "../../src/kernel/ids.js";
import { parseInstant, type Instant } from "../../src/kernel/instant.js";
import { Ledger } from "../../src/ledger/index.js";
import { operationsOf } from "../support/graphql-operations.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

const at = (text: string) => parseInstant(`${text}T00:00:00Z`) as Instant;
const usd = parseCurrency("USD") as Currency;
const clock = new FixedClock(at("2026-03-15"));

let weir: TestWeir;
let postgres: Postgres;
let ledger: Ledger;
let credits: Credits;
let caller: Caller;
let customer: CustomerId;
let invoices: InvoiceId[];
let customers = 0;

const invoices_count = 24;

const { mutate } = operationsOf((query) => weir.graphql(query));

beforeAll(async () => {
  weir = await startTestWeir("credits");
  ({ postgres } = weir.weir.services);
  const authenticated = await weir.weir.services.identity.authenticate(`Bearer ${weir.key}`);
  if (authenticated === undefined) throw new Error("the key is unknown");
  caller = authenticated;
  ledger = new Ledger({ postgres, clocks: sameClock(clock) });
  const { customers: credited } = weir.weir.services.billing;
  credits = new Credits({
    postgres,
    ledger,
    customers: credited,
    clocks: { of: () => clock },
    noteExpiry: () => Promise.resolve(),
  });
  await mutate('createMeter(slug: "m", eventType: "t", aggregation: COUNT)', "{ id }");
  await mutate(
    'createPlan(key: "p", name: "p", currency: "USD", prices: [{ key: "p", meter: "m", model: { perUnit: { unitAmount: "1" } } }])',
    "{ id }",
  );
  // Invoices to draw for; what stands in them does not matter here.
  await mutate('createCustomer(key: "billed", name: "b", timeZone: "UTC")', "{ id }");
  await mutate('assignSubject(customer: "billed", subject: "s")', "{ id }");
  const { id } = await mutate<{ id: string }>(
    'createSubscription(customer: "billed", plan: "p", start: "2023-01-01T00:00:00Z")',
    "{ id }",
  );
  await weir.settled();
  invoices = [];
  for (let month = 0; month < invoices_count; month += 1) {
    const instant = new Date(Date.UTC(2023, month, 10)).toISOString();
    const { invoice } = await mutate<{ invoice: { id: InvoiceId } }>(
      `createInvoice(subscription: "${id}", at: "${instant}")`,
      "{ invoice { id } }",
    );
    invoices.push(invoice.id);
  }
});
afterAll(() => weir?.close());
beforeEach(async () => {
  customers += 1;
  clock.set(at("2026-03-15"));
  const created = await mutate<{ id: CustomerId }>(
    `createCustomer(key: "c${customers}", name: "c", timeZone: "UTC", currency: "USD")`,
    "{ id }",
  );
  customer = created.id;
});

const grant = (more: Partial<NewGrant> = {}, key?: string) =>
  credits.grant(caller, { customer, kind: "paid", amount: "100.00", ...more }, key);
const inTransaction = <T>(work: Parameters<typeof postgres.inOrganization<T>>[1]) =>
  postgres.inOrganization(caller.organization, work);
const apply = (...uses: GrantUse[]) =>
  inTransaction((sql) => credits.applyGrants(sql, caller.organization, uses, clock.now()));
const restore = (...voided: InvoiceId[]) =>
  inTransaction((sql) => credits.restoreGrants(sql, caller.organization, voided, clock.now()));
const expire = (id: CreditGrantId) =>
  inTransaction((sql) => credits.expireGrant(sql, caller.organization, id, clock.now()));
const invoice = (number: number) => invoices[number] as InvoiceId;
const use = (id: CreditGrantId, number: number, amount: bigint): GrantUse => ({
  grant: id,
  invoice: invoice(number),
  amount,
});

/** Draws for an invoice as an invoice run does: lock, select, apply, post; returns what it drew. */
const drawFor = (number: number, due: bigint, serviceEnd = (clock.now() + 1) as Instant) =>
  inTransaction(async (sql) => {
    const open = await credits.lockGrants(sql, [{ customer, currency: usd }]);
    const draws = selectGrants(open, { due, serviceEnd });
    const uses = draws.map(({ grant: id, amount }) => use(id, number, amount));
    await credits.applyGrants(sql, caller.organization, uses, clock.now());
    const drawn = uses.reduce((sum, { amount }) => sum + amount, 0n);
    if (drawn > 0n) await ledger.post(sql, caller.organization, [usePosting(number, drawn)]);
    return drawn;
  });
const usePosting = (number: number, minor: bigint) => ({
  idempotencyKey: `test:${customer}:${number}`,
  reason: "invoice.finalize",
  reference: invoice(number),
  transfers: [
    {
      debit: { kind: "prepaid_credit" as const, customer },
      credit: { kind: "receivable" as const, customer },
      amount: { currency: usd, minor },
    },
  ],
});
/** What the ledger owes the customer as credit. */
async function prepaid(): Promise<bigint> {
  const accounts = await ledger.accounts(caller.organization, {
    prefix: `prepaid_credit:${customer}`,
    limit: 1,
  });
  return (accounts[0]?.credit ?? 0n) - (accounts[0]?.debit ?? 0n);
}
const totals = async () => {
  const found = await credits.totalsOf(caller.organization, customer);
  return found.map(({ kind, granted, used, voided, expired, upcoming, remaining }) => {
    expect(used + voided + expired + upcoming + remaining).toBe(granted);
    return { kind, granted, used, voided, expired, upcoming, remaining };
  });
};
const left = async (id: CreditGrantId) => (await credits.find(caller.organization, id))?.remaining;

test("a paid grant is owed as credit, a promotional one is nobody's money yet", async () => {
  const paid = await grant({ note: "PO 17" });
  expect(paid).toMatchObject({
    kind: "paid",
    currency: usd,
    amount: 10_000n,
    remaining: 10_000n,
    priority: 100,
  });
  await grant({ kind: "promotional", amount: "5" });
  expect(await prepaid()).toBe(10_000n);
  expect(await ledger.postings(caller.organization, { reference: paid.id, limit: 5 })).toMatchObject([
    { reason: "credit.grant", transfers: [{ debit: { kind: "cash_clearing" }, amount: { minor: 10_000n } }] },
  ]);
  expect((await totals()).map(({ kind, remaining }) => [kind, remaining])).toEqual([
    ["promotional", 500n],
    ["paid", 10_000n],
  ]);
});

test("granting again under the same key gives the same grant, once posted and once audited", async () => {
  const [first, ...rest] = await Promise.all([1, 2, 3].map(() => grant({}, `key-${customer}`)));
  expect(new Set(rest.map(({ id }) => id))).toEqual(new Set([first?.id]));
  expect(await prepaid()).toBe(10_000n);
  const audit = await listAudit(postgres, caller.organization, { target: first?.id as never });
  expect(audit.entries.map(({ action }) => action)).toEqual(["credit.grant"]);
});

test("what is wrong with a grant is said by field, and nothing is stored", async () => {
  const wrong = grant({
    amount: "1.005",
    priority: -1,
    currency: "EUR",
    expiresAt: at("2026-03-01"),
    note: "",
  });
  await expect(wrong).rejects.toMatchObject({ slug: "invalid-credit-grant" });
  const fields = await wrong.catch((error: { problem: { errors: { field: string }[] } }) =>
    error.problem.errors.map(({ field }) => field),
  );
  expect(fields).toEqual(["currency", "amount", "priority", "expiresAt", "note"]);
  await expect(grant({ amount: "-1" })).rejects.toMatchObject({ slug: "invalid-credit-grant" });
  await expect(grant({ customer: "nobody" })).rejects.toMatchObject({ slug: "customer-not-found" });
  expect(await totals()).toEqual([]);
});

test("invoices draw on grants, and what is left is what was granted less what they drew", async () => {
  const soon = await grant({ amount: "30", expiresAt: at("2026-06-01") });
  const later = await grant({ amount: "30" });
  expect(await drawFor(0, 4_000n)).toBe(4_000n);
  expect([await left(soon.id), await left(later.id)]).toEqual([0n, 2_000n]);
  expect(await drawFor(1, 4_000n)).toBe(2_000n);
  expect(await drawFor(2, 4_000n)).toBe(0n);
  expect(await prepaid()).toBe(0n);
});

test("two invoices that draw at once, twenty times over, never take more than there is", async () => {
  const grants = [
    await grant({ amount: "10" }),
    await grant({ amount: "7" }),
    await grant({ amount: "0.05" }),
  ];
  const drawn = await Promise.all(invoices.slice(0, 20).map((_, number) => drawFor(number, 131n)));
  const all = drawn.reduce((sum, each) => sum + each, 0n);
  expect(all).toBe(1_705n);
  expect(await Promise.all(grants.map(({ id }) => left(id)))).toEqual([0n, 0n, 0n]);
  expect(await prepaid()).toBe(0n);
});

test("without looking first, the store itself refuses more than there is, for all or none", async () => {
  const { id } = await grant({ amount: "10" });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 8 }, (_, number) => apply(use(id, number, 300n))),
  );
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  expect(await left(id)).toBe(100n);
  await expect(apply(use(id, 20, 50n), use(id, 21, 51n))).rejects.toThrow("of which 50 remains");
  expect(await left(id)).toBe(100n);
  const overdrawn = inTransaction(
    (sql) => sql`UPDATE credit_grant_balances SET used_minor = 1001 WHERE grant_id = ${id}`,
  );
  await expect(overdrawn).rejects.toThrow("never_more_than_granted");
});

test("an invoice draws on a grant once", async () => {
  const { id } = await grant({ amount: "10" });
  await apply(use(id, 0, 1n));
  await expect(apply(use(id, 0, 1n))).rejects.toThrow("credit_movements_once");
  await expect(apply(use(id, 1, 1n), use(id, 1, 1n))).rejects.toThrow("twice");
  const unknown = "crg_01arz3ndektsv4rrffq69g5fav" as CreditGrantId;
  await expect(apply(use(unknown, 1, 1n))).rejects.toThrow("no credit grant");
  expect(await left(id)).toBe(999n);
});

test("many invoices of many customers draw in one call", async () => {
  const ids: CreditGrantId[] = [];
  for (let number = 0; number < 6; number += 1) ids.push((await grant({ amount: "10" })).id);
  await apply(...ids.flatMap((id, index) => invoices.map((_, number) => use(id, number, BigInt(index + 1)))));
  expect(await Promise.all(ids.map(left))).toEqual([976n, 952n, 928n, 904n, 880n, 856n]);
});

test("a voided invoice gives back what it drew, once, whoever asks how often, and it can be drawn again", async () => {
  const first = await grant({ amount: "10" });
  const second = await grant({ amount: "10" });
  await apply(use(first.id, 0, 700n), use(second.id, 0, 100n), use(second.id, 1, 50n));
  const given = await Promise.all([restore(invoice(0)), restore(invoice(0)), restore(invoice(0))]);
  const [once, ...again] = given.filter((each) => each.length > 0);
  expect(again).toEqual([]);
  expect(once).toEqual(expect.arrayContaining([use(first.id, 0, 700n), use(second.id, 0, 100n)]));
  expect([await left(first.id), await left(second.id)]).toEqual([1_000n, 950n]);
  await apply(use(first.id, 2, 1_000n));
  const movements = await credits.movements(caller.organization, { grant: first.id, limit: 10 });
  expect(movements.map(({ kind }) => kind).sort()).toEqual(["restore", "use", "use"]);
});

test("restoring and drawing at once from many sides: every sum agrees with the movements", async () => {
  const { id } = await grant({ amount: "10" });
  await apply(...[0, 1, 2, 3, 4].map((number) => use(id, number, 200n)));
  await Promise.all([
    ...[0, 1, 2, 3, 4].flatMap((number) => [restore(invoice(number)), restore(invoice(number))]),
    ...[5, 6, 7, 8].map((number) => drawFor(number, 150n)),
  ]);
  const movements = await credits.movements(caller.organization, { grant: id, limit: 100 });
  const sum = (kind: string) =>
    movements.filter((each) => each.kind === kind).reduce((all, { amount }) => all + amount, 0n);
  expect(sum("restore")).toBe(1_000n);
  expect(await left(id)).toBe(1_000n - sum("use") + sum("restore"));
});

test("a grant that is voided keeps what was drawn; the rest goes back as money; again there is nothing left", async () => {
  const { id } = await grant({ amount: "10" });
  await drawFor(0, 400n);
  const input = { grant: id, reason: "refunded" };
  const voided = await credits.void(caller, input, `void-${id}`);
  expect(voided).toMatchObject({ used: 400n, voided: 600n, remaining: 0n });
  expect(await credits.void(caller, input, `void-${id}`)).toEqual(voided);
  expect(await prepaid()).toBe(0n);
  await expect(credits.void(caller, input)).rejects.toMatchObject({ slug: "credit-grant-used-up" });
  await expect(credits.void(caller, { ...input, grant: "crg_x" })).rejects.toMatchObject({
    slug: "credit-grant-not-found",
  });
  expect(await totals()).toMatchObject([{ granted: 1_000n, used: 400n, voided: 600n, remaining: 0n }]);
});

test("what is left when a paid grant expires is breakage, once; until the very instant it is not over", async () => {
  const { id } = await grant({ amount: "10", expiresAt: at("2026-04-01") });
  await drawFor(0, 400n);
  clock.set((at("2026-04-01") - 1) as Instant);
  expect(await expire(id)).toBeUndefined();
  clock.set(at("2026-04-01"));
  expect(await totals()).toMatchObject([{ expired: 600n, remaining: 0n }]);
  expect(await Promise.all([expire(id), expire(id), expire(id)])).toEqual(
    expect.arrayContaining([600n, 0n, 0n]),
  );
  expect(await prepaid()).toBe(0n);
  const postings = await ledger.postings(caller.organization, { reference: id, limit: 10 });
  expect(postings.map(({ reason }) => reason).sort()).toEqual(["credit.expire", "credit.grant"]);
  const audit = await listAudit(postgres, caller.organization, { target: id as never });
  expect(audit.entries.map(({ action }) => action)).toEqual(["credit.expire", "credit.grant"]);
  expect(await expire((await grant()).id)).toBeUndefined();
});

test("an invoice made in grace draws on a grant that expired with its period, one for the next period does not", async () => {
  const { id } = await grant({ amount: "10", expiresAt: at("2026-04-01") });
  clock.set(at("2026-04-02"));
  await expire(id);
  expect(await prepaid()).toBe(0n);
  expect(await drawFor(0, 400n, at("2026-05-01"))).toBe(0n);
  expect(await drawFor(1, 400n, at("2026-04-01"))).toBe(400n);
  expect(await prepaid()).toBe(0n);
  const movements = await credits.movements(caller.organization, { grant: id, limit: 10 });
  expect(
    movements
      .map(({ kind, amount }) => [kind, amount] as const)
      .sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0)),
  ).toEqual([
    ["expire", 1_000n],
    ["revive", 400n],
    ["use", 400n],
  ]);
  expect(await totals()).toMatchObject([{ used: 400n, expired: 600n }]);
  const { balanced, differences } = await ledger.trialBalance(caller.organization);
  expect({ balanced, differences }).toEqual({ balanced: true, differences: [] });
});

test("what a voided invoice gives back to a grant that is over expires at once, and can be drawn for its period", async () => {
  const { id } = await grant({ amount: "10", expiresAt: at("2026-04-01") });
  await drawFor(0, 1_000n);
  clock.set(at("2026-05-01"));
  expect(await expire(id)).toBe(0n);
  await inTransaction(async (sql) => {
    await credits.restoreGrants(sql, caller.organization, [invoice(0)], clock.now());
    const [posted] = await ledger.postings(caller.organization, {
      account: `prepaid_credit:${customer}`,
      reference: invoice(0),
      limit: 1,
    });
    if (posted === undefined) throw new Error("not posted");
    await ledger.reverse(sql, caller.organization, posted.id, "invoice.void");
  });
  expect(await prepaid()).toBe(0n);
  expect(await totals()).toMatchObject([{ used: 0n, expired: 1_000n, remaining: 0n }]);
  expect(await drawFor(1, 300n, at("2026-04-01"))).toBe(300n);
  expect(await prepaid()).toBe(0n);
});

test("a grant that begins later is upcoming, and counts from its instant on", async () => {
  await grant({ amount: "10", effectiveFrom: at("2026-04-01") });
  expect(await totals()).toMatchObject([{ upcoming: 1_000n, remaining: 0n }]);
  expect(await drawFor(0, 1n, at("2026-04-01"))).toBe(0n);
  expect(await drawFor(0, 1n, at("2026-05-01"))).toBe(1n);
  clock.set(at("2026-04-01"));
  expect(await totals()).toMatchObject([{ upcoming: 0n, remaining: 999n }]);
});

test("grants and movements cannot be changed or deleted; of the balance only its sums", async () => {
  const { id } = await grant();
  await apply(use(id, 0, 1n));
  const attempts = [
    "UPDATE credit_grants SET amount_minor = 1",
    "DELETE FROM credit_grants",
    "TRUNCATE credit_grants CASCADE",
    "UPDATE credit_movements SET amount_minor = 1",
    "DELETE FROM credit_movements",
    "UPDATE credit_grant_balances SET amount_minor = 1",
    "DELETE FROM credit_grant_balances",
  ];
  for (const statement of attempts) {
    await expect(
      inTransaction((sql) => sql.unsafe(statement)),
      statement,
    ).rejects.toThrow(/permission denied|append-only/);
  }
});

test("over GraphQL: granted, listed, shown with its movements and the customer's balance, voided", async () => {
  const granted = await mutate<{ id: CreditGrantId }>(
    `grantCredit(customer: "${customer}", kind: promotional, amount: "12.5", expiresAt: "2199-01-01T00:00:00Z", note: "welcome")`,
    "{ id }",
  );
  await apply(use(granted.id, 3, 250n));
  const { customer: shown } = await weir.graphql<{ customer: unknown }>(
    `{ customer(idOrKey: "${customer}") {
      creditBalances { kind currency granted { amount } used { amount } remaining { amount } }
      creditGrants { nodes { id status note remaining { amount } movements { nodes { kind invoice amount { amount } } } } }
    } }`,
  );
  expect(shown).toEqual({
    creditBalances: [
      {
        kind: "promotional",
        currency: "USD",
        granted: { amount: "12.50" },
        used: { amount: "2.50" },
        remaining: { amount: "10.00" },
      },
    ],
    creditGrants: {
      nodes: [
        {
          id: granted.id,
          status: "active",
          note: "welcome",
          remaining: { amount: "10.00" },
          movements: {
            nodes: [
              {
                kind: "use",
                invoice: invoice(3),
                amount: { amount: "2.50" },
              },
            ],
          },
        },
      ],
    },
  });
  const voided = await mutate(`voidCreditGrant(grant: "${granted.id}", reason: "mistake")`, "{ status }");
  expect(voided).toEqual({ status: "voided" });
  const { creditGrants } = await weir.graphql<{ creditGrants: { nodes: unknown[] } }>(
    `{ creditGrants(customer: "${customer}", open: true) { nodes { id } } }`,
  );
  expect(creditGrants.nodes).toEqual([]);
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Postgres } from "../../src/engines/postgres/index.js";
import { openIdentity, type Identity } from "../../src/identity/index.js";
import { FixedClock, sameClock } from "../../src/kernel/clock.js";
import { parseCurrency, type Currency } from "../../src/kernel/currency.js";
import type { OrganizationId, PostingId } from "../../src/kernel/ids.js";
import { parseInstant, type Instant } from "../../src/kernel/instant.js";
import { Ledger, type Posting } from "../../src/ledger/index.js";
import { customer, invoice } from "../support/sample-posting.js";
import { openTestPostgres } from "./embedded-postgres.js";

const clock = new FixedClock(parseInstant("2026-03-15T12:00:00Z") as Instant);
const jpy = parseCurrency("JPY") as Currency;

let postgres: Postgres;
let remove: () => Promise<void>;
let identity: Identity;
let ledger: Ledger;
let organization: OrganizationId;
let organizations = 0;

beforeAll(async () => {
  ({ postgres, remove } = await openTestPostgres());
  identity = openIdentity({ postgres, clock });
  ledger = new Ledger({ postgres, clocks: sameClock(clock) });
});
afterAll(() => remove());
beforeEach(async () => {
  organizations += 1;
  const input = { slug: `ledger-${organizations}`, name: "Ledger", mode: "test" } as const;
  organization = (await identity.createOrganization(input)).id;
});

const post = (...postings: Posting[]) =>
  postgres.inOrganization(organization, (sql) => ledger.post(sql, organization, postings));

test("a posting moves amounts between accounts, and is read back as it was", async () => {
  expect(await post(invoice(1, 1000n))).toEqual(["posted"]);
  const sums = await ledger.accounts(organization, { limit: 10 });
  expect(sums.map(({ code, debit, credit }) => [code, debit, credit])).toEqual([
    [`receivable:${customer(1)}`, 1201n, 0n],
    ["revenue", 0n, 1000n],
    ["tax_payable", 0n, 201n],
  ]);
  const [stored] = await ledger.postings(organization, { reference: "inv_1", limit: 10 });
  expect(stored?.transfers).toEqual(invoice(1, 1000n).transfers);
  expect(await ledger.trialBalance(organization)).toMatchObject({ balanced: true, differences: [] });
});

test("the same posting again changes nothing, other content under its key is refused, and all or none is posted", async () => {
  await post(invoice(1, 1000n));
  expect(await post(invoice(1, 1000n), invoice(2, 500n))).toEqual(["already_posted", "posted"]);
  await expect(post(invoice(3, 1n), invoice(1, 999n))).rejects.toMatchObject({ slug: "posting-differs" });
  expect(await ledger.postings(organization, { reference: "inv_3", limit: 1 })).toEqual([]);
  const { accounts } = await ledger.trialBalance(organization);
  expect(accounts.find(({ code }) => code === "revenue")?.credit).toBe(1500n);
});

test("postings of one call are listed in its order", async () => {
  const references = [5, 3, 4, 1, 2].map((number) => `inv_${number}`);
  await post(...[5, 3, 4, 1, 2].map((number) => invoice(number, 10n)));
  const listed = await ledger.postings(organization, { limit: 10 });
  expect(listed.map(({ reference }) => reference)).toEqual(references);
});

test("nothing stays of a transaction that rolls back", async () => {
  const failing = postgres.inOrganization(organization, async (sql) => {
    await ledger.post(sql, organization, [invoice(1, 10n)]);
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await ledger.accounts(organization, { limit: 10 })).toEqual([]);
});

test("a reversal puts everything back, once, and both stay", async () => {
  await post(invoice(1, 1000n, jpy));
  const [original] = await ledger.postings(organization, { limit: 1 });
  const reverse = () =>
    postgres.inOrganization(organization, (sql) =>
      ledger.reverse(sql, organization, original?.id as PostingId, "invoice.void"),
    );
  expect(await reverse()).toBe("posted");
  expect(await reverse()).toBe("already_posted");
  const { accounts, balanced } = await ledger.trialBalance(organization);
  expect(balanced).toBe(true);
  expect(accounts.every(({ debit, credit }) => debit === credit)).toBe(true);
  expect(await ledger.postings(organization, { limit: 10 })).toHaveLength(2);
  const unknown = "pst_01arz3ndektsv4rrffq69g5fav" as PostingId;
  const reversing = postgres.inOrganization(organization, (sql) =>
    ledger.reverse(sql, organization, unknown, "invoice.void"),
  );
  await expect(reversing).rejects.toMatchObject({ slug: "posting-not-found" });
});

test("many at once from many transactions, overlapping and repeated: each once, no deadlock, balanced", async () => {
  const numbers = Array.from({ length: 200 }, (_, number) => number);
  const batches = Array.from({ length: 24 }, (_, batch) =>
    numbers
      .filter((number) => (number * 7 + batch) % 3 === 0)
      .map((number) => invoice(number, BigInt(number + 1))),
  );
  const outcomes = await Promise.all(
    batches.map((batch) => post(...(batch.length % 2 === 0 ? batch : batch.reverse()))),
  );
  expect(outcomes.flat().filter((outcome) => outcome === "posted")).toHaveLength(200);
  const { accounts, balanced, differences } = await ledger.trialBalance(organization);
  expect({ balanced, differences }).toEqual({ balanced: true, differences: [] });
  expect(accounts.find(({ code }) => code === "revenue")?.credit).toBe((200n * 201n) / 2n);
});

test("what stands cannot be changed or deleted, by nobody", async () => {
  await post(invoice(1, 1000n));
  const attempts = [
    "UPDATE ledger_transfers SET amount_minor = 1",
    "DELETE FROM ledger_transfers",
    "UPDATE ledger_postings SET reason = 'a.b'",
    "DELETE FROM ledger_accounts",
    "DELETE FROM ledger_balances",
    "TRUNCATE ledger_transfers",
  ];
  for (const statement of attempts) {
    const attempt = postgres.inOrganization(organization, (sql) => sql.unsafe(statement));
    await expect(attempt, statement).rejects.toThrow(/permission denied|append-only/);
  }
});

test("a transfer that is not one cannot be stored: no amount, no counterpart, two currencies", async () => {
  await post(invoice(1, 1000n));
  const [first] = await ledger.postings(organization, { limit: 1 });
  const id = first?.id ?? "";
  const insert = (values: string) =>
    postgres.inOrganization(organization, (sql) =>
      sql.unsafe(
        `INSERT INTO ledger_transfers (organization, posting, position, debit, credit, currency, amount_minor)
         VALUES ('${organization}', '${id}', 9, ${values})`,
      ),
    );
  await expect(insert("'revenue', 'tax_payable', 'USD', 0")).rejects.toThrow(/check/);
  await expect(insert("'revenue', 'revenue', 'USD', 1")).rejects.toThrow(/check/);
  await expect(insert("'revenue', 'tax_payable', 'EUR', 1")).rejects.toThrow(
    /account \w+ in EUR, which is not open/,
  );
  await expect(insert("'revenue', 'receivable:nobody', 'USD', 1")).rejects.toThrow(/receivable:nobody/);
  const unposted = postgres.inOrganization(organization, (sql) =>
    sql.unsafe(
      `INSERT INTO ledger_transfers (organization, posting, position, debit, credit, currency, amount_minor)
       VALUES ('${organization}', 'pst_none', 0, 'revenue', 'tax_payable', 'USD', 1)`,
    ),
  );
  await expect(unposted).rejects.toThrow(/posting pst_none, which is not there/);
});

test("one organization's books are not another's", async () => {
  await post(invoice(1, 1000n));
  const other = await identity.createOrganization({
    slug: `other-${organizations}`,
    name: "Other",
    mode: "test",
  });
  expect(await ledger.accounts(other.id, { limit: 10 })).toEqual([]);
  expect(await ledger.postings(other.id, { limit: 10 })).toEqual([]);
  const [first] = await ledger.postings(organization, { limit: 1 });
  const id = first?.id ?? "";
  await expect(ledger.posting(other.id, id)).rejects.toMatchObject({ slug: "posting-not-found" });
});

test("postings are found by what caused them, by account, and by when they were posted", async () => {
  await post(invoice(1, 1000n));
  clock.advance(3_600_000_000);
  const later = clock.now();
  await post(invoice(2, 500n));
  const keysOf = async (page: Partial<Parameters<Ledger["postings"]>[1]>) =>
    (await ledger.postings(organization, { limit: 10, ...page })).map((one) => one.idempotencyKey);
  expect(await keysOf({})).toEqual(["invoice:1", "invoice:2"]);
  expect(await keysOf({ from: later })).toEqual(["invoice:2"]);
  expect(await keysOf({ to: later })).toEqual(["invoice:1"]);
  expect(await keysOf({ account: "revenue", from: later })).toEqual(["invoice:2"]);
  expect(await keysOf({ account: "cash_clearing" })).toEqual([]);
});

test("a posting counts at the organization's now, or at an instant before that", async () => {
  const bookedAt = parseInstant("2026-02-27T00:00:00.000001Z") as Instant;
  await post({ ...invoice(1, 10n), at: bookedAt }, invoice(2, 20n));
  const stored = await ledger.postings(organization, { limit: 10 });
  const times = new Map(stored.map(({ idempotencyKey, postedAt }) => [idempotencyKey, postedAt]));
  expect(times.get("invoice:1")).toBe(bookedAt);
  expect(times.get("invoice:2")).toBe(clock.now());
  // When it counts is not what it is: posted again as of now, it is the same.
  expect(await post(invoice(1, 10n))).toEqual(["already_posted"]);
  const tomorrow = (clock.now() + 86_400_000_000) as Instant;
  await expect(post({ ...invoice(3, 10n), at: tomorrow })).rejects.toMatchObject({
    slug: "posting-in-future",
  });
});

describe("pending postings", () => {
  const resolve = (key: string, as: "post" | "void", amounts?: readonly bigint[]) =>
    postgres.inOrganization(organization, (sql) =>
      ledger.resolve(sql, organization, key, as, {
        reason: `payment.${as}`,
        ...(amounts === undefined ? {} : { amounts }),
      }),
    );
  const sums = async (): Promise<Record<string, bigint[]>> =>
    Object.fromEntries(
      (await ledger.accounts(organization, { limit: 10 })).map((one) => [
        one.code.split(":")[0],
        [one.debit, one.credit, one.pendingDebit, one.pendingCredit],
      ]),
    );

  test("they move pending sums, and the balance once they are posted", async () => {
    await post({ ...invoice(1, 1000n), pending: true });
    expect(await sums()).toEqual({
      receivable: [0n, 0n, 1201n, 0n],
      revenue: [0n, 0n, 0n, 1000n],
      tax_payable: [0n, 0n, 0n, 201n],
    });
    expect(await resolve("invoice:1", "post")).toBe("posted");
    expect(await resolve("invoice:1", "post")).toBe("already_posted");
    expect(await sums()).toEqual({
      receivable: [1201n, 0n, 0n, 0n],
      revenue: [0n, 1000n, 0n, 0n],
      tax_payable: [0n, 201n, 0n, 0n],
    });
    const [pending, posted] = (await ledger.postings(organization, { limit: 10 })).toSorted((a) =>
      a.pending ? -1 : 1,
    );
    expect(pending).toMatchObject({ pending: true, resolvedBy: posted?.id, resolution: undefined });
    expect(posted).toMatchObject({ pending: false, resolves: pending?.id, resolution: "post" });
    await expect(resolve("invoice:1", "void")).rejects.toMatchObject({ slug: "posting-resolved" });
    expect(await ledger.trialBalance(organization)).toMatchObject({ balanced: true, differences: [] });
  });

  test("less than was pending may be posted, more may not, and what is voided counts nowhere", async () => {
    await post({ ...invoice(1, 1000n), pending: true }, { ...invoice(2, 50n), pending: true });
    await expect(resolve("invoice:1", "post", [1001n, 0n])).rejects.toThrow("1001 of 1000 USD");
    expect(await resolve("invoice:1", "post", [400n, 0n])).toBe("posted");
    await expect(resolve("invoice:1", "post", [401n, 0n])).rejects.toMatchObject({
      slug: "posting-resolved",
    });
    expect(await resolve("invoice:2", "void")).toBe("posted");
    const { accounts, balanced, differences } = await ledger.trialBalance(organization);
    expect([balanced, differences]).toEqual([true, []]);
    expect(accounts.find(({ code }) => code === "revenue")?.credit).toBe(400n);
    expect(Object.values(await sums()).every(([, , debit, credit]) => debit === 0n && credit === 0n)).toBe(
      true,
    );
  });

  test("only what is pending is resolved, and only what counts is reversed", async () => {
    await post(invoice(1, 1000n), { ...invoice(2, 50n), pending: true });
    await expect(resolve("invoice:1", "post")).rejects.toMatchObject({ slug: "posting-not-pending" });
    await expect(resolve("invoice:9", "post")).rejects.toMatchObject({ slug: "posting-not-found" });
    const stored = await ledger.postings(organization, { limit: 10 });
    const pending = stored.find((one) => one.pending)?.id as PostingId;
    const reverse = postgres.inOrganization(organization, (sql) =>
      ledger.reverse(sql, organization, pending, "payment.reverse"),
    );
    await expect(reverse).rejects.toMatchObject({ slug: "posting-moved-nothing" });
  });

  test("a resolution that the database has not checked is none: more than pending, twice, of what is not pending", async () => {
    await post({ ...invoice(1, 1000n), pending: true }, invoice(2, 50n));
    const stored = await ledger.postings(organization, { limit: 10 });
    const pending = stored.find((one) => one.pending)?.id ?? "";
    const counted = stored.find((one) => !one.pending)?.id ?? "";
    const insert = (id: string, resolves: string, resolution: string, amount?: number) =>
      postgres.inOrganization(organization, async (sql) => {
        await sql.unsafe(
          `INSERT INTO ledger_postings (organization, id, idempotency_key, fingerprint, reason, reference, resolves, resolution, posted_at)
           VALUES ('${organization}', '${id}', '${id}', sha256('x'), 'a.b', 'r', '${resolves}', '${resolution}', now())`,
        );
        if (amount === undefined) return;
        await sql.unsafe(
          `INSERT INTO ledger_transfers (organization, posting, position, debit, credit, currency, amount_minor)
           VALUES ('${organization}', '${id}', 0, 'receivable:${customer(1)}', 'revenue', 'USD', ${amount})`,
        );
      });
    await expect(insert("pst_a", pending, "post", 1001)).rejects.toThrow("moves more than was pending");
    await expect(insert("pst_b", pending, "void", 1)).rejects.toThrow("moves more than was pending");
    await expect(insert("pst_c", counted, "post", 1)).rejects.toThrow("is not pending");
    await insert("pst_d", pending, "void");
    await expect(insert("pst_e", pending, "void")).rejects.toThrow("ledger_postings_resolved_once");
  });

  test("of many at once that resolve one, one does; and pending sums of hot accounts come to nothing", async () => {
    const keys = Array.from({ length: 40 }, (_, number) => number);
    await post(...keys.map((number) => ({ ...invoice(number, 100n), pending: true })));
    const outcomes = await Promise.all(
      [...keys, ...keys].map((number) => resolve(`invoice:${number}`, number % 4 === 0 ? "void" : "post")),
    );
    expect(outcomes.filter((outcome) => outcome === "posted")).toHaveLength(40);
    const { revenue } = await sums();
    expect(revenue).toEqual([0n, 3000n, 0n, 0n]);
    expect(await ledger.trialBalance(organization)).toMatchObject({ balanced: true, differences: [] });
  });
});

test("nothing is added to a posting that stands", async () => {
  await post(invoice(1, 1000n));
  const [first] = await ledger.postings(organization, { limit: 1 });
  const add = postgres.inOrganization(organization, (sql) =>
    sql.unsafe(
      `INSERT INTO ledger_transfers (organization, posting, position, debit, credit, currency, amount_minor)
       VALUES ('${organization}', '${first?.id}', 9, 'revenue', 'tax_payable', 'USD', 1)`,
    ),
  );
  await expect(add).rejects.toThrow("nothing can be added to it");
});

import postgresJs from "postgres";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listAudit } from "../../src/audit/index.js";
import type { Postgres } from "../../src/engines/postgres/index.js";
import { openIdentity, type Caller, type Identity } from "../../src/identity/index.js";
import { FixedClock, sameClock, systemClock } from "../../src/kernel/clock.js";
import { parseCurrency, type Currency } from "../../src/kernel/currency.js";
import type { CustomerId } from "../../src/kernel/ids.js";
import { parseInstant, type Instant } from "../../src/kernel/instant.js";
import { silentLog } from "../../src/kernel/log.js";
import {
  Ledger,
  LedgerMonths,
  LedgerSealer,
  LedgerVerification,
  type LedgerMonth,
  type Posting,
} from "../../src/ledger/index.js";
import { openTestPostgres, type SuperuserAccess } from "./embedded-postgres.js";

const at = (text: string) => parseInstant(text) as Instant;
const clock = new FixedClock(at("2026-01-15T00:00:00Z"));
const usd = parseCurrency("USD") as Currency;
const customer = "cus_01arz3ndektsv4rrffq69g5fav" as CustomerId;
const other = "cus_01arz3ndektsv4rrffq69g5faw" as CustomerId;

let postgres: Postgres;
let superuser: postgresJs.Sql;
let remove: () => Promise<void>;
let identity: Identity;
let ledger: Ledger;
let sealer: LedgerSealer;
let months: LedgerMonths;
let caller: Caller;
let organizations = 0;

beforeAll(async () => {
  let access: SuperuserAccess;
  ({ postgres, remove, superuser: access } = await openTestPostgres());
  superuser = postgresJs({ ...access, max: 1, connection: { search_path: "weir" } });
  identity = openIdentity({ postgres, clock });
  const clocks = sameClock(clock);
  ledger = new Ledger({ postgres, clocks });
  sealer = new LedgerSealer({ postgres, clock: systemClock, log: silentLog });
  months = new LedgerMonths({ postgres, clocks, clock, sealer });
});
afterAll(async () => {
  await superuser?.end();
  await remove();
});
beforeEach(async () => {
  organizations += 1;
  clock.set(at("2026-01-15T00:00:00Z"));
  const input = { slug: `months-${organizations}`, name: "Months", mode: "test" } as const;
  const { id } = await identity.createOrganization(input);
  const asked = { organization: id, key: "key_x" as Caller["key"], kind: "secret" } as const;
  const { key } = await identity.createKey(asked, { name: "t", kind: "secret" });
  caller = { ...asked, key: key.id };
});

const invoice = (key: string, minor: bigint, payer = customer): Posting => ({
  idempotencyKey: key,
  reason: "invoice.finalize",
  reference: `inv_${key}`,
  transfers: [
    {
      debit: { kind: "receivable", customer: payer },
      credit: { kind: "revenue" },
      amount: { currency: usd, minor },
    },
  ],
});
const post = (...postings: Posting[]) =>
  postgres.inOrganization(caller.organization, (sql) => ledger.post(sql, caller.organization, postings));
const close = (month: string, key?: string) => months.close(caller, month, key);

test("a closed month takes nothing any more, and what it came to is recorded", async () => {
  await post(invoice("january", 100n));
  clock.set(at("2026-02-03T00:00:00Z"));
  await post(invoice("late", 7n));
  await post({ ...invoice("booked", 20n), at: at("2026-01-31T23:59:59.999999Z") });
  const closed = await close("2026-01");
  expect(closed).toMatchObject({
    month: "2026-01",
    start: at("2026-01-01T00:00:00Z"),
    end: at("2026-02-01T00:00:00Z"),
    closed: { closedBy: caller.key, closing: { block: 1 } },
  });
  const sums = await months.closingOf(caller.organization, "2026-01" as LedgerMonth);
  expect(sums?.map(({ code, debit, credit }) => [code, debit, credit])).toEqual([
    ["receivable", 120n, 0n],
    ["revenue", 0n, 120n],
  ]);
  await expect(post({ ...invoice("x", 1n), at: at("2026-01-31T23:59:59.999999Z") })).rejects.toMatchObject({
    slug: "month-closed",
    problem: { status: 409 },
  });
  await post({ ...invoice("y", 1n), at: at("2026-02-01T00:00:00Z") });
  // What stands may be posted again: nothing comes of it.
  expect(await post({ ...invoice("booked", 20n), at: at("2026-01-31T23:59:59.999999Z") })).toEqual([
    "already_posted",
  ]);
});

test("the first instant that is open is found", async () => {
  const open = (text: string) =>
    postgres.inOrganization(caller.organization, (sql) => ledger.openInstant(sql, at(text)));
  expect(await open("2026-01-10T00:00:00Z")).toBe(at("2026-01-10T00:00:00Z"));
  clock.set(at("2026-02-03T00:00:00Z"));
  await close("2026-01");
  expect(await open("2026-01-10T00:00:00Z")).toBe(at("2026-02-01T00:00:00Z"));
  expect(await open("2026-02-02T00:00:00Z")).toBe(at("2026-02-02T00:00:00Z"));
});

test("months are closed in order, when they are over, and once", async () => {
  await post(invoice("january", 100n));
  await expect(close("2026-01")).rejects.toMatchObject({ slug: "month-not-over" });
  await expect(close("2026-1")).rejects.toMatchObject({ slug: "invalid-month" });
  clock.set(at("2026-03-01T00:00:00Z"));
  await expect(close("2026-02")).rejects.toMatchObject({
    slug: "earlier-month-open",
    problem: { month: "2026-01" },
  });
  const [one, again] = await Promise.all([close("2026-01"), close("2026-01")]);
  expect(again).toEqual(one);
  expect(await close("2026-01", "key")).toEqual(one);
  await close("2026-02");
  await expect(close("2026-03")).rejects.toMatchObject({ slug: "month-not-over" });
  const listed = await months.list(caller.organization, 10);
  expect(listed.map(({ month, closed }) => [month, closed !== undefined])).toEqual([
    ["2026-03", false],
    ["2026-02", true],
    ["2026-01", true],
  ]);
  const { entries } = await listAudit(postgres, caller.organization, { first: 50, target: "2026-01" });
  expect(entries.map(({ action, actor }) => [action, actor])).toEqual([["ledger.close_month", caller.key]]);
});

test("months begin in the zone of the books, which stands once a month is closed", async () => {
  await expect(months.setTimeZone(caller, "Mars/Olympus")).rejects.toMatchObject({
    slug: "invalid-time-zone",
  });
  expect(await months.timeZone(caller.organization)).toBe("UTC");
  await months.setTimeZone(caller, "Pacific/Auckland");
  await post(invoice("january", 100n));
  clock.set(at("2026-01-31T10:59:59Z"));
  await expect(close("2026-01")).rejects.toMatchObject({ slug: "month-not-over" });
  clock.set(at("2026-01-31T11:00:00Z"));
  expect(await close("2026-01")).toMatchObject({ end: at("2026-01-31T11:00:00Z") });
  await expect(months.setTimeZone(caller, "UTC")).rejects.toMatchObject({ slug: "month-closed" });
});

test("the database itself refuses a posting into a closed month", async () => {
  clock.set(at("2026-02-03T00:00:00Z"));
  await close("2026-01");
  const insert = `INSERT INTO ledger_postings (organization, id, idempotency_key, fingerprint, reason, reference, posted_at)
    VALUES ('${caller.organization}', 'pst_x', 'k', sha256('x'), 'a.b', 'r', '2026-01-31T23:59:59Z')`;
  const asApplication = postgres.inOrganization(caller.organization, (sql) => sql.unsafe(insert));
  await expect(asApplication).rejects.toThrow("2026-01, which is closed");
  await expect(
    superuser.unsafe(`SET session_replication_role = replica; ${insert}`).simple(),
  ).rejects.toThrow("2026-01, which is closed");
  for (const table of ["ledger_months", "ledger_closings", "ledger_closing_sums"])
    for (const statement of [`UPDATE ${table} SET organization = organization`, `DELETE FROM ${table}`])
      await expect(
        postgres.inOrganization(caller.organization, (sql) => sql.unsafe(statement)),
      ).rejects.toThrow("permission denied");
});

test("a closing waits for what is being posted into the month, and has it", async () => {
  await post(invoice("january", 100n), invoice("other", 1n, other));
  // In rows of the balances that others do not wait for.
  const apart = new Ledger({ postgres, clocks: sameClock(clock), random: () => 0 });
  ledger = new Ledger({ postgres, clocks: sameClock(clock), random: () => 0.5 });
  let commit = () => {};
  let open: Promise<void> | undefined;
  await new Promise<void>((written) => {
    open = postgres.inOrganization(caller.organization, async (sql) => {
      await apart.post(sql, caller.organization, [invoice("under way", 11n)]);
      await new Promise<void>((resume) => {
        commit = resume;
        written();
      });
    });
  });
  clock.set(at("2026-02-03T00:00:00Z"));
  const closing = close("2026-01");
  // Already nothing new comes in.
  await expect
    .poll(() => months.list(caller.organization, 10))
    .toMatchObject([
      { month: "2026-02" },
      { month: "2026-01", closed: { month: "2026-01", closing: undefined } },
    ]);
  await expect(post({ ...invoice("x", 1n, other), at: at("2026-01-31T00:00:00Z") })).rejects.toMatchObject({
    slug: "month-closed",
  });
  commit();
  await open;
  await closing;
  const sums = await months.closingOf(caller.organization, "2026-01" as LedgerMonth);
  expect(sums?.map(({ debit }) => debit)).toEqual([112n, 0n]);
});

test("what is put into a closed month past the ledger is found by verification", async () => {
  await post(invoice("january", 100n));
  clock.set(at("2026-02-03T00:00:00Z"));
  await close("2026-01");
  await superuser.begin(async (sql) => {
    await sql`ALTER TABLE ledger_postings DISABLE TRIGGER ledger_postings_checked`;
    await sql`SELECT set_config('role', 'weir_app', true), set_config('weir.organization', ${caller.organization}, true)`;
    await ledger.post(sql, caller.organization, [
      { ...invoice("forged", 5n), at: at("2026-01-20T00:00:00Z") },
    ]);
    await sql`RESET ROLE`;
    await sql`ALTER TABLE ledger_postings ENABLE ALWAYS TRIGGER ledger_postings_checked`;
  });
  await sealer.seal(caller.organization);
  const verification = new LedgerVerification({ postgres, months });
  expect(await verification.verify(caller.organization)).toMatchObject({
    stage: "months",
    fault: {
      kind: "month",
      account: "receivable",
      message: expect.stringContaining("2026-01 was closed with"),
    },
  });
});

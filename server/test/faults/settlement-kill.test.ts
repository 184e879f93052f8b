// Weir is killed while a workflow stages, matches and posts a settlement file, and while it deletes one that is held: in the end
// every record is in the books once, and every cent is where the file says.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { camtFile, randomEntries } from "../support/settlement/camt-file.js";
import { balance_columns, stripeReport, type StripeRow } from "../support/settlement/stripe-report.js";
import { superuserOf } from "../support/superuser-of.js";
import { startWeirProcess, type WeirProcess } from "../support/weir-process.js";

const soak = process.env["WEIR_SOAK"] !== undefined;
const kills_per_state = soak ? 4 : 1;
const rows = soak ? 200_000 : 60_000;
const unknown_every = 100;
const folders: string[] = [];
let server: WeirProcess | undefined;

afterAll(async () => {
  await server?.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

interface Progress {
  readonly id: string;
  readonly state: string;
  readonly bytes: number;
  readonly records: number;
  readonly matched: number;
  readonly unmatched: number;
  readonly posted: number;
  readonly failure: string | null;
  readonly alreadyLanded?: boolean;
}

const order = ["landed", "parsing", "staged", "matched", "posted"];
const countIn = { parsing: "records", staged: "matched", matched: "posted" } as const;

const grossOf = (number: number) => BigInt(100 + ((number * 7_919) % 90_000));
const isUnknown = (number: number) => number % unknown_every === 0;

function* rowsOf(): Generator<StripeRow> {
  for (let number = 1; number <= rows; number += 1) {
    yield {
      id: `txn_${number}`,
      category: "charge",
      currency: "EUR",
      gross: isUnknown(number) ? 10_000_000n + BigInt(number) : grossOf(number),
      fee: 30n,
      source: `ch_${number}`,
      payment: `pi_${isUnknown(number) ? "x" : ""}${number}`,
    };
  }
}

async function start(): Promise<{ dir: string; organization: string; account: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), "weir-settlement-kill-"));
  folders.push(folder);
  const dir = path.join(folder, "data");
  server = await startWeirProcess(dir);
  const sql = superuserOf(dir);
  const [organization] = await sql<{ id: string }[]>`SELECT id FROM organizations`;
  const id = organization?.id ?? "";
  const [account, bank] = [`pac_${"0".repeat(25)}1`, `pac_${"0".repeat(25)}2`];
  await sql`
    INSERT INTO customers (organization, id, key, name, time_zone, address, created_at)
    VALUES (${id}, ${`cus_${"0".repeat(26)}`}, 'c', 'Customer', 'UTC', '{}', now())`;
  await sql`
    INSERT INTO provider_accounts (organization, id, key, provider, name, settings, currencies, created_at, updated_at)
    VALUES (${id}, ${account}, 'stripe', 'stripe', 'Stripe', '{}', '{}', now(), now()),
           (${id}, ${bank}, 'bank', 'bank_transfer', 'Bank', '{}', '{}', now(), now())`;
  await sql`
    INSERT INTO payments (organization, id, customer, account, source, source_id, currency, amount_minor, excess_minor, ref, received_at)
    SELECT ${id}, 'pay_' || lpad(n::text, 26, '0'), ${`cus_${"0".repeat(26)}`}, ${account}, 'attempt', 'pat_' || lpad(n::text, 26, '0'), 'EUR',
           100 + (n::bigint * 7919) % 90000, 0, 'pi_' || n, '2026-03-01'
    FROM generate_series(1, ${rows}) AS n`;
  await sql`ANALYZE payments`;
  await sql.end();
  return { dir, organization: id, account };
}

async function land(account: string, name: string, body: Buffer): Promise<Progress> {
  const query = new URLSearchParams({ account, name });
  const answer = await server?.fetch(`/v1/settlement/files?${query.toString()}`, {
    method: "POST",
    body: new Uint8Array(body),
  });
  const file = (await answer?.json()) as Progress;
  expect([200, 202], JSON.stringify(file)).toContain(answer?.status);
  return file;
}

async function progress(id: string): Promise<Progress> {
  for (;;) {
    const answer = await server?.fetch(`/v1/settlement/files/${id}`);
    if (answer?.status === 200) {
      const file = (await answer.json()) as Progress;
      expect(file.failure).toBeNull();
      return file;
    }
    // A busy machine sheds load.
    expect(answer?.status).toBe(503);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function until(id: string, isThere: (file: Progress) => boolean): Promise<Progress> {
  for (;;) {
    const file = await progress(id);
    if (isThere(file) || ["posted", "held", "refused"].includes(file.state)) return file;
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

async function killAndStart(dir: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 250));
  await server?.kill();
  server = await startWeirProcess(dir);
}

test("kill -9 while a file is staged, matched and posted: every record once, the provider's balance to the cent", async () => {
  const { dir, organization, account } = await start();
  const body = Buffer.concat([...stripeReport(balance_columns, rowsOf())]);
  const { id } = await land("stripe", "balance.csv", body);
  const killedIn: string[] = [];
  for (const [state, count] of Object.entries(countIn)) {
    for (let kill = 0, done = 0; kill < kills_per_state; kill += 1) {
      // In the midst of it: behind at least one step more than the last time.
      const file = await until(
        id,
        (now) =>
          order.indexOf(now.state) > order.indexOf(state) || (now.state === state && now[count] > done),
      );
      done = file[count];
      killedIn.push(file.state);
      await killAndStart(dir);
    }
  }
  const file = await until(id, () => false);
  const unknown = Math.floor(rows / unknown_every);
  expect(file).toMatchObject({
    state: "posted",
    records: rows,
    matched: rows,
    posted: rows,
    unmatched: unknown,
  });
  // One kill at least hit it at work, or this shows nothing.
  expect(killedIn.filter((state) => state !== "posted").length).toBeGreaterThan(0);
  expect(await land("stripe", "balance.csv", body)).toMatchObject({
    id,
    alreadyLanded: true,
    state: "posted",
  });

  const sql = superuserOf(dir);
  const [counted] = await sql<Record<string, string>[]>`
    SELECT (SELECT count(*) FROM settlement_records WHERE file = ${id})::text AS records,
           (SELECT count(DISTINCT position) FROM settlement_allotments WHERE file = ${id})::text AS allotted,
           (SELECT count(*) FROM payment_settlements)::text AS settled,
           (SELECT count(*) FROM reconciliation_exceptions WHERE state = 'open')::text AS exceptions,
           (SELECT sum(suspense_minor) FROM reconciliation_exceptions)::text AS suspended`;
  const suspended = [...rowsOf()]
    .filter((_, index) => isUnknown(index + 1))
    .reduce((sum, { gross }) => sum + gross, 0n);
  expect(counted).toEqual({
    records: String(rows),
    allotted: String(rows),
    settled: String(rows - unknown),
    exceptions: String(unknown),
    suspended: String(suspended),
  });
  const sums = await sql<{ account: string; minor: string }[]>`
    SELECT account, sum(debit_minor - credit_minor)::text AS minor FROM ledger_balances WHERE organization = ${organization}
    GROUP BY account ORDER BY account`;
  await sql.end();
  const held = new Map(sums.map((row) => [row.account, BigInt(row.minor)]));
  const fees = 30n * BigInt(rows);
  expect(held.get("provider_fees")).toBe(fees);
  expect(held.get("suspense")).toBe(-suspended);
  expect(held.get(`provider_clearing:${account}`)).toBe(suspended - fees);
  const answer = await server?.fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: "{ trialBalance { balanced differences { code } } }" }),
  });
  expect(await answer?.json()).toMatchObject({ data: { trialBalance: { balanced: true, differences: [] } } });
  await server?.stop();
}, 900_000);

test("kill -9 while a file that does not foot is read and deleted again: it is held, and nothing of it is left", async () => {
  const { dir } = await start();
  const entries = soak ? 60_000 : 25_000;
  const statement = {
    id: "STMT-1",
    account: "NL91ABNA0417164300",
    currency: "EUR",
    sequence: 1,
    opening: 0n,
    closing: 1n,
    entries: () => randomEntries(1, entries),
  };
  const body = Buffer.concat([...camtFile({ statements: [statement] })]);
  const { id } = await land("bank", "camt.xml", body);
  for (let kill = 0; kill < (soak ? 10 : 3); kill += 1) {
    const file = await until(id, ({ records }) => records >= kill * 10_000);
    if (file.state === "held") break;
    await killAndStart(dir);
  }
  expect(await until(id, () => false)).toMatchObject({ state: "held", matched: 0, posted: 0 });
  const sql = superuserOf(dir);
  const [left] = await sql<Record<string, string>[]>`
    SELECT (SELECT count(*) FROM settlement_records)::text AS records, (SELECT count(*) FROM settlement_allotments)::text AS allotted,
           (SELECT count(*) FROM ledger_postings)::text AS postings,
           (SELECT string_agg(kind, ',') FROM reconciliation_exceptions) AS exceptions`;
  expect(left).toEqual({ records: "0", allotted: "0", postings: "0", exceptions: "file_check_failed" });
  await sql.end();
  // What was half written is swept, the file itself is kept for whoever decides.
  const objects = path.join(dir, "objects");
  expect(await readdir(path.join(objects, ".drafts"))).toEqual([]);
  const organizations = await readdir(path.join(objects, "settlement"));
  const files = await Promise.all(
    organizations.map((each) => readdir(path.join(objects, "settlement", each))),
  );
  expect(files).toEqual([[id]]);
}, 900_000);

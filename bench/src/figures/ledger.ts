import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { join } from "node:path";
import { openPostgres, type Postgres } from "../../../server/dist/engines/postgres/index.js";
import { createLog } from "../../../server/dist/kernel/log.js";
import { against, atLeast, below, median, percentile, type BenchOptions, type FigureRow } from "../figure.js";
import { startOwnWeir } from "../load/own-weir.js";
import { createOrganization, type SeededOrganization, type Services } from "../load/seeded-organization.js";

type Posting = Parameters<Services["ledger"]["post"]>[2][number];
type Organization = SeededOrganization["organization"];
type Currency = Posting["transfers"][number]["amount"]["currency"];
type CustomerId = NonNullable<Posting["transfers"][number]["debit"]["customer"]>;

const usd = "USD" as Currency;
const customers = 10_000;
const postings_per_batch = 500;
const batches_at_once = 4;
const single_connections = 32;
const transfers_per_posting = 2;
const fill_postings = 50_000;
const instants = 100;
/** Of the books that are looked back on. */
const years = 3;

/**
 * The ledger by itself: how much is posted, durably, in batches and one by one, and what books of ten million transfers cost
 * to look back on.
 */
export async function measureLedger(options: BenchOptions): Promise<FigureRow[]> {
  const weir = await startOwnWeir(join(options.dir, "ledger"));
  try {
    const { services } = weir;
    const { organization } = await createOrganization(weir, "ledger");
    const batched = await postInBatches(services, organization, options);
    const singles = await postSingly(services, organization, options);
    const { organization: old } = await createOrganization(weir, "old-ledger");
    const books = await lookBack(services, old, options);
    return [
      {
        name: "ledger transfers posted, durable, in batches of 1,000, 10% on one hot account",
        figure: batched.perSecond,
        unit: "transfers/s",
        ...atLeast(batched.perSecond, 10_000),
        ...against(
          batched.perSecond,
          batched.copyPerSecond,
          "COPY of the same transfers into a table without index or check: transfers/s",
        ),
        detail: batched,
      },
      {
        name: `ledger posts of one transfer, ${single_connections} connections`,
        figure: singles.perSecond,
        unit: "posts/s",
        ...atLeast(singles.perSecond, 1_500),
        detail: singles,
      },
      {
        name: "trial balance at a past instant over 10 million transfers, p95",
        figure: books.p95,
        unit: "ms",
        ...below(books.p95, 500),
        detail: books,
      },
    ];
  } finally {
    await weir.stop();
  }
}

function customerOf(number: number): CustomerId {
  return `cus_01${String(number % customers).padStart(24, "0")}` as CustomerId;
}

/** A posting of so many transfers; each tenth of all transfers is to one account of everyone's. */
function postingOf(number: number, transfers: number): Posting {
  return {
    idempotencyKey: `bench:${number}`,
    reason: "invoice.finalize",
    reference: `inv_${number}`,
    transfers: Array.from({ length: transfers }, (_, index) => {
      const transfer = number * transfers + index;
      return {
        debit: { kind: "receivable", customer: customerOf(number) },
        credit:
          transfer % 10 === 0
            ? { kind: "revenue" }
            : { kind: "customer_balance", customer: customerOf(number * 7 + 1 + index) },
        amount: { currency: usd, minor: BigInt(1 + (transfer % 1000)) },
      };
    }),
  };
}

async function postInBatches(
  { postgres, ledger }: Services,
  organization: Organization,
  options: BenchOptions,
) {
  let next = 0;
  const run = async (seconds: number): Promise<number> => {
    const began = performance.now();
    const until = began + seconds * 1_000;
    let transfers = 0;
    await Promise.all(
      Array.from({ length: batches_at_once }, async () => {
        while (performance.now() < until) {
          const first = next;
          next += postings_per_batch;
          const postings = Array.from({ length: postings_per_batch }, (_, index) =>
            postingOf(first + index, transfers_per_posting),
          );
          await postgres.inOrganization(organization, (sql) => ledger.post(sql, organization, postings));
          transfers += postings_per_batch * transfers_per_posting;
        }
      }),
    );
    return transfers / ((performance.now() - began) / 1_000);
  };
  await run(options.warmupSeconds);
  const rates: number[] = [];
  for (let round = 0; round < options.repetitions; round += 1) rates.push(await run(options.loadSeconds));
  const perSecond = median(rates);
  const copyPerSecond = await timeCopy(postgres, Math.min(next, 100_000));
  options.say(`  batches: ${Math.round(perSecond)} transfers/s, COPY ${Math.round(copyPerSecond)}`);
  return { perSecond, rates, copyPerSecond, batchesAtOnce: batches_at_once };
}

/** The same transfers by COPY, committed. */
async function timeCopy(postgres: Postgres, postings: number): Promise<number> {
  const lines = function* () {
    for (let number = 0; number < postings; number += 1) {
      const id = `pst_01${String(number).padStart(24, "0")}`;
      const rows = postingOf(number, transfers_per_posting).transfers.map(
        ({ debit, credit, amount }, position) => {
          const codes = [debit, credit].map(({ kind, customer }) =>
            customer === undefined ? kind : `${kind}:${customer}`,
          );
          return `org_bench\t${id}\t${position}\t${codes.join("\t")}\t${amount.currency}\t${amount.minor}\t\\N\t\\N\n`;
        },
      );
      yield rows.join("");
    }
  };
  const texts = [...lines()];
  let began = 0;
  await postgres.setUp(async (sql) => {
    await sql`CREATE TABLE bench_transfers (LIKE ledger_transfers)`;
    began = performance.now();
    await pipeline(Readable.from(texts), await sql`COPY bench_transfers FROM STDIN`.writable());
  });
  const seconds = (performance.now() - began) / 1_000;
  await postgres.setUp(async (sql) => {
    await sql`DROP TABLE bench_transfers`;
  });
  return (postings * transfers_per_posting) / seconds;
}

async function postSingly({ postgres, ledger }: Services, organization: Organization, options: BenchOptions) {
  // Two pools, since one has fewer connections than are wanted.
  const other = await openPostgres({ dataDir: options.dir, url: postgres.url, log: createLog("warn") });
  try {
    let next = 0;
    const run = async (seconds: number): Promise<number> => {
      const began = performance.now();
      const until = began + seconds * 1_000;
      let posts = 0;
      await Promise.all(
        Array.from({ length: single_connections }, async (_, worker) => {
          const pool = worker % 2 === 0 ? postgres : other;
          while (performance.now() < until) {
            next += 1;
            const posting = { ...postingOf(next, 1), idempotencyKey: `single:${next}` };
            await pool.inOrganization(organization, (sql) => ledger.post(sql, organization, [posting]));
            posts += 1;
          }
        }),
      );
      return posts / ((performance.now() - began) / 1_000);
    };
    await run(options.warmupSeconds);
    const rates: number[] = [];
    for (let round = 0; round < options.repetitions; round += 1) rates.push(await run(options.loadSeconds));
    const perSecond = median(rates);
    options.say(`  singles: ${Math.round(perSecond)} posts/s`);
    return { perSecond, rates };
  } finally {
    await other.close();
  }
}

async function lookBack(services: Services, organization: Organization, options: BenchOptions) {
  const { ledger, books } = services;
  const transfers = options.quick ? 200_000 : 10_000_000;
  const end = services.clock.now();
  const start = end - years * 365 * 86_400_000_000;
  const timed = async (name: string, work: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await work();
    const seconds = (performance.now() - began) / 1_000;
    options.say(`  ${name}: ${seconds.toFixed(1)} s`);
    return seconds;
  };
  const fillSeconds = await timed(`${transfers} transfers`, () =>
    fill(services, organization, { transfers, start, end }),
  );
  const sealSeconds = await timed("sealed", () => books.sealer.seal(organization));
  const times: number[] = [];
  for (let index = 0; index < instants; index += 1) {
    const at = Math.floor(start + ((end - start) * (index + 0.5)) / instants) as typeof end;
    const began = performance.now();
    const { balanced, accounts } = await ledger.trialBalance(organization, at);
    times.push(performance.now() - began);
    if (!balanced || accounts.length === 0) throw new Error("the books do not balance");
  }
  const verifySeconds = await timed("verified", async () => {
    let after: string | undefined;
    do {
      const { fault, next } = await books.verification.verify(organization, after);
      if (fault !== undefined) throw new Error(`kept balances are not what a replay gives: ${fault.message}`);
      after = next;
    } while (after !== undefined);
  });
  const p95 = percentile(times, 95);
  options.say(`  trial balance: ${p95.toFixed(0)} ms p95`);
  return {
    p95,
    median: median(times),
    most: Math.max(...times),
    transfers,
    fillSeconds,
    sealSeconds,
    verifySeconds,
  };
}

/** Writes books of some years behind the ledger: no API could in a minute what the database does by itself. */
async function fill(
  { postgres }: Services,
  organization: Organization,
  { transfers, start, end }: { transfers: number; start: number; end: number },
): Promise<void> {
  const postings = transfers / transfers_per_posting;
  const step = (end - start) / postings;
  await postgres.inOrganization(
    organization,
    (sql) => sql`
      INSERT INTO ledger_accounts (organization, code, currency, type, opened_at)
      SELECT ${organization}, 'receivable:cus_01' || lpad(n::text, 24, '0'), 'USD', 'asset', to_timestamp(${start / 1e6}::float8)
      FROM generate_series(0, ${customers - 1}::int) AS n
      UNION ALL SELECT ${organization}, code, 'USD', type, to_timestamp(${start / 1e6}::float8)
      FROM (VALUES ('revenue', 'income'), ('tax_payable', 'liability')) AS a (code, type)`,
  );
  for (let first = 0; first < postings; first += fill_postings) {
    const last = Math.min(first + fill_postings, postings) - 1;
    await postgres.inOrganization(organization, async (sql) => {
      await sql`
        INSERT INTO ledger_postings (organization, id, idempotency_key, fingerprint, reason, reference, posted_at)
        SELECT ${organization}, 'pst_01' || lpad(n::text, 24, '0'), 'old:' || n, sha256(n::text::bytea), 'invoice.finalize', 'inv_' || n,
               to_timestamp((${start}::float8 + n * ${step}::float8) / 1e6)
        FROM generate_series(${first}::int, ${last}::int) AS n`;
      await sql`
        INSERT INTO ledger_transfers (organization, posting, position, debit, credit, currency, amount_minor)
        SELECT ${organization}, 'pst_01' || lpad(n::text, 24, '0'), t, 'receivable:cus_01' || lpad((n % ${customers}::int)::text, 24, '0'),
               CASE t WHEN 0 THEN 'revenue' ELSE 'tax_payable' END, 'USD', 1 + (n + t) % 1000
        FROM generate_series(${first}::int, ${last}::int) AS n CROSS JOIN generate_series(0, 1) AS t`;
    });
  }
  await postgres.inOrganization(
    organization,
    (sql) => sql`
      INSERT INTO ledger_balances
        (organization, account, currency, shard, debit_minor, credit_minor, pending_debit_minor, pending_credit_minor)
      SELECT ${organization}, code, 'USD', 0, sum(debit), sum(credit), 0, 0
      FROM (SELECT debit AS code, amount_minor AS debit, 0 AS credit FROM ledger_transfers
            UNION ALL SELECT credit, 0, amount_minor FROM ledger_transfers) AS side
      GROUP BY code`,
  );
}

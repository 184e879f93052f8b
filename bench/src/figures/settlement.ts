import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { against, below, type BenchOptions, type FigureRow, sleep } from "../figure.js";
import { startOwnWeir } from "../load/own-weir.js";
import { createOrganization, type Services } from "../load/seeded-organization.js";
import { seededId } from "../load/subscribed-customers.js";

type OrganizationId = Parameters<Services["settlement"]["files"]["get"]>[0];
type Caller = Parameters<Services["settlement"]["landing"]["land"]>[0];

const mebibyte = 2 ** 20;
const mark = "0000000";
const look_ms = 100;
const give_up_seconds = 900;
/** Of so many charges one is none of ours, and after so many a payout leaves. */
const unknown_every = 1_000;
const payout_every = 10_000;
const columns =
  "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category,source_id,payment_intent_id,automatic_payout_id,description\n";
const written_tables = ["settlement_records", "settlement_allotments", "payment_settlements"];

/**
 * Stripe's balance report with a million charges of ours, whose fees our books do not have yet: landed, staged, matched to their
 * payments, and posted. One of a thousand is unknown, and waits in suspense.
 */
export async function measureSettlement(options: BenchOptions): Promise<FigureRow[]> {
  const rows = options.quick ? 50_000 : 1_000_000;
  const weir = await startOwnWeir(join(options.dir, "settlement"));
  try {
    const { services } = weir;
    const { organization } = await createOrganization(weir, "bench-settlement");
    const caller: Caller = { organization, key: "key_bench" as Caller["key"], kind: "secret" };
    await seedPayments(services, organization, rows);
    const file = join(options.dir, "balance.csv");
    const bytes = await writeReport(file, rows);
    options.say(
      `  ${rows.toLocaleString("en")} payments and a report of ${Math.round(bytes / mebibyte)} MiB`,
    );
    // What seeding left to be tidied up is not what a file costs.
    await sleep(options.quick ? 1_000 : 20_000);
    global.gc?.();
    const idle = process.memoryUsage().rss;
    let most = idle;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), look_ms);
    const cpu = process.cpuUsage();
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1_000;
    const reached: Record<string, number> = {};
    const landed = await services.settlement.landing.land(caller, {
      account: "stripe",
      name: "balance.csv",
      body: createReadStream(file),
    });
    reached["landed"] = seconds();
    let state = await services.settlement.files.get(organization, landed.file.id);
    for (; state.state !== "posted"; state = await services.settlement.files.get(organization, state.id)) {
      if (state.state === "held" || state.state === "refused" || state.stopped !== undefined)
        throw new Error(`the file is ${state.state}: ${JSON.stringify(state.stopped ?? state.refusal)}`);
      if (seconds() > give_up_seconds)
        throw new Error(`only ${state.posted} of ${rows} records after ${give_up_seconds} s`);
      if (state.state !== "parsing") reached[state.state] ??= seconds();
      await sleep(look_ms);
    }
    const total = seconds();
    clearInterval(watch);
    const memory = (most - idle) / mebibyte;
    const { user, system } = process.cpuUsage(cpu);
    const { unmatched, repeated } = state;
    if (unmatched !== Math.floor(rows / unknown_every) || repeated > 0)
      throw new Error(`${unmatched} records are unmatched and ${repeated} repeated`);
    const { balanced } = await services.ledger.trialBalance(organization);
    if (!balanced) throw new Error("the books do not balance");
    options.say(`  ${rows.toLocaleString("en")} records in ${total.toFixed(1)} s, ${Math.round(memory)} MiB`);
    const copySeconds = await timeCopy(services, organization);
    return [
      {
        name: "settlement file of 1,000,000 rows: parse, stage, match, post",
        figure: total,
        unit: "s",
        ...below(total, 90),
        ...against(total, copySeconds, "PostgreSQL copying the rows that it wrote, without an index: s"),
        detail: { rows, bytes, reached, unmatched, processorSeconds: (user + system) / 1e6 },
      },
      { name: "settlement file: memory above idle", figure: memory, unit: "MiB", ...below(memory, 400) },
    ];
  } finally {
    await weir.stop();
  }
}

/** Payments as their charges left them. */
async function seedPayments(
  { postgres }: Services,
  organization: OrganizationId,
  rows: number,
): Promise<void> {
  await postgres.setUp(async (sql) => {
    await sql`SELECT set_config('weir.maintenance', 'on', true)`;
    await sql.unsafe(`
      INSERT INTO customers (organization, id, key, name, time_zone, address, created_at)
      VALUES ('${organization}', '${seededId("cus", mark, 1)}', 'c', 'Customer', 'UTC', '{"country":"DE"}'::jsonb, now());
      INSERT INTO provider_accounts (organization, id, key, provider, name, settings, currencies, created_at, updated_at)
      VALUES ('${organization}', '${seededId("pac", mark, 1)}', 'stripe', 'stripe', 'Stripe', '{}', '{}', now(), now());
      INSERT INTO payments (organization, id, customer, account, source, source_id, currency, amount_minor, excess_minor, ref, received_at)
      SELECT '${organization}', 'pay_${mark}' || lpad(n::text, 19, '0'), '${seededId("cus", mark, 1)}', '${seededId("pac", mark, 1)}', 'attempt',
             'pat_${mark}' || lpad(n::text, 19, '0'), 'EUR', ${amount("n")}, 0, ${intent("n")}, timestamptz '2026-03-01' + n * interval '50 ms'
      FROM generate_series(1, ${rows}) AS n;`);
  });
  await postgres.setUp(async (sql) => {
    await sql.unsafe("ANALYZE payments");
  });
}

// As a provider's ids are: in no order.
const intent = (n: string) => `'pi_' || substr(md5(${n}::text), 1, 24)`;
const amount = (n: string) => `100 + (${n}::bigint * 7919) % 200000`;

async function writeReport(path: string, rows: number): Promise<number> {
  const { createHash } = await import("node:crypto");
  const file = await open(path, "w");
  let bytes = 0;
  try {
    let text = columns;
    const flush = async () => {
      bytes += (await file.write(text)).bytesWritten;
      text = "";
    };
    for (let n = 1; n <= rows; n += 1) {
      const isUnknown = n % unknown_every === 0;
      const gross = isUnknown ? 1_000_000 + n : 100 + ((n * 7919) % 200_000);
      const fee = Math.floor((gross * 29) / 1_000) + 25;
      const name = createHash("md5").update(String(n)).digest("hex").slice(0, 24);
      const at = new Date(Date.UTC(2026, 2, 1) + n * 50).toISOString().slice(0, 19).replace("T", " ");
      const payout = `po_${Math.floor((n - 1) / payout_every)}`;
      text += `txn_${name},${at},2026-03-03 00:00:00,eur,${major(gross)},${major(fee)},${major(gross - fee)},charge,ch_${name},pi_${isUnknown ? "x" : ""}${name},${payout},Invoice ${n}\n`;
      if (text.length > mebibyte) await flush();
    }
    await flush();
  } finally {
    await file.close();
  }
  return bytes;
}

function major(minor: number): string {
  return `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, "0")}`;
}

/** How long the database takes to write again, from itself, what the file wrote. */
async function timeCopy({ postgres }: Services, organization: OrganizationId): Promise<number> {
  return postgres.inOrganization(organization, async (sql) => {
    const started = performance.now();
    for (const table of written_tables)
      await sql.unsafe(`CREATE TEMPORARY TABLE copy_of_${table} ON COMMIT DROP AS SELECT * FROM ${table}`);
    return (performance.now() - started) / 1_000;
  });
}

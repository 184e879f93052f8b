import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { loadConfig } from "../../../server/dist/config.js";
import { createLog } from "../../../server/dist/kernel/log.js";
import { startWeir, type RunningWeir } from "../../../server/dist/wire.js";
import { atLeast, below, type BenchOptions, type FigureRow, sleep } from "../figure.js";

const meters = ["requests", "tokens", "bytes"] as const;
/** 100,000 customers with three prices: 30 million rows. */
const rows_per_price = 100;
const rollup_views = ["usage_to_15m", "usage_to_1d"] as const;
const mebibyte = 2 ** 20;
const wakes_per_insert = 10_000;
const finalized_look_ms = 200;
const give_up_seconds = 1_200;

type Services = RunningWeir["services"];

/**
 * 100,000 subscriptions that are due at one instant: their wakes are written, and the clock runs until all invoices are
 * finalized, numbered and posted. Once with three metered prices each over 30 million rows of usage, and once with a fee
 * and tax.
 */
export async function measureInvoiceRun(options: BenchOptions): Promise<FigureRow[]> {
  const customers = options.quick ? 5_000 : 100_000;
  const config = loadConfig({
    WEIR_DATA_DIR: join(options.dir, "invoice-run"),
    WEIR_HTTP_PORT: "0",
    WEIR_OTLP_HTTP_PORT: "0",
    WEIR_OTLP_GRPC_PORT: "0",
    WEIR_DEMO: "off",
    WEIR_BOOTSTRAP_KEY: `bench-${randomBytes(18).toString("hex")}`,
    WEIR_LOG_LEVEL: "warn",
  });
  const weir = await startWeir(config, createLog("warn"));
  try {
    const metered = await run(weir, options, { name: "metered", customers, usage: true });
    const fees = await run(weir, options, { name: "fees", customers, usage: false });
    return [
      {
        name: "invoice run, 100,000 customers × 3 metered prices over 30 million rows",
        figure: customers / metered.seconds,
        unit: "invoices/s",
        ...atLeast(customers / metered.seconds, 1_500),
        detail: { ...metered, customers },
      },
      {
        name: "invoice run: memory above idle",
        figure: metered.memoryAboveIdle,
        unit: "MiB",
        ...below(metered.memoryAboveIdle, 1_024),
      },
      {
        name: "billing day: 100,000 subscriptions due in one minute, taxed",
        figure: fees.seconds,
        unit: "s",
        ...below(fees.seconds, 90),
        detail: { ...fees, customers },
      },
      {
        name: "explain of a line over 1 million events, first page, p95",
        figure: metered.explainP95,
        unit: "ms",
        ...below(metered.explainP95, 300),
      },
    ];
  } finally {
    await weir.stop();
  }
}

interface Seed {
  readonly name: string;
  readonly customers: number;
  readonly usage: boolean;
}

async function run(weir: RunningWeir, options: BenchOptions, seed: Seed) {
  const { services, url } = weir;
  const { organization, boundary } = await seedOrganization(services, url, options, seed);
  const idle = process.memoryUsage().rss;
  let most = idle;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 100);
  const keys = Array.from({ length: seed.customers }, (_, number) => idOf("sub", seed, number + 1));
  const started = performance.now();
  for (let first = 0; first < keys.length; first += wakes_per_insert)
    await services.postgres.inOrganization(organization, (sql) =>
      services.wakes.wakeAll(
        sql,
        organization,
        "invoice-run",
        keys.slice(first, first + wakes_per_insert).map((key) => ({ key, at: boundary })),
      ),
    );
  for (;;) {
    const [count] = await services.postgres.inOrganization(
      organization,
      (sql) => sql<{ done: string }[]>`
        SELECT coalesce((SELECT last FROM invoice_numbers WHERE series = 'invoice'), 0)::text AS done`,
    );
    const done = Number(count?.done ?? 0);
    if (done >= seed.customers) break;
    if (performance.now() - started > give_up_seconds * 1_000)
      throw new Error(`only ${done} of ${seed.customers} invoices after ${give_up_seconds} s`);
    await sleep(finalized_look_ms);
  }
  const seconds = (performance.now() - started) / 1_000;
  clearInterval(watch);
  const { balanced } = await services.ledger.trialBalance(organization);
  if (!balanced) throw new Error("the books do not balance");
  options.say(`  ${seed.name}: ${seed.customers} invoices in ${seconds.toFixed(1)} s`);
  const explainP95 = seed.usage ? await timeExplanations(services, organization, seed) : 0;
  return { seconds, memoryAboveIdle: (most - idle) / mebibyte, explainP95 };
}

/** The customer with a million events: a line and the first page of its events. */
async function timeExplanations(
  services: Services,
  organization: Parameters<Services["billing"]["invoices"]["list"]>[0],
  seed: Seed,
): Promise<number> {
  const { billing } = services;
  const customer = idOf("cus", seed, 1) as never;
  const [invoice] = await billing.invoices.list(organization, { customer, limit: 1 });
  const line = invoice?.lines.find(({ events }) => events > 100_000) ?? invoice?.lines[0];
  if (invoice === undefined || line === undefined) throw new Error("there is no invoice to explain");
  const times: number[] = [];
  for (let repetition = 0; repetition < 20; repetition += 1) {
    const begun = performance.now();
    const why = await billing.explanations.ofLine(organization, invoice.id, line.id);
    await billing.explanations.eventsOf(why, { limit: 50 });
    times.push(performance.now() - begun);
    if (!why.reproduced) throw new Error("a line is not reproduced");
  }
  return times.sort((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1] ?? Number.NaN;
}

function idOf(prefix: string, { name }: Seed, number: number): string {
  // Seven letters of base32 for the organization, so that ids of two do not meet.
  const mark = name === "metered" ? "000000m" : "000000f";
  return `${prefix}_${mark}${String(number).padStart(19, "0")}`;
}

async function seedOrganization(services: Services, url: string, options: BenchOptions, seed: Seed) {
  const { identity, postgres, columnar, usage } = services;
  const { id: organization } = await identity.createOrganization({
    slug: `bench-${seed.name}`,
    name: seed.name,
    mode: "live",
  });
  const { secret } = await identity.issueSystemKey(organization, { name: "bench", kind: "secret" });
  const call = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(new URL(path, url), {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok || text.includes('"errors"')) throw new Error(`${path}: ${text.slice(0, 500)}`);
    return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  };
  const now = new Date();
  const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const begin = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1);
  const versions: string[] = [];
  if (seed.usage) {
    for (const slug of meters) {
      const made = await call("/v1/meters", {
        slug,
        eventType: "used",
        aggregation: "SUM",
        valueProperty: "$.units",
      });
      versions.push(String(made["versionId"]));
    }
    await call("/v1/events", [
      { id: "first", source: "bench", type: "used", subject: "first", data: { units: 1 } },
    ]);
    await usage.settled();
  }
  await call("/graphql", {
    query: 'mutation { setTaxSettings(country: "DE") { __typename } }',
  }).catch(() => undefined);
  const prices = seed.usage
    ? meters
        .map((slug) => `{ key: "${slug}", meter: "${slug}", model: { perUnit: { unitAmount: "0.01" } } }`)
        .join(", ")
    : '{ key: "fee", charge: flat, timing: arrears, model: { flat: "25" } }';
  const made = await call("/graphql", {
    query: `mutation { createPlan(key: "p", name: "p", currency: "EUR", prices: [${prices}]) { ... on CreatePlanSuccess { data { current { id } } } ... on RefusalError { message } } }`,
  });
  const version = /plv_\w+/.exec(JSON.stringify(made))?.[0];
  if (version === undefined) throw new Error(`no plan: ${JSON.stringify(made)}`);
  await postgres.setUp(async (sql) => {
    await sql`SELECT set_config('weir.maintenance', 'on', true)`;
    const mark = idOf("", seed, 0).slice(1, 8);
    const id = (prefix: string) => `'${prefix}_${mark}' || lpad(n::text, 19, '0')`;
    const from = new Date(begin).toISOString();
    const range = `generate_series(1, ${seed.customers}) AS n`;
    await sql.unsafe(`
      INSERT INTO customers (organization, id, key, name, time_zone, address, created_at)
      SELECT '${organization}', ${id("cus")}, 'c' || n, 'Customer ' || n, 'UTC', '{"country":"DE"}'::jsonb, '${from}' FROM ${range};
      INSERT INTO customer_subjects (organization, customer, subject, valid_from)
      SELECT '${organization}', ${id("cus")}, 's' || n, '2000-01-01' FROM ${range};
      INSERT INTO subscriptions (organization, id, customer, currency, anchor_day, time_zone, started_at, revision, created_at)
      SELECT '${organization}', ${id("sub")}, ${id("cus")}, 'EUR', 1, 'UTC', '${from}', 1, '${from}' FROM ${range};
      INSERT INTO subscription_changes (organization, subscription, revision, action, effective_at, details, actor, recorded_at)
      SELECT '${organization}', ${id("sub")}, 1, 'create', '${from}', '{}', 'system', '${from}' FROM ${range};
      INSERT INTO subscription_phases (organization, subscription, valid_from, plan_version, billing_interval, overrides, added_in)
      SELECT '${organization}', ${id("sub")}, '${from}', '${version}', 'month', '{}', 1 FROM ${range};`);
  });
  if (seed.usage) {
    const [stored] = await columnar.system.query(
      "bench",
      `SELECT writer, sequence FROM weir.usage WHERE organization = '${organization}' LIMIT 1`,
      {},
      (row) => ({ ...row }),
    );
    // Bills read the rows; the rollups, which dashboards read, would be most of the loading.
    for (const view of rollup_views) await columnar.system.command("bench", `DETACH TABLE weir.${view}`);
    const step_us = Math.floor(((end - begin) * 1000) / rows_per_price);
    for (const meter of versions) {
      const count = seed.customers * rows_per_price;
      await columnar.system.command(
        "bench",
        `INSERT INTO weir.usage (organization, meter, subject, time, value, unique, dimensions, key, revision, writer, sequence, event_sequence, event_position, batch)
         SELECT '${organization}', '${meter}', concat('s', toString(2 + intDiv(number, ${rows_per_price}) % ${seed.customers - 1})),
                fromUnixTimestamp64Micro(toInt64(${begin * 1000} + (number % ${rows_per_price}) * ${step_us}), 'UTC'),
                toDecimal128(1 + number % 97, 18), '', [], reinterpretAsFixedString(sipHash128(number)), 0,
                '${String(stored?.["writer"])}', ${String(stored?.["sequence"])}, ${String(stored?.["sequence"])}, 1, 0
         FROM numbers(${count})`,
      );
      options.say(`  ${count.toLocaleString("en")} rows of usage`);
    }
    const million = options.quick ? 10_000 : 1_000_000;
    await columnar.system.command(
      "bench",
      `INSERT INTO weir.usage (organization, meter, subject, time, value, unique, dimensions, key, revision, writer, sequence, event_sequence, event_position, batch)
       SELECT '${organization}', '${versions[0] ?? ""}', 's1', fromUnixTimestamp64Micro(toInt64(${begin * 1000} + number * 1000), 'UTC'),
              toDecimal128(1, 18), '', [], reinterpretAsFixedString(sipHash128(number, 1)), 0,
              '${String(stored?.["writer"])}', ${String(stored?.["sequence"])}, ${String(stored?.["sequence"])}, 1, 0
       FROM numbers(${million})`,
    );
    await columnar.system.command(
      "bench",
      `INSERT INTO weir.usage_events (organization, source, id, type, subject, time, data, key, revision, received_at, writer, sequence, position, batch)
       SELECT '${organization}', 'bench', concat('e', toString(number)), 'used', 's1',
              fromUnixTimestamp64Micro(toInt64(${begin * 1000} + number * 1000), 'UTC'), '{"units":1}',
              reinterpretAsFixedString(sipHash128(number, 1)), 0, now64(6), '${String(stored?.["writer"])}',
              ${String(stored?.["sequence"])}, 1, 0
       FROM numbers(${million})`,
    );
    for (const view of rollup_views) await columnar.system.command("bench", `ATTACH TABLE weir.${view}`);
  }
  return {
    organization,
    boundary: (end * 1000) as Parameters<Services["billing"]["dueInvoices"]["billAt"]>[2],
  };
}

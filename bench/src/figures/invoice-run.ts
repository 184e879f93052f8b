import { join } from "node:path";
import type { RunningWeir } from "../../../server/dist/wire.js";
import { against, atLeast, below, type BenchOptions, type FigureRow, sleep } from "../figure.js";
import { insertMeteredRows, withoutRollups } from "../load/metered-rows.js";
import { startOwnWeir } from "../load/own-weir.js";
import { createMeters, createOrganization, createPlan, type Services } from "../load/seeded-organization.js";
import { insertSubscribedCustomers, seededId } from "../load/subscribed-customers.js";

const meters = ["requests", "tokens", "bytes"] as const;
/** 100,000 customers with three prices: 30 million rows. */
const rows_per_price = 100;
type OrganizationId = Parameters<Services["billing"]["invoices"]["list"]>[0];

const mebibyte = 2 ** 20;
const written_tables = [
  "invoices",
  "invoice_sections",
  "invoice_lines",
  "ledger_postings",
  "ledger_transfers",
  "audit_log",
];
const wakes_per_insert = 10_000;
const finalized_look_ms = 200;
const give_up_seconds = 1_200;
const settle_ms = 20_000;
const explanations = 60;

/**
 * 100,000 subscriptions that are due at one instant: their wakes are written, and the clock runs until all invoices are
 * finalized, numbered and posted. Once with three metered prices each over 30 million rows of usage, and once with a fee
 * and tax.
 */
export async function measureInvoiceRun(options: BenchOptions): Promise<FigureRow[]> {
  const customers = options.quick ? 5_000 : 100_000;
  const weir = await startOwnWeir(join(options.dir, "invoice-run"));
  try {
    const metered = await run(weir, options, { name: "metered", customers, usage: true });
    const fees = await run(weir, options, { name: "fees", customers, usage: false });
    return [
      {
        name: "invoice run, 100,000 customers × 3 metered prices over 30 million rows",
        figure: customers / metered.seconds,
        unit: "invoices/s",
        ...atLeast(customers / metered.seconds, 1_500),
        ...against(
          customers / metered.seconds,
          customers / metered.copySeconds,
          "PostgreSQL copying the rows that the run wrote, without an index: invoices/s",
        ),
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
        ...against(
          fees.seconds,
          fees.copySeconds,
          "PostgreSQL copying the rows that the run wrote, without an index: s",
        ),
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
  const { services } = weir;
  const { organization, boundary } = await seedOrganization(weir, options, seed);
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
  const copySeconds = await timeCopy(services, organization);
  const explainP95 = seed.usage ? await timeExplanations(services, organization, seed) : 0;
  return { seconds, memoryAboveIdle: (most - idle) / mebibyte, copySeconds, explainP95 };
}

/** How long the database takes to write again, from itself, what the run wrote. */
async function timeCopy({ postgres }: Services, organization: OrganizationId): Promise<number> {
  return postgres.inOrganization(organization, async (sql) => {
    const started = performance.now();
    for (const table of written_tables)
      await sql.unsafe(`CREATE TEMPORARY TABLE copy_of_${table} ON COMMIT DROP AS SELECT * FROM ${table}`);
    return (performance.now() - started) / 1_000;
  });
}

/** The customer with a million events: a line and the first page of its events. */
async function timeExplanations(
  services: Services,
  organization: OrganizationId,
  seed: Seed,
): Promise<number> {
  const { billing } = services;
  const customer = idOf("cus", seed, 1) as never;
  const [invoice] = await billing.invoices.list(organization, { customer, limit: 1 });
  const line = invoice?.lines.find(({ events }) => events > 100_000) ?? invoice?.lines[0];
  if (invoice === undefined || line === undefined) throw new Error("there is no invoice to explain");
  // What the run left to be tidied up is not what a question costs.
  await sleep(settle_ms);
  const times: number[] = [];
  for (let repetition = 0; repetition < explanations; repetition += 1) {
    const begun = performance.now();
    const why = await billing.explanations.ofLine(organization, invoice.id, line.id);
    await billing.explanations.eventsOf(why, { limit: 50 });
    times.push(performance.now() - begun);
    if (!why.reproduced) throw new Error("a line is not reproduced");
  }
  return times.sort((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1] ?? Number.NaN;
}

function idOf(prefix: string, seed: Seed, number: number): string {
  return seededId(prefix, markOf(seed), number);
}

function markOf({ name }: Seed): string {
  return name === "metered" ? "000000m" : "000000f";
}

async function seedOrganization(weir: RunningWeir, options: BenchOptions, seed: Seed) {
  const { services } = weir;
  const { columnar } = services;
  const seeded = await createOrganization(weir, `bench-${seed.name}`);
  const { organization } = seeded;
  const now = new Date();
  const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const begin = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1);
  const metered = seed.usage ? await createMeters(services, seeded, meters) : undefined;
  await seeded
    .call("/graphql", { query: 'mutation { setTaxSettings(country: "DE") { __typename } }' })
    .catch(() => undefined);
  const prices = seed.usage
    ? meters
        .map((slug) => `{ key: "${slug}", meter: "${slug}", model: { perUnit: { unitAmount: "0.01" } } }`)
        .join(", ")
    : '{ key: "fee", charge: flat, timing: arrears, model: { flat: "25" } }';
  const planVersion = await createPlan(seeded, prices);
  const { customers } = seed;
  await insertSubscribedCustomers(services, {
    organization,
    mark: markOf(seed),
    customers,
    planVersion,
    startedAt: begin,
  });
  if (metered !== undefined) {
    const { versions, position } = metered;
    await withoutRollups(columnar, async () => {
      for (const meterVersion of versions) {
        const count = customers * rows_per_price;
        await insertMeteredRows(columnar, {
          organization,
          meterVersion,
          position,
          first: 2,
          subjects: customers - 1,
          rowsPerSubject: rows_per_price,
          count,
          begin,
          step_us: Math.floor(((end - begin) * 1000) / rows_per_price),
          value: "1 + number % 97",
          salt: 0,
        });
        options.say(`  ${count.toLocaleString("en")} rows of usage`);
      }
      const million = options.quick ? 10_000 : 1_000_000;
      await insertMeteredRows(columnar, {
        organization,
        meterVersion: versions[0] ?? "",
        position,
        first: 1,
        subjects: 1,
        rowsPerSubject: million,
        count: million,
        begin,
        step_us: 1000,
        value: "1",
        salt: 1,
      });
      await columnar.system.command(
        "bench",
        `INSERT INTO weir.usage_events (organization, source, id, type, subject, time, data, key, revision, received_at, writer, sequence, position, batch)
         SELECT '${organization}', 'bench', concat('e', toString(number)), 'used', 's1',
                fromUnixTimestamp64Micro(toInt64(${begin * 1000} + number * 1000), 'UTC'), '{"units":1}',
                reinterpretAsFixedString(sipHash128(number, 1)), 0, now64(6), '${position.writer}',
                ${position.sequence}, 1, 0
         FROM numbers(${million})`,
      );
    });
  }
  return {
    organization,
    boundary: (end * 1000) as Parameters<Services["billing"]["dueInvoices"]["billAt"]>[2],
  };
}

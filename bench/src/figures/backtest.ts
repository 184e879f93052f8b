import { join } from "node:path";
import { against, below, type BenchOptions, type FigureRow, median } from "../figure.js";
import { apiCaller, type ApiCaller } from "../load/api-caller.js";
import { insertMeteredRows, withoutRollups } from "../load/metered-rows.js";
import { startOwnWeir } from "../load/own-weir.js";
import { createMeters, createOrganization, createPlan, type Services } from "../load/seeded-organization.js";
import { insertSubscribedCustomers } from "../load/subscribed-customers.js";
import { WeirProcess } from "../weir-process.js";

const meters = ["requests", "tokens", "bytes"] as const;
/** 10,000 customers with three prices: 3 million rows. */
const rows_per_price = 100;
const mark = "000000b";
const mebibyte = 2 ** 20;
const memory_look_ms = 200;

/** A graduated price in ten-thousandths of a euro: what a unit costs up to the tier's end, and beyond it. */
interface Ladder {
  readonly upTo: number;
  readonly below: number;
  readonly beyond: number;
}
type Prices = Readonly<Record<(typeof meters)[number], Ladder>>;

/** Small customers pay less under the draft, large ones more. */
const sold: Prices = {
  requests: { upTo: 10_000, below: 123, beyond: 123 },
  tokens: { upTo: 10_000, below: 100, beyond: 50 },
  bytes: { upTo: 20_000, below: 77, beyond: 41 },
};
const draft: Prices = {
  requests: { upTo: 15_000, below: 99, beyond: 151 },
  tokens: { upTo: 10_000, below: 90, beyond: 57 },
  bytes: { upTo: 20_000, below: 77, beyond: 45 },
};

/** What the API answers, of what is compared. */
interface Answer {
  readonly subscriptions: number;
  readonly incomparable: number;
  readonly current: string;
  readonly draft: string;
  readonly winners: number;
  readonly losers: number;
  readonly unchanged: number;
}

/**
 * A month of usage of 10,000 customers with three metered prices, 3 million rows, rated under their own prices and
 * under a draft: asked for over HTTP as `weir backtest` does, and compared with a computation of its own.
 */
export async function measureBacktest(options: BenchOptions): Promise<FigureRow[]> {
  const customers = options.quick ? 1_000 : 10_000;
  const dataDir = join(options.dir, "backtest");
  const { key, reference, period } = await seed(options, dataDir, customers);
  const expected = JSON.stringify(expectedAnswer(customers));
  const weir = await WeirProcess.start(dataDir);
  try {
    const call = apiCaller(weir.url, key);
    const idle = weir.memory().server;
    let most = idle;
    const watch = setInterval(() => (most = Math.max(most, weir.memory().server)), memory_look_ms);
    const cpuBefore = weir.cpuSeconds();
    const seconds: number[] = [];
    for (let repetition = 0; repetition < options.repetitions; repetition += 1) {
      const begun = performance.now();
      const answer = JSON.stringify(await backtest(call, period));
      seconds.push((performance.now() - begun) / 1_000);
      if (answer !== expected) throw new Error(`the backtest answers ${answer} instead of ${expected}`);
      options.say(`  ${customers} customers in ${(seconds.at(-1) ?? 0).toFixed(2)} s`);
    }
    clearInterval(watch);
    const figure = median(seconds);
    return [
      {
        name: "backtest of a month, 10,000 customers × 3 metered prices over 3 million rows",
        figure,
        unit: "s",
        ...below(figure, 30),
        ...against(figure, reference, "plain SELECT of each customer's sums: s"),
        detail: { customers, seconds, cpuSeconds: (weir.cpuSeconds() - cpuBefore) / options.repetitions },
      },
      {
        name: "backtest: memory above idle",
        figure: (most - idle) / mebibyte,
        unit: "MiB",
        target: "stated",
      },
    ];
  } finally {
    await weir.stop();
  }
}

/** By a server of this process, which stops before the one that is measured starts. */
async function seed(options: BenchOptions, dataDir: string, customers: number) {
  const weir = await startOwnWeir(dataDir);
  try {
    const { services } = weir;
    const seeded = await createOrganization(weir, "bench-backtest");
    const { organization, key } = seeded;
    const { versions, position } = await createMeters(services, seeded, meters);
    const planVersion = await createPlan(seeded, pricesOf(sold));
    const now = new Date();
    const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
    const begin = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1);
    await insertSubscribedCustomers(services, {
      organization,
      mark,
      customers,
      planVersion,
      startedAt: begin,
    });
    await withoutRollups(services.columnar, async () => {
      for (const [index, meterVersion] of versions.entries())
        await insertMeteredRows(services.columnar, {
          organization,
          meterVersion,
          position,
          first: 1,
          subjects: customers,
          rowsPerSubject: rows_per_price,
          count: customers * rows_per_price,
          begin,
          step_us: Math.floor(((end - begin) * 1000) / rows_per_price),
          // As quantityOf computes it.
          value: `(1 + (number + ${13 * index}) % 97) * (1 + (intDiv(number, ${rows_per_price}) + ${index}) % 10)`,
          salt: 0,
        });
    });
    const reference = await timePlainSelect(services, organization);
    return { key, reference, period: { start: new Date(begin), end: new Date(end) } };
  } finally {
    await weir.stop();
  }
}

async function timePlainSelect({ columnar }: Services, organization: string): Promise<number> {
  const begun = performance.now();
  await columnar.system.query(
    "bench",
    `SELECT meter, subject, toString(sum(toDecimal256(value, 18))) AS quantity FROM weir.usage
     WHERE organization = '${organization}' GROUP BY meter, subject`,
    {},
    (row) => row["quantity"],
  );
  return (performance.now() - begun) / 1_000;
}

function pricesOf(prices: Prices): string {
  return meters
    .map((meter) => {
      const { upTo, below: first, beyond } = prices[meter];
      const tiers = `{ upTo: "${upTo}", unitAmount: "${first / 10_000}" }, { unitAmount: "${beyond / 10_000}" }`;
      return `{ key: "${meter}", meter: "${meter}", model: { graduated: { tiers: [${tiers}] } } }`;
    })
    .join(", ");
}

async function backtest(call: ApiCaller, { start, end }: { start: Date; end: Date }): Promise<Answer> {
  const money = "current { minor } draft { minor }";
  const { data } = (await call("/graphql", {
    query: `query ($start: Instant!, $end: Instant!) {
      backtest(plan: "p", start: $start, end: $end, draft: { currency: "EUR", prices: [${pricesOf(draft)}] }) {
        subscriptions incomparable
        totals { currency ${money} winners losers unchanged }
        customers(first: 20) { customer { key } ${money} } } }`,
    variables: { start: start.toISOString(), end: end.toISOString() },
  })) as { data: { backtest: Answered } };
  const { subscriptions, incomparable, totals } = data.backtest;
  const [total] = totals;
  if (total === undefined || totals.length > 1) throw new Error("the backtest is not of one currency");
  const { winners, losers, unchanged } = total;
  const minor = { current: total.current.minor, draft: total.draft.minor };
  return { subscriptions, incomparable: incomparable.length, ...minor, winners, losers, unchanged };
}

interface Answered {
  readonly subscriptions: number;
  readonly incomparable: readonly string[];
  readonly totals: readonly {
    readonly current: { readonly minor: string };
    readonly draft: { readonly minor: string };
    readonly winners: number;
    readonly losers: number;
    readonly unchanged: number;
  }[];
}

/** By the formulas alone, in whole ten-thousandths. */
function expectedAnswer(customers: number): Answer {
  const sum = { current: 0, draft: 0, winners: 0, losers: 0, unchanged: 0 };
  for (let customer = 0; customer < customers; customer += 1) {
    const quantities = meters.map((_, index) => quantityOf(customer, index));
    const [current, tried] = [centsOf(sold, quantities), centsOf(draft, quantities)];
    sum.current += current;
    sum.draft += tried;
    if (tried < current) sum.winners += 1;
    else if (tried > current) sum.losers += 1;
    else sum.unchanged += 1;
  }
  const { winners, losers, unchanged } = sum;
  const minor = { current: String(sum.current), draft: String(sum.draft) };
  return { subscriptions: customers, incomparable: 0, ...minor, winners, losers, unchanged };
}

function quantityOf(customer: number, meter: number): number {
  let quantity = 0;
  for (let row = 0; row < rows_per_price; row += 1) {
    const number = customer * rows_per_price + row;
    quantity += (1 + ((number + 13 * meter) % 97)) * (1 + ((customer + meter) % 10));
  }
  return quantity;
}

function centsOf(prices: Prices, quantities: readonly number[]): number {
  return meters.reduce((cents, meter, index) => {
    const { upTo, below: first, beyond } = prices[meter];
    const quantity = quantities[index] ?? 0;
    const exact = Math.min(quantity, upTo) * first + Math.max(quantity - upTo, 0) * beyond;
    return cents + Math.floor((exact + 50) / 100);
  }, 0);
}

import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { against, atLeast, type BenchOptions, type FigureRow, median, sleep } from "../figure.js";
import { startOwnWeir } from "../load/own-weir.js";
import { createOrganization, type SeededOrganization, type Services } from "../load/seeded-organization.js";
import { insertSubscribedCustomers, seededId } from "../load/subscribed-customers.js";

const mark = "000000c";
const at_once = 64;
const look_ms = 50;
const looked_at_max = 1_000;
const busy_ms = 200;
const chunk = 500;
const key = "sk_test_bench";

type Attempt = Awaited<ReturnType<Services["payments"]["charges"]["pay"]>>;
type Caller = Parameters<Services["payments"]["charges"]["pay"]>[0];
type Subscriptions = Parameters<Services["billing"]["dueInvoices"]["billAt"]>[1];
type Boundary = Parameters<Services["billing"]["dueInvoices"]["billAt"]>[2];
type Receivable = Awaited<ReturnType<Services["payments"]["receivables"]["list"]>>[number];

/**
 * Charges of finalized invoices, 64 at once, against the Stripe simulator in a process of its own: from asking for the charge until
 * the payment is posted, every checkpoint of its run included.
 */
export async function measureCharges(options: BenchOptions): Promise<FigureRow[]> {
  const invoices = options.quick ? 300 : 3_000;
  const weir = await startOwnWeir(join(options.dir, "charges"));
  const stripe = await Simulator.start();
  try {
    const seeded = await createOrganization(weir, "charges");
    const caller = {
      organization: seeded.organization,
      key: "key_bench",
      kind: "secret",
    } as unknown as Caller;
    const warm_up = Math.floor(invoices / 6);
    const owed = await finalizedInvoices(weir.services, seeded, caller, stripe.url, invoices + warm_up);
    const rates: number[] = [];
    const share = Math.floor(invoices / options.repetitions);
    const watch = new Watch(weir.services, seeded.organization);
    const charge = async ({ invoice }: Receivable) =>
      watch.succeeded(await weir.services.payments.charges.pay(caller, { invoice }));
    await atOnce(owed.slice(0, warm_up), at_once, charge);
    for (let repetition = 0; repetition < options.repetitions; repetition += 1) {
      const from = warm_up + repetition * share;
      const part = owed.slice(from, from + share);
      const begun = performance.now();
      await atOnce(part, at_once, charge);
      const seconds = (performance.now() - begun) / 1_000;
      rates.push(part.length / seconds);
      options.say(`  ${part.length} payments in ${seconds.toFixed(1)} s`);
    }
    const reference = await bareCalls(stripe.url, options.quick ? 300 : 2_000);
    const figure = median(rates);
    return [
      {
        name: "charges end to end, 64 at once, checkpoints included",
        figure,
        unit: "payments/s",
        ...atLeast(figure, 100),
        ...against(figure, reference, "the two calls to the simulator alone: payments/s"),
      },
    ];
  } finally {
    await weir.stop();
    stripe.stop();
  }
}

/** Waits for attempts to end, by one look for all of them: asked for one by one, the looks cost more than the payments. */
class Watch {
  readonly #services: Services;
  readonly #organization: SeededOrganization["organization"];
  readonly #waiting = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();

  constructor(services: Services, organization: SeededOrganization["organization"]) {
    this.#services = services;
    this.#organization = organization;
  }

  /** @throws Error when it ended without money */
  succeeded({ id }: Attempt): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      if (this.#waiting.size === 1) this.#lookLater();
    });
  }

  #lookLater(): void {
    setTimeout(() => {
      this.#look().then(
        () => this.#waiting.size > 0 && this.#lookLater(),
        (error: Error) => this.#waiting.forEach(({ reject }) => reject(error)),
      );
    }, look_ms);
  }

  async #look(): Promise<void> {
    const oldest = [...this.#waiting.keys()].sort()[0] ?? "";
    const page = { after: oldest.slice(0, -1), limit: looked_at_max };
    const attempts = await this.#services.payments.charges.attemptsOf(this.#organization, page);
    for (const { id, state, decline } of attempts) {
      const waiter = this.#waiting.get(id);
      if (state === "succeeded") waiter?.resolve();
      else if (state === "failed" || state === "canceled")
        waiter?.reject(new Error(`attempt ${id} ended: ${JSON.stringify(decline)}`));
      else continue;
      this.#waiting.delete(id);
    }
  }
}

/** Customers with a card each, and one invoice each that nobody has tried to charge yet. */
async function finalizedInvoices(
  services: Services,
  seeded: SeededOrganization,
  caller: Caller,
  stripeUrl: string,
  customers: number,
): Promise<readonly Receivable[]> {
  const made = await seeded.call("/graphql", {
    query: `mutation { createPlan(key: "p", name: "p", currency: "EUR", graceHours: 0, prices: [
      { key: "fee", name: "Fee", charge: flat, timing: arrears, model: { flat: "20" } }]) {
        ... on CreatePlanSuccess { data { current { id } } } ... on RefusalError { message } } }`,
  });
  const planVersion = /plv_\w+/.exec(JSON.stringify(made))?.[0];
  if (planVersion === undefined) throw new Error(`no plan: ${JSON.stringify(made)}`);
  const now = new Date();
  const startedAt = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1);
  const boundary = (Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1) * 1_000) as Boundary;
  const { organization } = seeded;
  await insertSubscribedCustomers(services, { organization, mark, customers, planVersion, startedAt });
  for (let from = 1; from <= customers; from += chunk) {
    const ids = Array.from({ length: Math.min(chunk, customers - from + 1) }, (_, index) =>
      seededId("sub", mark, from + index),
    );
    await services.billing.dueInvoices.billAt(organization, ids as unknown as Subscriptions, boundary);
  }
  await services.payments.accounts.create(caller, {
    key: "stripe",
    provider: "stripe",
    settings: { apiBase: stripeUrl },
    secrets: { secretKey: key },
  });
  const numbers = Array.from({ length: customers }, (_, index) => index + 1);
  await atOnce(numbers, 16, async (number) => {
    await unlessBusy(() =>
      services.payments.methods.attach(caller, {
        customer: seededId("cus", mark, number),
        account: "stripe",
        method: "pm_card_visa",
      }),
    );
  });
  const owed: Receivable[] = [];
  for (let after = ""; ; ) {
    const page = await services.payments.receivables.list(organization, { state: "open", after, limit: 500 });
    owed.push(...page);
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.invoice;
  }
  if (owed.length !== customers) throw new Error(`${owed.length} invoices are open instead of ${customers}`);
  return owed;
}

/** Weir lets so many calls to a provider through a second: who is refused comes again. */
async function unlessBusy<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "StoreUnavailable") throw error;
      await sleep(busy_ms);
    }
  }
}

/** The same creation and confirmation, with nothing around them. */
async function bareCalls(url: string, count: number): Promise<number> {
  const post = async (path: string, body: Record<string, string>) => {
    const response = await fetch(new URL(path, url), {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(body).toString(),
    });
    const answer = (await response.json()) as { id?: string; error?: { message: string } };
    if (answer.id === undefined) throw new Error(answer.error?.message ?? `${path}: ${response.status}`);
    return answer.id;
  };
  const begun = performance.now();
  await atOnce(Array.from({ length: count }), at_once, async () => {
    const intent = await post("/v1/payment_intents", {
      amount: "2000",
      currency: "eur",
      payment_method: "pm_card_visa",
      "automatic_payment_methods[enabled]": "true",
      "automatic_payment_methods[allow_redirects]": "never",
    });
    await post(`/v1/payment_intents/${intent}/confirm`, {});
  });
  return count / ((performance.now() - begun) / 1_000);
}

async function atOnce<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: limit }, async () => {
      for (const item of left) await work(item);
    }),
  );
}

/** The Stripe simulator as a process of its own. */
class Simulator {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  static async start(): Promise<Simulator> {
    const main = fileURLToPath(new URL("../../../server/simulators/dist/stripe/main.js", import.meta.url));
    const child = spawn(process.execPath, [main, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    const url = await new Promise<string>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`the simulator ended with ${code}: ${printed}`)));
      child.stdout.on("data", (bytes: Buffer) => {
        printed += bytes.toString();
        const found = /http:\/\/[0-9.]+:\d+/.exec(printed)?.[0];
        if (found !== undefined) resolve(found);
      });
    });
    return new Simulator(child, url);
  }

  stop(): void {
    this.#process.kill();
  }
}

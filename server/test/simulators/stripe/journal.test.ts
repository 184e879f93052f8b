import { appendFile, readFile, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  inProcessClient,
  StripeSimulator,
  UnusableJournal,
  type SettingsChange,
} from "../../../simulators/stripe/index.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { ignoreRefusal, step, take } from "./account-steps.js";
import { customerWith, key, pay, type OpenedSimulator } from "./opened-simulator.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
let count = 0;
beforeEach(async () => {
  folder = await temporaryFolder("stripe-journal");
  file = path.join(folder.dir, "journal");
});
afterEach(() => folder.remove());

/** A simulator on a clock that outlives it. */
class Restartable {
  now = Date.UTC(2030, 0, 1);
  opened: OpenedSimulator;
  readonly #settings: SettingsChange;
  readonly #journal: string | undefined;

  constructor(settings: SettingsChange, journal: string | undefined) {
    this.#settings = settings;
    this.#journal = journal;
    this.opened = this.#open();
  }

  /** As after kill -9: nothing of the old one is asked any more. */
  restart(): void {
    this.opened = this.#open();
  }

  #open(): OpenedSimulator {
    const simulator = new StripeSimulator({
      now: () => this.now,
      seed: "journal",
      settings: this.#settings,
      ...(this.#journal !== undefined && { journal: this.#journal }),
    });
    simulator.advance = async (duration_ms) => {
      const end = this.now + duration_ms;
      for (let next = simulator.nextDue(); next !== undefined && next <= end; next = simulator.nextDue()) {
        this.now = Math.max(next, this.now);
        await simulator.settle();
      }
      this.now = end;
    };
    return {
      simulator,
      stripe: new Stripe(key, { httpClient: inProcessClient(simulator), maxNetworkRetries: 0 }),
    };
  }
}

/** All that an account shows. */
async function everything({ stripe, simulator }: OpenedSimulator): Promise<object> {
  const all = { limit: 100 };
  const events = (await stripe.events.list(all)).data;
  return {
    ledger: [simulator.ledger.balances(), simulator.ledger.movements(), [...simulator.ledger.charges()]],
    intents: (await stripe.paymentIntents.list(all)).data,
    charges: (await stripe.charges.list(all)).data,
    refunds: (await stripe.refunds.list(all)).data,
    disputes: (await stripe.disputes.list(all)).data,
    payouts: (await stripe.payouts.list(all)).data,
    customers: (await stripe.customers.list(all)).data,
    // Requests are counted anew after a start, and keys are the SDK's own.
    events: events.map(({ request: _, ...event }) => event),
  };
}

const settings: SettingsChange = {
  settlementCurrencies: ["usd"],
  exchangeRates: { "eur/usd": "1.0842", "jpy/usd": "0.0067" },
};

test("an account that was started again at any point is the same as one that never stopped", async () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: step },
      { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
    ),
    { maxLength: 25 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      count += 1;
      const kept = new Restartable(settings, path.join(folder.dir, `journal-${count}`));
      const plain = new Restartable(settings, undefined);
      for (const one of taken) {
        if (one.kind === "restart") kept.restart();
        else for (const account of [kept, plain]) await take(account.opened, one).catch(ignoreRefusal);
      }
      kept.restart();
      for (const account of [kept, plain]) await account.opened.simulator.advance(3 * 24 * 3_600_000);
      expect(await everything(kept.opened)).toEqual(await everything(plain.opened));
    }),
    { numRuns: 60 },
  );
});

describe("after a start with its journal, an account", () => {
  test("answers keys as before, errors that were planned included, and makes no id twice", async () => {
    const account = new Restartable(settings, file);
    const { faults } = account.opened.simulator;
    const { customer, payment_method } = await customerWith(account.opened.stripe);
    const params = { amount: 900, currency: "usd", customer, payment_method };
    const { id } = await account.opened.stripe.paymentIntents.create(params, { idempotencyKey: "create" });
    faults.add({ operation: "payment_intents.confirm", effect: { kind: "error_after" } });
    const confirm = (): Promise<Stripe.PaymentIntent> =>
      account.opened.stripe.paymentIntents.confirm(id, { off_session: true }, { idempotencyKey: "confirm" });
    await expect(confirm()).rejects.toMatchObject({ statusCode: 500 });
    account.restart();
    const again = await account.opened.stripe.paymentIntents.create(params, { idempotencyKey: "create" });
    expect([again.id, again.lastResponse.headers["idempotent-replayed"]]).toEqual([id, "true"]);
    await expect(confirm()).rejects.toMatchObject({
      statusCode: 500,
      headers: { "idempotent-replayed": "true" },
    });
    expect((await account.opened.stripe.paymentIntents.retrieve(id)).status).toBe("succeeded");
    const next = await account.opened.stripe.paymentIntents.create(params);
    expect(next.id > id).toBe(true);
  });

  test("has what people did on its pages and by its methods, and lets happen what was due meanwhile", async () => {
    const account = new Restartable({ payoutEvery_ms: 24 * 3_600_000 }, file);
    const { stripe, simulator } = account.opened;
    const { id: customer } = await stripe.customers.create({});
    const session = await stripe.checkout.sessions.create({
      mode: "setup",
      customer,
      currency: "usd",
      success_url: "https://weir.invalid",
    });
    const submit = (number: string): Promise<unknown> =>
      simulator.handle({
        method: "POST",
        path: `/_simulator/checkout/${session.id}`,
        headers: {},
        body: new URLSearchParams({ number, expiry: "12/40", cvc: "123" }).toString(),
      });
    await submit("4539578763621486");
    await submit("5555555555554444");
    expect(() => simulator.createPaymentMethod({ number: "4539578763621486" })).toThrow();
    await stripe.paymentMethods
      .create({ type: "card", card: { number: "4539578763621486", exp_month: 1, exp_year: 2040 } } as never)
      .catch(() => undefined);
    simulator.createPaymentMethod({ number: "4242424242424242" }, customer);
    const { charge } = await pay(stripe, "pm_card_refundFail", {
      customer: undefined as never,
      payment_method: "pm_card_refundFail",
    });
    await stripe.refunds.create({ charge: charge.id });
    const before = await everything(account.opened);
    account.restart();
    expect(await everything(account.opened)).toEqual(before);
    const methods = (await account.opened.stripe.paymentMethods.list({ customer })).data;
    expect(methods.map(({ card }) => card?.last4)).toEqual(["4242", "4444"]);
    account.now += 3_600_000;
    await account.opened.simulator.settle();
    expect((await account.opened.stripe.refunds.list()).data).toMatchObject([{ status: "failed" }]);
    // What may be the number of a real card is not written down.
    expect(await readFile(file, "utf8")).not.toContain("4539578763621486");
  });

  test("lacks only what nobody was told of, when the last line was cut", async () => {
    const account = new Restartable(settings, file);
    await account.opened.stripe.customers.create({ name: "Ada" });
    const { length } = await readFile(file);
    await account.opened.stripe.customers.create({ name: "Bob" });
    await truncate(file, length + 20);
    account.restart();
    expect((await account.opened.stripe.customers.list()).data.map(({ name }) => name)).toEqual(["Ada"]);
    await account.opened.stripe.customers.create({ name: "Cyd" });
    account.restart();
    expect((await account.opened.stripe.customers.list()).data.map(({ name }) => name)).toEqual([
      "Cyd",
      "Ada",
    ]);
  });
});

test("a journal of other settings, a damaged one, and what is none are refused by name", async () => {
  const account = new Restartable(settings, file);
  await account.opened.stripe.customers.create({});
  expect(() => new StripeSimulator({ journal: file, seed: "other" })).toThrow(UnusableJournal);
  await appendFile(file, '{"kind":"nothing"}\n');
  expect(() => account.restart()).toThrow(/line 3, is damaged/);
  await writeFile(file, "a text\n");
  expect(() => account.restart()).toThrow(UnusableJournal);
});

test("a full journal refuses what would change the account, lets happen what is due, and can be read", async () => {
  const account = new Restartable({ limits: { journalBytes_max: 2_000 } }, file);
  const { stripe, simulator } = account.opened;
  await expect(
    (async () => {
      for (;;) await pay(stripe, "pm_card_createDispute");
    })(),
  ).rejects.toMatchObject({ statusCode: 503, message: expect.stringContaining("journal is full") });
  const paid = (await stripe.charges.list()).data.length;
  expect(() => simulator.setExchangeRate("eur", "usd", "1.1")).toThrow("journal is full");
  account.now += 60_000;
  await simulator.settle();
  const disputes = (await stripe.disputes.list()).data.map(({ id }) => id);
  expect(disputes).toHaveLength(paid);
  account.restart();
  await account.opened.simulator.settle();
  expect((await account.opened.stripe.disputes.list()).data.map(({ id }) => id)).toEqual(disputes);
});

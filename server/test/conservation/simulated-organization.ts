import type { Sql } from "../../src/engines/postgres/index.js";
import type { Caller } from "../../src/identity/index.js";
import { Decimal } from "../../src/kernel/decimal.js";
import type { OrganizationId, ProviderAccountId } from "../../src/kernel/ids.js";
import {
  formatInstant,
  hour,
  instantFromMs,
  msOf,
  parseInstant,
  type Instant,
} from "../../src/kernel/instant.js";
import { beginAdvance, moveTestClock } from "../../src/time/store/test-clocks.js";
import type { Query } from "./actions.js";
import { Boundaries } from "./boundaries.js";
import { LifeEnded } from "./life.js";
import type { LivingWeir, MortalWeir } from "./mortal-weir.js";
import { offers, type Plan, type PlannedCustomer } from "./plan.js";
import { SimulatedProvider } from "./simulated-provider.js";

export const start = parseInstant("2030-01-01T00:00:00Z") as Instant;
const end_of_time = parseInstant("2034-01-01T00:00:00Z") as Instant;
const rounds_max = 2_000;

/** One plan's organization: its clock, its provider, and what asks Weir on its behalf, again after each death. */
export class SimulatedOrganization {
  readonly plan: Plan;
  readonly boundaries: Boundaries;
  readonly provider: SimulatedProvider;
  readonly host: string;
  caller!: Caller;
  account!: ProviderAccountId;
  /** Ids by the customers' numbers: ours, and the provider's. */
  readonly customers = new Map<number, { readonly id: string; readonly ref: string | undefined }>();
  /** Faults of the provider that do not end. */
  readonly keptFaults = new Set<string>();
  readonly #weir: MortalWeir;
  readonly #name: string;
  #now: Instant = start;
  #advance = 1;
  #isGivenUp = false;
  readonly #givenUp: Promise<never>;
  #rejectGivenUp: (reason: Error) => void = () => {};

  constructor(weir: MortalWeir, plan: Plan, name: string, places?: Map<string, number>) {
    this.#weir = weir;
    this.#name = name;
    this.plan = plan;
    this.host = `${name}.example`;
    this.boundaries = new Boundaries(plan.crashes, places);
    this.provider = new SimulatedProvider({
      seed: String(plan.seed),
      settings: plan.simulator,
      now_ms: () => msOf(this.#now),
      take: (headers, body) => this.#takeWebhook(headers, body),
    });
    this.#givenUp = new Promise((_, reject) => (this.#rejectGivenUp = reject));
    this.#givenUp.catch(() => undefined);
  }

  get organization(): OrganizationId {
    return this.caller.organization;
  }

  get now(): Instant {
    return this.#now;
  }

  /** Makes the organization with its catalog and customers; boundaries count from the end of it. */
  async open(known: (organization: OrganizationId) => void): Promise<void> {
    // Made already, when the process died before it said so.
    const { id } = await this.ask(
      async ({ identity }) =>
        (await identity.findOrganizationBySlug(this.#name)) ??
        identity.createOrganization({ slug: this.#name, name: this.#name, mode: "live" }),
    );
    this.caller = { organization: id, key: "key_conservation" as Caller["key"], kind: "secret" };
    known(id);
    await this.ask(({ time }) => time.testClocks.start(this.caller, start));
    await this.ask(({ webhooks }) =>
      webhooks.endpoints.create(this.caller, { url: "https://203.0.113.1/hooks", eventTypes: [...outcomes] }),
    );
    const account = await this.ask(({ money }) =>
      money.payments.accounts.create(this.caller, {
        key: "stripe",
        provider: "stripe",
        settings: { apiBase: `http://${this.host}` },
        secrets: { secretKey: this.provider.secretKey, webhookSecret: this.provider.webhookSecret },
      }),
    );
    this.account = account.id;
    const { dunningEnd: end } = this.plan;
    await this.ask(({ money }) =>
      money.payments.dunning.setSchedule(this.caller, { retryDays: [1, 3], hour: 10, endDays: 5, end }),
    );
    for (const key of new Set(this.plan.customers.map(({ plan }) => plan))) await this.#offer(key);
    await Promise.all(this.plan.customers.map((customer) => this.#add(customer)));
    await this.#weir.postgres.inOrganization(id, (sql) => beginAdvance(sql, end_of_time));
    this.boundaries.start();
  }

  /** Ends a play that does not end by itself, and says where it stands. */
  async giveUp(): Promise<void> {
    this.#isGivenUp = true;
    const { busy, life } = await this.#weir.living();
    const runs = busy.list(this.organization);
    this.#rejectGivenUp(
      new Error(
        `still at ${formatInstant(this.#now)}, in life ${life.number}; ${runs.length} runs are at work: ${runs.slice(0, 10).join(", ")}`,
      ),
    );
  }

  /** @throws when it is given up meanwhile */
  untilGivenUp<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#givenUp]);
  }

  /** Asks the process that lives, and again the next one when it dies meanwhile: as a client that got no reply. */
  async ask<T>(question: (weir: LivingWeir) => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#isGivenUp) return this.#givenUp;
      const living = await this.#weir.living();
      try {
        return await living.life.during(question(living));
      } catch (error) {
        if (!(error instanceof LifeEnded)) throw error;
      }
    }
  }

  /**
   * Lets time pass, from one thing that is due to the next, each time until nothing is left to do at that instant. What is due
   * at the last one is not done yet.
   */
  async moveTo(at: Instant): Promise<void> {
    while (this.#now < at) {
      const next = await this.settle(at);
      const due_ms = this.provider.nextDue_ms();
      const due = due_ms === undefined ? at : instantFromMs(due_ms);
      await this.#setNow(Math.min(next ?? at, due, at) as Instant);
    }
  }

  /** @returns when the next wake is due, up to an instant */
  async settle(until: Instant = this.#now): Promise<Instant | undefined> {
    for (let round = 0; round < rounds_max; round += 1) {
      await this.provider.settle();
      const acted = await this.ask(async ({ time, busy }) => {
        await busy.whenIdle(this.organization);
        const ahead = await this.#weir.postgres.inOrganization(this.organization, (sql) =>
          time.wakes.lookAhead(sql, this.#now, until),
        );
        if (ahead.due === 0) return ahead;
        await time.wakes.dispatch(this.organization, { advancing: true });
        return undefined;
      });
      if (acted !== undefined && (this.provider.nextDue_ms() ?? Infinity) > msOf(this.#now))
        return acted.next;
    }
    throw new Error(`there is no end of things to do at ${this.#now}`);
  }

  customerOf(number: number): string {
    return this.customers.get(number)?.id ?? "";
  }

  /** A customer as the provider names it. */
  refOf(number: number): string | undefined {
    return this.customers.get(number)?.ref;
  }

  /** Asks the database itself, past Weir. */
  async rows<T>(query: Query<T>): Promise<readonly T[]> {
    return this.#weir.postgres.inOrganization(this.organization, async (sql) => query(sql));
  }

  /** The same for several that belong together. */
  async inDatabase<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#weir.postgres.inOrganization(this.organization, work);
  }

  async first<T>(query: Query<T>): Promise<T | undefined> {
    return (await this.rows(query))[0];
  }

  /** Runs that did not succeed: none, at rest. */
  unendedRuns(): Promise<readonly { id: string; state: string; error: string | null }[]> {
    return this.rows(
      (sql) => sql<{ id: string; state: string; error: string | null }[]>`
        SELECT id, state, error FROM weir_workflow.weir_runs
        WHERE organization = ${this.organization} AND state <> 'succeeded'`,
    );
  }

  /** Ours, of whom the provider says nothing to the end. */
  silentCustomers(): ReadonlySet<string> {
    const refs = new Set(
      this.provider.simulator.faults
        .list()
        .flatMap(({ id, fault }) =>
          this.keptFaults.has(id) && fault.customer !== undefined ? [fault.customer] : [],
        ),
    );
    return new Set([...this.customers.values()].flatMap(({ id, ref }) => (refs.has(ref ?? "") ? [id] : [])));
  }

  /** One of the rows: 0 is the first, 0.99 the last. */
  async pick<T>(which: number, query: Query<T>): Promise<T | undefined> {
    const rows = await this.rows(query);
    return rows[Math.floor(which * rows.length)];
  }

  hoursLater(hours: number): Instant {
    return (start + hours * hour) as Instant;
  }

  async #setNow(now: Instant): Promise<void> {
    await this.#weir.postgres.inOrganization(this.organization, (sql) =>
      moveTestClock(sql, this.#advance, now),
    );
    this.#now = now;
    (await this.#weir.living()).clocks.set(this.organization, now);
  }

  async #offer(key: keyof typeof offers): Promise<void> {
    const { currency, amount, timing } = offers[key];
    await this.ask(({ money }) =>
      money.catalog.createPlan(
        this.caller,
        {
          key,
          name: key,
          currency,
          graceHours: 0,
          prices: [
            { key: "fee", charge: "flat", timing, model: { kind: "flat", amount: Decimal.of(amount) } },
          ],
        },
        `offer ${key}`,
      ),
    );
  }

  async #add({ number, plan, method }: PlannedCustomer): Promise<void> {
    const key = `c${number}`;
    const { id } = await this.ask(({ money }) =>
      money.billing.customers.create(this.caller, { key, name: key, timeZone: "UTC" }, key),
    );
    this.customers.set(number, { id, ref: undefined });
    if (method !== undefined) {
      const token = this.provider.methodOf(method);
      await this.ask(({ money }) =>
        money.payments.methods.attach(
          this.caller,
          { customer: key, account: this.account, method: token },
          `attach ${key}`,
        ),
      );
      const [known] = await this.#weir.postgres.inOrganization(
        this.organization,
        (sql) => sql<{ ref: string }[]>`SELECT ref FROM provider_customers WHERE customer = ${id}`,
      );
      this.customers.set(number, { id, ref: known?.ref });
    }
    await this.ask(({ money }) =>
      money.billing.subscriptions.create(this.caller, { customer: key, plan }, `subscribe ${key}`),
    );
  }

  async #takeWebhook(headers: Readonly<Record<string, string>>, body: Buffer): Promise<number> {
    const living = await this.#weir.living();
    try {
      await living.life.during(
        living.money.payments.inbox.deliver(this.organization, this.account, headers, body),
      );
      return 200;
    } catch {
      return 0;
    }
  }
}

/** What payments tell receivers. */
export const outcomes = ["payment.*", "refund.*", "dispute.*", "payout.*", "invoice.paid"] as const;

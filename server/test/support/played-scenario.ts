import type { OrganizationId, SubscriptionId } from "../../src/kernel/ids.js";
import { day, formatInstant, hour, parseInstant, type Instant } from "../../src/kernel/instant.js";
import { moment_days, type Scenario, type ScenarioPlan } from "./arbitrary-scenario.js";
import { operationsOf, type Operations } from "./graphql-operations.js";
import type { TestWeir } from "./test-weir.js";

/** An event as it stands in the end. */
export interface StandingEvent {
  readonly id: string;
  readonly subject: string;
  readonly time: Instant;
  readonly data: Readonly<Record<string, string>>;
}

export interface PlayedScenario {
  readonly organization: OrganizationId;
  readonly operations: Operations;
  readonly subscriptions: readonly { readonly id: SubscriptionId; readonly subject: string }[];
  /** In the order of time; no two at once. */
  readonly events: readonly StandingEvent[];
  /** The numbers of the invoices that were taken back, and how many there were by then. */
  readonly voided: ReadonlyMap<string, number>;
}

const meters = ["SUM", "COUNT", "UNIQUE_COUNT", "MIN", "MAX", "AVG", "LATEST"];
const slugOf = (aggregation: string) => aggregation.toLowerCase();
/** Closing invoices are made 31 days after the end. */
const days_after_end = 33;
let organizations = 0;

/** Plays a scenario over the public API, in an organization of its own. */
export async function playScenario(weir: TestWeir, scenario: Scenario): Promise<PlayedScenario> {
  const { identity } = weir.weir.services;
  organizations += 1;
  const slug = `scenario-${organizations}`;
  const { id: organization } = await identity.createOrganization({ slug, name: slug, mode: "live" });
  const { secret: key } = await identity.issueSystemKey(organization, { name: slug, kind: "secret" });
  const operations = operationsOf((query) => weir.graphql(query, {}, key));
  const post = async (pathname: string, body: unknown) => {
    const headers = { "content-type": "application/json" };
    const response = await weir.fetch(pathname, { key, method: "POST", headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${pathname}: ${response.status} ${await response.text()}`);
  };
  return new Playing(weir, { scenario, organization, operations, post }).play();
}

interface Setting {
  readonly scenario: Scenario;
  readonly organization: OrganizationId;
  readonly operations: Operations;
  readonly post: (pathname: string, body: unknown) => Promise<void>;
}

class Playing {
  readonly #weir: TestWeir;
  readonly #on: Setting;
  readonly #begin: Instant;
  readonly #subscriptions: { id: SubscriptionId; subject: string }[] = [];
  readonly #events = new Map<string, StandingEvent>();
  readonly #voided = new Map<string, number>();

  constructor(weir: TestWeir, setting: Setting) {
    this.#weir = weir;
    this.#on = setting;
    this.#begin = parseInstant(setting.scenario.begin)!;
  }

  async play(): Promise<PlayedScenario> {
    const { scenario, organization, operations } = this.#on;
    await operations.mutate(`startTestClock(at: "${scenario.begin}")`, "{ now }");
    await this.#setUp();
    const last = Math.floor((scenario.endDay + 29) / moment_days);
    for (let moment = 1; moment <= last; moment += 1) await this.#playMoment(moment);
    await this.#advance((this.#begin + (scenario.endDay + days_after_end) * day) as Instant);
    return {
      organization,
      operations,
      subscriptions: this.#subscriptions,
      events: [...this.#events.values()].sort((one, other) => one.time - other.time),
      voided: this.#voided,
    };
  }

  async #setUp(): Promise<void> {
    const { scenario, operations, post } = this.#on;
    const { mutate } = operations;
    for (const aggregation of meters)
      await post("/v1/meters", {
        slug: slugOf(aggregation),
        eventType: "use",
        aggregation,
        ...(aggregation === "COUNT"
          ? {}
          : { valueProperty: aggregation === "UNIQUE_COUNT" ? "$.who" : "$.n" }),
        groupBy: { region: "$.region", size: "$.size" },
      });
    for (const [index, plan] of scenario.plans.entries()) await mutate(planMutation(plan, index), "{ id }");
    for (const [index, customer] of scenario.customers.entries()) {
      const subject = `c${index}`;
      const payer = scenario.onePays && index > 0 ? `, payer: "c0"` : "";
      await mutate(
        `createCustomer(key: "${subject}", name: "${subject}", timeZone: "${customer.zone}"${payer})`,
        "{ id }",
      );
      await mutate(
        `assignSubject(customer: "${subject}", subject: "${subject}", from: "${scenario.begin}")`,
        "{ id }",
      );
      const { percentOff, amountOff, anchorDay, startDay } = customer;
      const coupons: string[] = [];
      if (percentOff !== null) {
        coupons.push(`"percent-${index}"`);
        await mutate(
          `createCoupon(key: "percent-${index}", percentOff: "${percentOff}", duration: months, months: 2)`,
          "{ id }",
        );
      }
      if (amountOff !== null && Number(amountOff) > 0) {
        coupons.push(`"amount-${index}"`);
        await mutate(
          `createCoupon(key: "amount-${index}", amountOff: { USD: "${amountOff}" }, duration: forever)`,
          "{ id }",
        );
      }
      const anchor = anchorDay === null ? "" : `, anchorDay: ${anchorDay}`;
      const start = formatInstant((this.#begin + startDay * day) as Instant);
      const { id } = await mutate<{ id: SubscriptionId }>(
        `createSubscription(customer: "${subject}", plan: "p0", start: "${start}"${anchor}, coupons: [${coupons.join(", ")}])`,
        "{ id }",
      );
      this.#subscriptions.push({ id, subject });
    }
  }

  /** Moves on, then sends what came in since, late events too, corrects what was sent and changes subscriptions. */
  async #playMoment(moment: number): Promise<void> {
    const { scenario, operations, post } = this.#on;
    const now = this.#at(moment);
    await this.#advance(now);
    const arrived = scenario.events.flatMap((event, index) =>
      Math.floor(event.day / moment_days) + 1 + event.late === moment && event.day <= scenario.endDay
        ? [this.#eventOf(index)]
        : [],
    );
    if (arrived.length > 0) {
      const sent = arrived.map((event) => ({
        ...event,
        source: "test",
        type: "use",
        time: formatInstant(event.time),
      }));
      await post("/v1/events", sent);
      for (const event of arrived) this.#events.set(event.id, event);
      await this.#weir.settled();
    }
    for (const [index, { event, after, change }] of scenario.corrections.entries()) {
      const corrected = scenario.events[event];
      const standing = this.#events.get(`e${event}`);
      if (corrected === undefined || standing === undefined) continue;
      if (Math.floor(corrected.day / moment_days) + 1 + corrected.late + after !== moment) continue;
      // Later than events may come, corrections are not billed either.
      if (this.#at(moment) - standing.time > 34 * day) continue;
      const target = `source: "test", id: "${standing.id}", reason: "test"`;
      if (change.to === "void") {
        await operations.mutate(`voidEvent(${target})`, "{ revision }");
        this.#events.delete(standing.id);
      } else {
        const amended = this.#amended(standing, change, { index, now });
        const data = Object.entries(amended.data).map(([name, value]) => `${name}: "${value}"`);
        const time = formatInstant(amended.time);
        await operations.mutate(
          `amendEvent(${target}, subject: "${amended.subject}", time: "${time}", data: { ${data.join(", ")} })`,
          "{ revision }",
        );
        this.#events.set(standing.id, amended);
      }
      await this.#weir.settled();
    }
    await this.#changeSubscriptions(moment);
    for (const { moment: at, invoice } of scenario.voids) if (at === moment) await this.#voidInvoice(invoice);
  }

  async #changeSubscriptions(moment: number): Promise<void> {
    const { scenario, operations } = this.#on;
    for (const [index, { switches }] of scenario.customers.entries()) {
      const { id } = this.#subscriptions[index]!;
      for (const { plan } of switches.filter((one) => one.moment === moment).slice(0, 1)) {
        const at = formatInstant((this.#at(moment) + 26 * hour) as Instant);
        if (this.#at(moment) + 26 * hour > this.#begin + (scenario.endDay - 1) * day) continue;
        const known = plan < scenario.plans.length ? plan : 0;
        await operations.mutate(
          `changePlan(subscription: "${id}", plan: "p${known}", at: "${at}")`,
          "{ id }",
        );
      }
      const end = formatInstant((this.#begin + scenario.endDay * day) as Instant);
      if (Math.floor(scenario.endDay / moment_days) === moment)
        await operations.mutate(`cancelSubscription(subscription: "${id}", at: "${end}")`, "{ id }");
    }
  }

  /** Takes back one of the last finalized invoices, and bills its periods again. */
  async #voidInvoice(which: number): Promise<void> {
    const { ask, mutate } = this.#on.operations;
    const { invoices } = await ask<{
      invoices: {
        nodes: {
          number: string;
          status: string;
          kind: string;
          sections: { kind: string; period: { start: string }; subscription: { id: string } }[];
        }[];
      };
    }>(
      `{ invoices(first: 100) { nodes { number status kind sections { kind period { start } subscription { id } } } } }`,
    );
    const final = invoices.nodes.filter(({ status }) => status !== "draft");
    const chosen = final.filter(({ status, kind }) => status === "finalized" && kind === "period")[which];
    if (chosen === undefined) return;
    await mutate(`voidInvoice(id: "${chosen.number}", reason: "test")`, "{ id }");
    this.#voided.set(chosen.number, final.length);
    for (const { period, subscription } of chosen.sections) {
      const { invoice: again } = await mutate<{ invoice: { id: string; status: string } }>(
        `createInvoice(subscription: "${subscription.id}", at: "${period.start}")`,
        "{ invoice { id status } }",
      );
      if (again.status === "draft") await mutate(`finalizeInvoice(id: "${again.id}")`, "{ id }");
    }
  }

  #at(moment: number): Instant {
    return (this.#begin + moment * moment_days * day + (moment % 5) * 5 * hour) as Instant;
  }

  async #advance(to: Instant): Promise<void> {
    const wanted = formatInstant(to);
    const { now, state } = await this.#on.operations.advance(wanted);
    if (parseInstant(now) !== to) throw new Error(`the clock stands at ${now}, ${state}, not ${wanted}`);
  }

  /** The event's own microsecond tells it from all others. */
  #eventOf(index: number): StandingEvent {
    const { customer, day: on, second, data } = this.#on.scenario.events[index]!;
    return {
      id: `e${index}`,
      subject: `c${customer % this.#subscriptions.length}`,
      time: (this.#begin + on * day + second * 1_000_000 + index) as Instant,
      data,
    };
  }

  #amended(
    standing: StandingEvent,
    change: Exclude<Scenario["corrections"][number]["change"], { to: "void" }>,
    { index, now }: { index: number; now: Instant },
  ): StandingEvent {
    switch (change.to) {
      case "n":
        return { ...standing, data: { ...standing.data, n: change.n } };
      case "customer": {
        const next = (Number(standing.subject.slice(1)) + 1) % this.#subscriptions.length;
        return { ...standing, subject: `c${next}` };
      }
      case "day": {
        const earlier = Math.max(standing.time - 8 * day, now - 34 * day, this.#begin);
        return { ...standing, time: (earlier - (earlier % 1_000_000) + 1000 + index) as Instant };
      }
      default:
        return change satisfies never;
    }
  }
}

function planMutation({ interval, fee, prices, minimum, maximum }: ScenarioPlan, index: number): string {
  const limits = [
    ...(minimum === null ? [] : [`, minimum: "${minimum}"`]),
    ...(maximum === null ? [] : [`, maximum: "${maximum}"`]),
  ];
  const usage = prices.map(
    ({ meter, model, included, prorated }, number) =>
      `{ key: "u${number}", meter: "${slugOf(meter)}", prorated: ${prorated}, model: ${literal(model)}${included === null ? "" : `, included: "${included}"`} }`,
  );
  return `createPlan(key: "p${index}", name: "p${index}", currency: "USD", interval: ${interval}${limits.join("")}, prices: [
    { key: "fee", charge: flat, timing: ${fee.timing}, prorated: ${fee.prorated}, model: { flat: "${fee.amount}" } }, ${usage.join(", ")}])`;
}

/** JSON as a literal of GraphQL, which has no quotes around names. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, item]) => `${name}: ${literal(item)}`);
  return `{ ${fields.join(", ")} }`;
}

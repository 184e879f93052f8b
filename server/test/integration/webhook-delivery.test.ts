// Deliveries on a real database, to real receivers, on a clock of the test's own.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Webhook } from "standardwebhooks";
import { listAudit } from "../../src/audit/index.js";
import { createSecrets, MasterKey } from "../../src/engines/secrets/index.js";
import type { Postgres, Sql } from "../../src/engines/postgres/index.js";
import { openIdentity, type Caller } from "../../src/identity/index.js";
import { FixedClock, sameClock, systemClock, type Clock } from "../../src/kernel/clock.js";
import type { ApiKeyId } from "../../src/kernel/ids.js";
import { day, hour, minute, parseInstant, second, type Instant } from "../../src/kernel/instant.js";
import { StoreUnavailable } from "../../src/kernel/problem.js";
import { silentLog } from "../../src/kernel/log.js";
import {
  openWebhooks,
  type EndpointInput,
  type NewMessage,
  type Webhooks,
  type WebhooksOptions,
} from "../../src/webhooks/index.js";
import { selfSigned } from "../support/self-signed.js";
import { startWebhookReceiver, type Behaviour, type WebhookReceiver } from "../support/webhook-receiver.js";
import { openTestPostgres } from "./embedded-postgres.js";

const start = parseInstant("2026-03-01T12:00:00Z") as Instant;
const secrets = createSecrets([new MasterKey(Buffer.alloc(32, 5))]);
let opened: Awaited<ReturnType<typeof openTestPostgres>>;
let postgres: Postgres;
let caller: Caller;
let clock: FixedClock;
let running: Webhooks[];
let receivers: WebhookReceiver[];
let organizations = 0;

beforeAll(async () => {
  opened = await openTestPostgres();
  ({ postgres } = opened);
});
afterAll(() => opened?.remove());

beforeEach(async () => {
  organizations += 1;
  const identity = openIdentity({ postgres, clock: systemClock });
  const slug = `o${organizations}`;
  const { id } = await identity.createOrganization({ slug, name: slug, mode: "live" });
  caller = { organization: id, key: "key_test" as ApiKeyId, kind: "secret" };
  clock = new FixedClock(start);
  running = [];
  receivers = [];
});
afterEach(async () => {
  await Promise.all(running.map((webhooks) => webhooks.stop()));
  await Promise.all(receivers.map((receiver) => receiver.close()));
  // Nothing of one test is due in the next.
  await postgres.inOrganization(
    caller.organization,
    (sql) => sql`UPDATE webhook_endpoints SET state = 'deleted', disabled_at = NULL, disabled_reason = NULL`,
  );
});

function open(
  sending: Partial<WebhooksOptions["sending"]> = {},
  {
    executor = "one",
    clock: by = clock,
    random = () => 0.5,
    over = postgres,
  }: { executor?: string; clock?: Clock; random?: () => number; over?: Postgres } = {},
): Webhooks {
  const webhooks = openWebhooks({
    postgres: over,
    secrets,
    clock: by,
    clocks: sameClock(by),
    log: silentLog,
    executor,
    sending: { allowPrivate: true, ...sending },
    random,
  });
  running.push(webhooks);
  webhooks.start();
  return webhooks;
}

async function receive(behaviour?: Behaviour, options?: Parameters<typeof startWebhookReceiver>[1]) {
  const receiver = await startWebhookReceiver(behaviour, options);
  receivers.push(receiver);
  return receiver;
}

const endpointAt = (webhooks: Webhooks, url: string, more: EndpointInput = {}) =>
  webhooks.endpoints.create(caller, { url, eventTypes: ["*"], ...more });
const message = (key: string, data: NewMessage["data"] = { key }): NewMessage => ({
  type: "invoice.finalized",
  key,
  data,
});
const publish = (webhooks: Webhooks, ...messages: NewMessage[]) =>
  postgres.inOrganization(caller.organization, (sql) =>
    webhooks.publishAll(sql, caller.organization, messages),
  );
const deliveries = (
  webhooks: Webhooks,
  filter: { endpoint?: string; state?: "pending" | "succeeded" | "failed" } = {},
) => webhooks.deliveries.list(caller.organization, { limit: 1000, ...filter });
const only = async (webhooks: Webhooks) => {
  const [delivery] = await deliveries(webhooks);
  return delivery!;
};
const attemptsOf = async (webhooks: Webhooks) =>
  webhooks.deliveries.attempts(caller.organization, (await only(webhooks)).id);
const eventually = <T>(check: () => T | Promise<T>, timeout = 60_000) =>
  vi.waitFor(check, { timeout, interval: 20 });
const standing = async (webhooks: Webhooks, id: string) =>
  (await webhooks.endpoints.find(caller.organization, id))!;

describe("a message", () => {
  test("arrives once with its id, the same bytes, and a signature that Standard Webhooks' own library accepts", async () => {
    const receiver = await receive();
    const webhooks = open({}, { clock: systemClock });
    const { secret, endpoint } = await endpointAt(webhooks, receiver.url);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    await publish(webhooks, {
      ...message("inv_1", { amount: "12.50", name: 'é "quoted" \\ \u0000' }),
      at: start,
    });
    await eventually(() => expect(receiver.received).toHaveLength(1));
    const [got] = receiver.received;
    const parsed = new Webhook(secret).verify(got!.body, got!.headers);
    expect(parsed).toEqual({
      type: "invoice.finalized",
      timestamp: "2026-03-01T12:00:00Z",
      data: { amount: "12.50", name: 'é "quoted" \\ \u0000' },
    });
    expect(got).toMatchObject({ method: "POST", path: "/hooks" });
    expect(got!.headers["content-type"]).toBe("application/json");
    expect(Math.abs(Number(got!.headers["webhook-timestamp"]) - Date.now() / 1000)).toBeLessThan(5);
    await eventually(async () => expect((await only(webhooks)).state).toBe("succeeded"));
    const delivery = await only(webhooks);
    expect(got!.headers["webhook-id"]).toBe(delivery.message);
    expect(delivery).toMatchObject({
      endpoint: endpoint.id,
      attempts: 1,
      lastStatus: 204,
      lastError: undefined,
    });
    expect(await attemptsOf(webhooks)).toMatchObject([{ number: 1, status: 204, error: undefined }]);
  });

  test("is told only if its transaction commits, and once by its type and key", async () => {
    const receiver = await receive();
    const webhooks = open();
    await endpointAt(webhooks, receiver.url);
    await expect(
      postgres.inOrganization(caller.organization, async (sql) => {
        await webhooks.publish(sql, caller.organization, message("lost"));
        throw new Error("undone");
      }),
    ).rejects.toThrow("undone");
    await publish(webhooks, message("inv_1"));
    await publish(webhooks, message("inv_1", { other: true }), message("inv_2"));
    await publish(webhooks, { ...message("inv_1"), type: "invoice.voided" });
    await eventually(() => expect(receiver.received).toHaveLength(3));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(receiver.received.map(({ body }) => (JSON.parse(body) as { data: unknown }).data)).toEqual(
      expect.arrayContaining([{ key: "inv_1" }, { key: "inv_2" }, { key: "inv_1" }]),
    );
    expect(receiver.received).toHaveLength(3);
  });

  test("of two at once with one key one is told", async () => {
    const receiver = await receive();
    const webhooks = open();
    await endpointAt(webhooks, receiver.url);
    await Promise.all(Array.from({ length: 10 }, () => publish(webhooks, message("same"))));
    await eventually(async () => expect(await deliveries(webhooks, { state: "succeeded" })).toHaveLength(1));
    expect(receiver.received).toHaveLength(1);
  });

  test("goes to those who chose it, and to nobody who did not or is disabled", async () => {
    const [all, wild, exact, other, off] = await Promise.all([1, 2, 3, 4, 5].map(() => receive()));
    const webhooks = open();
    await endpointAt(webhooks, all!.url);
    await endpointAt(webhooks, wild!.url, { eventTypes: ["invoice.*"] });
    await endpointAt(webhooks, exact!.url, { eventTypes: ["invoice.finalized", "credit_note.issued"] });
    await endpointAt(webhooks, other!.url, { eventTypes: ["invoice.voided", "credit_note.*"] });
    const { endpoint } = await endpointAt(webhooks, off!.url);
    await webhooks.endpoints.disable(caller, endpoint.id);
    await publish(webhooks, message("inv_1"));
    await eventually(() =>
      expect([all, wild, exact].map((each) => each!.received.length)).toEqual([1, 1, 1]),
    );
    expect([other, off].map((each) => each!.received.length)).toEqual([0, 0]);
    expect(await deliveries(webhooks)).toHaveLength(3);
    const ids = new Set([all, wild, exact].map((each) => each!.received[0]!.headers["webhook-id"]));
    expect(ids.size).toBe(1);
  });

  test("costs one statement when nobody listens, however many there are, and two when somebody does", async () => {
    const webhooks = open();
    const many = Array.from({ length: 2_000 }, (_, n) => message(`inv_${n}`));
    const statements = async () => {
      let count = 0;
      await postgres.inOrganization(caller.organization, (sql) => {
        const counting = new Proxy(sql, {
          apply(target, self, args: [TemplateStringsArray]) {
            if (Array.isArray(args[0]) && "raw" in args[0]) count += 1;
            return Reflect.apply(target, self, args) as unknown;
          },
        }) as Sql;
        return webhooks.publishAll(counting, caller.organization, many);
      });
      return count;
    };
    expect(await statements()).toBe(1);
    const { endpoint } = await endpointAt(webhooks, "http://127.0.0.1:1/", {
      eventTypes: ["credit_note.issued"],
    });
    expect(await statements()).toBe(1);
    await webhooks.endpoints.disable(caller, endpoint.id);
    const { endpoint: listening } = await endpointAt(webhooks, "http://127.0.0.1:1/");
    expect(await statements()).toBe(2);
    await webhooks.endpoints.disable(caller, listening.id);
    expect(await deliveries(webhooks)).toHaveLength(1000); // a page
  });

  test("of more than 256 KiB is a mistake of the program's", async () => {
    const webhooks = open();
    await endpointAt(webhooks, "http://127.0.0.1:1/");
    await expect(publish(webhooks, message("large", "x".repeat(300_000)))).rejects.toThrow(RangeError);
  });
});

describe("retries", () => {
  test("follow the schedule with the same id and bytes, and end after ten attempts over three days", async () => {
    const receiver = await receive(() => ({ status: 500, body: "no" }));
    const webhooks = open();
    const { endpoint } = await endpointAt(webhooks, receiver.url);
    await publish(webhooks, message("inv_1"));
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      await eventually(async () => expect((await only(webhooks)).attempts).toBe(attempt));
      const { nextAttemptAt } = await only(webhooks);
      if (nextAttemptAt === undefined) break;
      waits.push(nextAttemptAt - clock.now());
      // Not a moment before.
      clock.set((nextAttemptAt - 1) as Instant);
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(receiver.received).toHaveLength(attempt);
      clock.set(nextAttemptAt);
    }
    expect(waits).toEqual([
      5 * second,
      5 * minute,
      30 * minute,
      ...[2, 5, 10, 14, 20, 24].map((hours) => hours * hour),
    ]);
    expect(await only(webhooks)).toMatchObject({
      state: "failed",
      attempts: 10,
      lastStatus: 500,
      lastError: "answered 500",
    });
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-timestamp"])).size).toBe(10);
    expect((await attemptsOf(webhooks)).map(({ number, response }) => [number, response])).toEqual(
      Array.from({ length: 10 }, (_, n) => [n + 1, "no"]),
    );
    expect((await standing(webhooks, endpoint.id)).state).toBe("enabled");
  }, 40_000);

  test("wait for as long as Retry-After says", async () => {
    const receiver = await receive(() => ({ status: 429, headers: { "retry-after": "3600" } }));
    const webhooks = open();
    await endpointAt(webhooks, receiver.url);
    await publish(webhooks, message("inv_1"));
    await eventually(async () => expect((await only(webhooks)).nextAttemptAt).toBe(start + hour));
  });

  test.each<[string, Behaviour, RegExp]>([
    [
      "a redirect",
      () => ({ status: 307, headers: { location: "http://127.0.0.1:1/" } }),
      /answered 307: redirects are not followed/,
    ],
    ["a closed connection", () => "reset", /connection was closed/],
    ["no answer", () => "hang", /no answer within 0\.3 s/],
    [
      "headers without end",
      () => ({ status: 200, headers: { x: "y".repeat(40_000) } }),
      /headers are too long/,
    ],
    [
      "a switch of protocols",
      () => ({ status: 101, headers: { connection: "upgrade", upgrade: "h2c" } }),
      /answered 101/,
    ],
  ])("%s is a failure", async (_name, behaviour, error) => {
    const receiver = await receive(behaviour);
    const webhooks = open({ timeout_ms: 300 });
    await endpointAt(webhooks, receiver.url);
    await publish(webhooks, message("inv_1"));
    await eventually(async () => expect((await only(webhooks)).attempts).toBe(1));
    expect(await only(webhooks)).toMatchObject({ state: "pending", nextAttemptAt: start + 5 * second });
    expect((await only(webhooks)).lastError).toMatch(error);
  });

  test("a refused connection is a failure, and says so", async () => {
    const receiver = await startWebhookReceiver();
    await receiver.close();
    const webhooks = open();
    await endpointAt(webhooks, receiver.url);
    await publish(webhooks, message("inv_1"));
    await eventually(async () => expect((await only(webhooks)).lastError).toBe("the connection was refused"));
  });

  test("of an answer 4 KiB are read and kept, as text", async () => {
    let sent = 0;
    const receiver = await receive(() => ({
      status: 500,
      body: Buffer.concat([Buffer.of(0, 0xff), Buffer.alloc(50_000_000, "é")]),
    }));
    const webhooks = open();
    await endpointAt(webhooks, receiver.url);
    await publish(webhooks, message("inv_1"));
    await eventually(async () => expect(await attemptsOf(webhooks)).toHaveLength(1));
    const [attempt] = await attemptsOf(webhooks);
    sent = Buffer.byteLength(attempt!.response!);
    expect(attempt!.response!.startsWith("\uFFFD\uFFFDéé")).toBe(true);
    expect(attempt!.response!.length).toBeLessThanOrEqual(4096);
    expect(sent).toBeLessThan(5000);
    expect(attempt!.duration_ms).toBeLessThan(10_000);
  });

  test.each<[string, Behaviour]>([
    ["never ends", () => ({ status: 200, body: "begun", isEndless: true })],
    ["breaks off", () => ({ status: 200, headers: { "content-length": "1000" }, body: "begun" })],
  ])("a success whose body %s has arrived", async (_name, behaviour) => {
    const receiver = await receive(behaviour);
    const webhooks = open({ timeout_ms: 400 });
    await endpointAt(webhooks, receiver.url);
    await publish(webhooks, message("inv_1"));
    await eventually(async () => expect((await only(webhooks)).state).toBe("succeeded"));
    expect(await attemptsOf(webhooks)).toMatchObject([{ status: 200, response: "begun" }]);
  });
});

describe("the breaker", () => {
  test("opens after five failures in a row: deliveries wait, none is lost, one probes, and a success lets all through", async () => {
    let broken = true;
    const receiver = await receive(() => ({ status: broken ? 503 : 200 }));
    const webhooks = open();
    const { endpoint } = await endpointAt(webhooks, receiver.url, { concurrencyMax: 1 });
    await publish(webhooks, ...Array.from({ length: 20 }, (_, n) => message(`inv_${n}`)));
    await eventually(async () =>
      expect((await standing(webhooks, endpoint.id)).health).toEqual({
        breaker: { failures: 5, openings: 1, until: start + minute },
        failingSince: start,
      }),
    );
    clock.advance(minute - 1);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(receiver.received).toHaveLength(5);
    clock.advance(1);
    await eventually(() => expect(receiver.received).toHaveLength(6)); // the probe
    await eventually(async () =>
      expect((await standing(webhooks, endpoint.id)).health.breaker).toMatchObject({
        openings: 2,
        failures: 6,
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(receiver.received).toHaveLength(6);
    expect((await deliveries(webhooks)).filter(({ attempts }) => attempts === 0)).toHaveLength(14);
    broken = false;
    clock.advance(2 * minute);
    await eventually(async () => expect(await deliveries(webhooks, { state: "succeeded" })).toHaveLength(20));
    expect((await standing(webhooks, endpoint.id)).health).toEqual({
      breaker: { failures: 0, openings: 0, until: undefined },
      failingSince: undefined,
    });
  }, 20_000);

  test("lets through what a person asks for, which closes it when it arrives", async () => {
    let broken = true;
    const receiver = await receive(() => ({ status: broken ? 500 : 200 }));
    const webhooks = open();
    const { endpoint } = await endpointAt(webhooks, receiver.url, { concurrencyMax: 1 });
    await publish(webhooks, ...Array.from({ length: 7 }, (_, n) => message(`inv_${n}`)));
    await eventually(() => expect(receiver.received).toHaveLength(5));
    await eventually(async () =>
      expect((await standing(webhooks, endpoint.id)).health.breaker.until).toBeDefined(),
    );
    broken = false;
    const test = await webhooks.deliveries.test(caller, endpoint.id);
    // The two that were never tried, the test; the five others wait for their times.
    await eventually(async () => expect(await deliveries(webhooks, { state: "succeeded" })).toHaveLength(3));
    expect(JSON.parse(receiver.received[5]!.body)).toMatchObject({
      type: "webhook.test",
      data: { endpoint: endpoint.id },
    });
    expect(receiver.received[5]!.headers["webhook-id"]).toBe(test.message);
  });

  test("an endpoint that only failed for five days is disabled, with an entry in the audit log; what is pending waits until it is enabled", async () => {
    let broken = true;
    const receiver = await receive(() => ({ status: broken ? 500 : 200 }));
    const webhooks = open();
    const { endpoint } = await endpointAt(webhooks, receiver.url);
    await publish(webhooks, message("inv_1"));
    await eventually(async () => expect((await only(webhooks)).attempts).toBe(1));
    clock.advance(5 * day);
    await publish(webhooks, message("inv_2"));
    await eventually(async () =>
      expect(await standing(webhooks, endpoint.id)).toMatchObject({
        state: "disabled",
        disabledReason: "failing",
        disabledAt: start + 5 * day,
      }),
    );
    const { entries } = await listAudit(postgres, caller.organization, {
      target: endpoint.id,
      action: "webhook_endpoint.disable",
    });
    expect(entries).toMatchObject([{ actor: "system", after: { state: "disabled", reason: "failing" } }]);
    await publish(webhooks, message("inv_3"));
    clock.advance(day);
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect((await deliveries(webhooks)).map(({ state }) => state)).toEqual(["pending", "pending"]);
    broken = false;
    await webhooks.endpoints.enable(caller, endpoint.id);
    await eventually(async () => expect(await deliveries(webhooks, { state: "succeeded" })).toHaveLength(2));
    expect((await standing(webhooks, endpoint.id)).health.failingSince).toBeUndefined();
  }, 20_000);

  test("410 Gone disables it at once", async () => {
    const receiver = await receive(() => ({ status: 410 }));
    const webhooks = open();
    const { endpoint } = await endpointAt(webhooks, receiver.url);
    await publish(webhooks, message("inv_1"));
    await eventually(async () =>
      expect(await standing(webhooks, endpoint.id)).toMatchObject({
        state: "disabled",
        disabledReason: "gone",
      }),
    );
    expect(await only(webhooks)).toMatchObject({ state: "failed", lastStatus: 410 });
  });
});

describe("limits of an endpoint", () => {
  test("a slow one does not hold up the others, and has no more than its places", async () => {
    const slow = await receive(() => "hang");
    const quick = await receive();
    const webhooks = open({ timeout_ms: 20_000 });
    await endpointAt(webhooks, slow.url, { concurrencyMax: 3 });
    await endpointAt(webhooks, quick.url);
    const began = performance.now();
    for (let batch = 0; batch < 10; batch += 1)
      await publish(webhooks, ...Array.from({ length: 6 }, (_, n) => message(`inv_${batch}_${n}`)));
    await eventually(() => expect(quick.received).toHaveLength(60));
    // Had they waited for the slow one, it would be its time-out at least.
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(slow.received).toHaveLength(3);
  });

  test("attempts at once, and begun per second", async () => {
    const receiver = await receive(() => ({ status: 200, delay_ms: 30 }));
    const webhooks = open({}, { clock: systemClock });
    await endpointAt(webhooks, receiver.url, { concurrencyMax: 2, ratePerSecondMax: 10 });
    await publish(webhooks, ...Array.from({ length: 25 }, (_, n) => message(`inv_${n}`)));
    await eventually(() => expect(receiver.received).toHaveLength(25));
    expect(receiver.atOnceMax).toBe(2);
    // Ten at once from a full bucket, the other fifteen at ten a second.
    const [first, last] = [receiver.received[0]!.at_ms, receiver.received[24]!.at_ms];
    expect(last - first).toBeGreaterThan(1_300);
    expect(last - first).toBeLessThan(12_000);
  });

  test("of two processes one serves an endpoint; when it is gone the other goes on", async () => {
    const receiver = await receive();
    const one = open({}, { executor: "one" });
    const two = open({}, { executor: "two" });
    const { endpoint } = await endpointAt(one, receiver.url);
    for (let n = 0; n < 20; n += 1) {
      await publish(n % 2 === 0 ? one : two, message(`inv_${n}`));
    }
    await eventually(async () => expect(await deliveries(one, { state: "succeeded" })).toHaveLength(20));
    expect(receiver.received).toHaveLength(20);
    // One that was killed has let go of nothing.
    await postgres.inOrganization(
      caller.organization,
      (sql) =>
        sql`UPDATE webhook_endpoint_health SET served_by = 'killed', served_until = ${new Date((start + minute) / 1000)} WHERE endpoint = ${endpoint.id}`,
    );
    await publish(one, message("late"));
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(receiver.received).toHaveLength(20);
    clock.advance(minute);
    await eventually(() => expect(receiver.received).toHaveLength(21));
  });

  test("a process that stops cuts off what hangs, and the next one delivers it with the same id", async () => {
    const receiver = await receive((_received, count) => (count === 1 ? "hang" : { status: 200 }));
    const first = open();
    await endpointAt(first, receiver.url);
    await publish(first, message("inv_1"));
    await eventually(() => expect(receiver.received).toHaveLength(1));
    await first.stop();
    expect(await only(first)).toMatchObject({ state: "pending", attempts: 0 });
    const second = open({}, { executor: "two" });
    await eventually(async () => expect((await only(second)).state).toBe("succeeded"));
    expect(receiver.received[1]!.headers["webhook-id"]).toBe(receiver.received[0]!.headers["webhook-id"]);
  });
});

test("while PostgreSQL is away what has arrived is not sent again, but recorded later", async () => {
  const receiver = await receive();
  let isAway = false;
  let refused = 0;
  const away: Postgres = {
    ...postgres,
    inOrganization(organization, work) {
      if (!isAway) return postgres.inOrganization(organization, work);
      refused += 1;
      return Promise.reject(new StoreUnavailable("PostgreSQL is away"));
    },
  };
  const webhooks = open({}, { over: away });
  await endpointAt(webhooks, receiver.url);
  receiver.behave(() => {
    isAway = true;
    return { status: 200 };
  });
  await publish(webhooks, message("inv_1"));
  await eventually(() => expect(refused).toBeGreaterThan(1));
  isAway = false;
  await eventually(async () =>
    expect(await only(webhooks)).toMatchObject({ state: "succeeded", attempts: 1 }),
  );
  expect(receiver.received).toHaveLength(1);
});

describe("by hand", () => {
  test("one is delivered again whatever became of it, in a schedule of its own", async () => {
    let status = 200;
    const receiver = await receive(() => ({ status }));
    const webhooks = open();
    const { endpoint } = await endpointAt(webhooks, receiver.url);
    await publish(webhooks, message("inv_1"));
    await eventually(async () => expect((await only(webhooks)).state).toBe("succeeded"));
    status = 500;
    const { id } = await only(webhooks);
    await webhooks.deliveries.redeliver(caller, id);
    await eventually(async () =>
      expect(await only(webhooks)).toMatchObject({
        state: "pending",
        attempts: 2,
        nextAttemptAt: start + 5 * second,
      }),
    );
    status = 200;
    await webhooks.deliveries.redeliver(caller, id);
    await eventually(async () =>
      expect(await only(webhooks)).toMatchObject({ state: "succeeded", attempts: 3 }),
    );
    expect(
      new Set(receiver.received.map(({ headers, body }) => `${headers["webhook-id"]} ${body}`)).size,
    ).toBe(1);
    await webhooks.endpoints.disable(caller, endpoint.id);
    await expect(webhooks.deliveries.redeliver(caller, id)).rejects.toThrow(
      /is disabled \(by_hand\)\. Enable it first/,
    );
    await expect(webhooks.deliveries.test(caller, endpoint.id)).rejects.toThrow(/disabled/);
    await expect(webhooks.deliveries.redeliver(caller, "whd_nope")).rejects.toThrow(
      /no webhook delivery "whd_nope"/,
    );
  });

  test("all that failed since an instant begin anew; the same request again changes nothing", async () => {
    let status = 410;
    const receiver = await receive(() => ({ status }));
    const webhooks = open();
    const { endpoint } = await endpointAt(webhooks, receiver.url, { concurrencyMax: 1 });
    for (const [n, after] of [0, hour, hour].entries()) {
      clock.advance(after);
      await publish(webhooks, message(`inv_${n}`));
      await eventually(async () =>
        expect(await deliveries(webhooks, { state: "failed" })).toHaveLength(n + 1),
      );
      await eventually(async () => expect((await standing(webhooks, endpoint.id)).state).toBe("disabled"));
      await webhooks.endpoints.enable(caller, endpoint.id);
    }
    status = 200;
    const since = (start + hour) as Instant;
    const again = () => webhooks.deliveries.redeliverFailed(caller, { endpoint: endpoint.id, since }, "once");
    expect(await again()).toBe(2);
    await eventually(async () => expect(await deliveries(webhooks, { state: "succeeded" })).toHaveLength(2));
    expect(await again()).toBe(2);
    expect(await deliveries(webhooks, { state: "failed" })).toHaveLength(1);
    expect(receiver.received).toHaveLength(5);
  });

  test("a secret is exchanged: both sign for a day, then the new one alone; with no overlap the old one ends at once", async () => {
    const receiver = await receive();
    const webhooks = open({}, { clock });
    const { endpoint, secret: old } = await endpointAt(webhooks, receiver.url);
    const signatures = async (key: string) => {
      await publish(webhooks, message(key));
      const count = receiver.received.length;
      await eventually(() => expect(receiver.received.length).toBeGreaterThan(count));
      return receiver.received.at(-1)!;
    };
    const valid = (secret: string, got: Awaited<ReturnType<typeof signatures>>) => {
      // The library compares with real time.
      vi.useFakeTimers({ now: clock.now() / 1000, toFake: ["Date"] });
      try {
        new Webhook(secret).verify(got.body, got.headers);
        return true;
      } catch {
        return false;
      } finally {
        vi.useRealTimers();
      }
    };
    const { secret: fresh, endpoint: rotated } = await webhooks.endpoints.rotate(caller, {
      endpoint: endpoint.id,
    });
    expect(fresh).not.toBe(old);
    expect(rotated.oldSecretsUntil).toBe(start + day);
    const both = await signatures("inv_1");
    expect(both.headers["webhook-signature"]!.split(" ")).toHaveLength(2);
    expect([valid(old, both), valid(fresh, both)]).toEqual([true, true]);
    clock.advance(day);
    const after = await signatures("inv_2");
    expect([valid(old, after), valid(fresh, after)]).toEqual([false, true]);
    const { secret: last } = await webhooks.endpoints.rotate(caller, {
      endpoint: endpoint.id,
      overlapHours: 0,
    });
    const alone = await signatures("inv_3");
    expect([valid(fresh, alone), valid(last, alone)]).toEqual([false, true]);
    expect((await webhooks.endpoints.reveal(caller, endpoint.id)).secret).toBe(last);
    for (let n = 0; n < 4; n += 1) await webhooks.endpoints.rotate(caller, { endpoint: endpoint.id });
    await expect(webhooks.endpoints.rotate(caller, { endpoint: endpoint.id })).rejects.toThrow(
      /has 5 secrets that sign/,
    );
    await expect(
      webhooks.endpoints.rotate(caller, { endpoint: endpoint.id, overlapHours: 1000 }),
    ).rejects.toThrow(/0 to 168/);
  });

  test("secrets rest sealed, for their place alone, and are sealed anew when another master key comes first", async () => {
    const receiver = await receive();
    const webhooks = open({}, { clock: systemClock });
    const { endpoint, secret } = await endpointAt(webhooks, receiver.url);
    const stored = async () => {
      const [row] = await postgres.inOrganization(
        caller.organization,
        (sql) =>
          sql<
            { sealed: Buffer }[]
          >`SELECT sealed FROM webhook_endpoint_secrets WHERE endpoint = ${endpoint.id}`,
      );
      return row!.sealed;
    };
    const plain = Buffer.from(secret.slice(6), "base64");
    const before = await stored();
    expect(before.includes(plain)).toBe(false);
    expect(
      Buffer.from(secrets.open(before, `webhook_endpoints:${caller.organization}:${endpoint.id}`)).equals(
        plain,
      ),
    ).toBe(true);
    await webhooks.stop();
    const rotated = createSecrets([new MasterKey(Buffer.alloc(32, 6)), new MasterKey(Buffer.alloc(32, 5))]);
    const later = openWebhooks({
      postgres,
      secrets: rotated,
      clock: systemClock,
      clocks: sameClock(systemClock),
      log: silentLog,
      executor: "one",
      sending: { allowPrivate: true },
    });
    running.push(later);
    later.start();
    await publish(later, message("inv_1"));
    await eventually(() => expect(receiver.received).toHaveLength(1));
    expect(
      new Webhook(secret).verify(receiver.received[0]!.body, receiver.received[0]!.headers),
    ).toBeTruthy();
    expect(rotated.isCurrent(await stored())).toBe(true);
  });
});

describe("where a name leads to", () => {
  const tls = selfSigned(["hooks.example"]);

  test("over TLS to the address that was looked up, by the name: SNI, Host, certificate", async () => {
    const receiver = await receive(undefined, { tls });
    const asked: string[] = [];
    const resolve = (host: string) => {
      asked.push(host);
      return Promise.resolve(["127.0.0.1"]);
    };
    const webhooks = open({ resolve, certificateAuthority: tls.cert });
    await endpointAt(webhooks, `https://hooks.example:${receiver.port}/hooks?a=1`);
    await publish(webhooks, message("inv_1"));
    await eventually(() => expect(receiver.received).toHaveLength(1));
    expect(receiver.received[0]).toMatchObject({ servername: "hooks.example", path: "/hooks?a=1" });
    expect(receiver.received[0]!.headers["host"]).toBe(`hooks.example:${receiver.port}`);
    expect(asked).toEqual(["hooks.example", "hooks.example"]); // when it was made, and at the attempt
  });

  test.each([
    ["a certificate that nobody has signed", "hooks.example", {}, /self-signed/i],
    ["another name's certificate", "other.example", { certificateAuthority: tls.cert }, /altnames|hostname/i],
  ])("%s is refused", async (_name, host, options, error) => {
    const receiver = await receive(undefined, { tls });
    const webhooks = open({ resolve: () => Promise.resolve(["127.0.0.1"]), ...options });
    await endpointAt(webhooks, `https://${host}:${receiver.port}/`);
    await publish(webhooks, message("inv_1"));
    await eventually(async () => expect((await only(webhooks)).lastError).toMatch(error));
    expect(receiver.received).toHaveLength(0);
  });

  test("a name is looked up once for an attempt, and the connection goes there, whatever it leads to a moment later", async () => {
    const checked = await receive();
    const rebound = await receive(undefined, { host: "127.0.0.2", port: checked.port });
    let lookups = 0;
    // Each look-up after the first of an attempt would lead elsewhere.
    const resolve = () => Promise.resolve([(lookups += 1) <= 2 ? "127.0.0.1" : "127.0.0.2"]);
    const webhooks = open({ resolve });
    await endpointAt(webhooks, `http://hooks.example:${checked.port}/`);
    await publish(webhooks, message("inv_1"));
    await eventually(async () => expect((await only(webhooks)).state).toBe("succeeded"));
    expect([checked.received.length, rebound.received.length, lookups]).toEqual([1, 0, 2]);
  });

  test("a name that led to a public address and now to a private one is refused at the attempt", async () => {
    const receiver = await receive(undefined, { tls });
    let address = "8.8.8.8";
    const webhooks = open({
      allowPrivate: false,
      resolve: () => Promise.resolve([address]),
      certificateAuthority: tls.cert,
    });
    await endpointAt(webhooks, `https://hooks.example:${receiver.port}/`);
    address = "127.0.0.1";
    await publish(webhooks, message("inv_1"));
    await eventually(async () =>
      expect((await only(webhooks)).lastError).toMatch(/hooks\.example leads to an address that is loopback/),
    );
    expect(receiver.received).toHaveLength(0);
    expect(await only(webhooks)).toMatchObject({ state: "pending", lastStatus: undefined });
  });

  test("one private address among public ones is refused", async () => {
    const webhooks = open({
      allowPrivate: false,
      resolve: () => Promise.resolve(["8.8.8.8", "::ffff:169.254.169.254"]),
    });
    await expect(endpointAt(webhooks, "https://hooks.example/")).rejects.toThrow(
      /hooks\.example leads to an address that is IPv4 mapped/,
    );
  });

  test("a name that is not there yet may be an endpoint's; its attempts fail", async () => {
    const webhooks = open({
      allowPrivate: false,
      resolve: () => Promise.reject(Object.assign(new Error("queryA ENOTFOUND"), { code: "ENOTFOUND" })),
    });
    await endpointAt(webhooks, "https://hooks.example/");
    await publish(webhooks, message("inv_1"));
    await eventually(async () => expect((await only(webhooks)).lastError).toBe("its name is not in DNS"));
  });

  test("a name server that never answers holds up nobody for longer than the attempt", async () => {
    const webhooks = open({
      allowPrivate: true,
      timeout_ms: 300,
      resolve: () => new Promise(() => undefined),
    });
    const made = await webhooks.endpoints.create(caller, {
      url: "https://hooks.example/",
      eventTypes: ["*"],
    });
    await publish(webhooks, message("inv_1"));
    await eventually(async () => expect((await only(webhooks)).lastError).toBe("no answer within 0.3 s"));
    expect(made.endpoint.state).toBe("enabled");
  }, 15_000);
});

describe("what is wrong with an endpoint", () => {
  test("every fault is told by its field", async () => {
    const webhooks = open({ allowPrivate: false });
    const refusal = await webhooks.endpoints
      .create(caller, {
        url: "http://10.0.0.1/",
        eventTypes: ["invoice.nope", "*"],
        concurrencyMax: 21,
        ratePerSecondMax: 0,
        description: "d".repeat(513),
      })
      .catch((error: unknown) => error);
    const { errors } = (refusal as { problem: { errors: { field: string; message: string }[] } }).problem;
    expect(errors.map(({ field }) => field).sort()).toEqual([
      "concurrencyMax",
      "description",
      "eventTypes",
      "ratePerSecondMax",
      "url",
    ]);
    expect(JSON.stringify(errors)).toMatch(
      /\\"invoice\.nope\\" is no event type; there are invoice\.finalized/,
    );
  });

  test("a hundred endpoints are enough, also for many who add at once; a deleted one makes room", async () => {
    const webhooks = open();
    const made = await Promise.allSettled(
      Array.from({ length: 104 }, () => endpointAt(webhooks, "http://127.0.0.1:1/")),
    );
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(100);
    const [endpoint] = await webhooks.endpoints.list(caller.organization, { limit: 1 });
    await webhooks.endpoints.delete(caller, endpoint!.id);
    expect(await webhooks.endpoints.find(caller.organization, endpoint!.id)).toBeUndefined();
    await endpointAt(webhooks, "http://127.0.0.1:1/");
  });

  test("what is changed is changed, the rest stays; another URL begins with a closed breaker", async () => {
    const receiver = await receive(() => ({ status: 500 }));
    const webhooks = open();
    const { endpoint } = await endpointAt(webhooks, receiver.url, {
      description: "first",
      concurrencyMax: 1,
    });
    await publish(webhooks, ...Array.from({ length: 6 }, (_, n) => message(`inv_${n}`)));
    await eventually(async () =>
      expect((await standing(webhooks, endpoint.id)).health.breaker.until).toBeDefined(),
    );
    const renamed = await webhooks.endpoints.update(caller, {
      endpoint: endpoint.id,
      description: "",
      eventTypes: ["invoice.*"],
    });
    expect(renamed).toMatchObject({
      url: receiver.url,
      description: undefined,
      eventTypes: ["invoice.*"],
      concurrencyMax: 1,
    });
    expect(renamed.health.breaker.until).toBeDefined();
    const moved = await webhooks.endpoints.update(caller, {
      endpoint: endpoint.id,
      url: "http://127.0.0.1:1/",
    });
    expect(moved).toMatchObject({ eventTypes: ["invoice.*"], concurrencyMax: 1 });
    const { entries } = await listAudit(postgres, caller.organization, {
      target: endpoint.id,
      action: "webhook_endpoint.update",
    });
    const changes = entries.map((entry) => [entry.before, entry.after]);
    expect(changes).toContainEqual([
      expect.objectContaining({ url: receiver.url }),
      expect.objectContaining({ url: "http://127.0.0.1:1/" }),
    ]);
    await expect(
      webhooks.endpoints.update(caller, { endpoint: "whe_nope", url: "http://a/" }),
    ).rejects.toThrow(/no webhook endpoint "whe_nope"/);
  });
});

test("messages go after thirty days with all that became of them, and a deleted endpoint's row with the last of them", async () => {
  const receiver = await receive();
  const webhooks = open();
  const { endpoint } = await endpointAt(webhooks, receiver.url);
  await publish(webhooks, ...Array.from({ length: 1_200 }, (_, n) => message(`old_${n}`)));
  await webhooks.endpoints.delete(caller, endpoint.id);
  clock.advance(20 * day);
  const kept = await endpointAt(webhooks, receiver.url);
  await publish(webhooks, message("young"));
  await eventually(async () =>
    expect(await deliveries(webhooks, { endpoint: kept.endpoint.id, state: "succeeded" })).toHaveLength(1),
  );
  await webhooks.retention.sweep();
  expect(await deliveries(webhooks, { endpoint: endpoint.id })).toHaveLength(1_000); // a page
  clock.advance(10 * day + second);
  expect(await webhooks.retention.sweep()).toBeGreaterThanOrEqual(1_200);
  const rows = await postgres.inOrganization(caller.organization, async (sql) => {
    const [row] = await sql<Record<string, string>[]>`
      SELECT (SELECT count(*) FROM webhook_messages) AS messages, (SELECT count(*) FROM webhook_deliveries) AS deliveries,
             (SELECT count(*) FROM webhook_endpoints) AS endpoints, (SELECT count(*) FROM webhook_endpoint_secrets) AS secrets,
             (SELECT count(*) FROM webhook_endpoint_health) AS health`;
    return row;
  });
  expect(rows).toEqual({ messages: "1", deliveries: "1", endpoints: "1", secrets: "1", health: "1" });
}, 20_000);

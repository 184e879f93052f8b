// Deliveries on a real database, to real receivers, on a clock of the test's own.
import { describe, expect, test } from "vitest";
import { Webhook } from "standardwebhooks";
import type { Postgres, Sql } from "../../src/engines/postgres/index.js";
import { systemClock } from "../../src/kernel/clock.js";
import { day, hour, minute, second, type Instant } from "../../src/kernel/instant.js";
import { StoreUnavailable } from "../../src/kernel/problem.js";
import { startWebhookReceiver, type Behaviour } from "../support/webhook-receiver.js";
import { eventually, message, start, webhookWorld } from "../support/webhook-world.js";

const world = webhookWorld();
const { open, receive, endpointAt, publish, deliveries, only, attemptsOf, standing } = world;

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
      world.postgres.inOrganization(world.caller.organization, async (sql) => {
        await webhooks.publish(sql, world.caller.organization, message("lost"));
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
    await webhooks.endpoints.disable(world.caller, endpoint.id);
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
      await world.postgres.inOrganization(world.caller.organization, (sql) => {
        const counting = new Proxy(sql, {
          apply(target, self, args: [TemplateStringsArray]) {
            if (Array.isArray(args[0]) && "raw" in args[0]) count += 1;
            return Reflect.apply(target, self, args) as unknown;
          },
        }) as Sql;
        return webhooks.publishAll(counting, world.caller.organization, many);
      });
      return count;
    };
    expect(await statements()).toBe(1);
    const { endpoint } = await endpointAt(webhooks, "http://127.0.0.1:1/", {
      eventTypes: ["credit_note.issued"],
    });
    expect(await statements()).toBe(1);
    await webhooks.endpoints.disable(world.caller, endpoint.id);
    const { endpoint: listening } = await endpointAt(webhooks, "http://127.0.0.1:1/");
    expect(await statements()).toBe(2);
    await webhooks.endpoints.disable(world.caller, listening.id);
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
      waits.push(nextAttemptAt - world.clock.now());
      // Not a moment before.
      world.clock.set((nextAttemptAt - 1) as Instant);
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(receiver.received).toHaveLength(attempt);
      world.clock.set(nextAttemptAt);
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
    await world.postgres.inOrganization(
      world.caller.organization,
      (sql) =>
        sql`UPDATE webhook_endpoint_health SET served_by = 'killed', served_until = ${new Date((start + minute) / 1000)} WHERE endpoint = ${endpoint.id}`,
    );
    await publish(one, message("late"));
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(receiver.received).toHaveLength(20);
    world.clock.advance(minute);
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
    ...world.postgres,
    inOrganization(organization, work) {
      if (!isAway) return world.postgres.inOrganization(organization, work);
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
    await webhooks.deliveries.redeliver(world.caller, id);
    await eventually(async () =>
      expect(await only(webhooks)).toMatchObject({
        state: "pending",
        attempts: 2,
        nextAttemptAt: start + 5 * second,
      }),
    );
    status = 200;
    await webhooks.deliveries.redeliver(world.caller, id);
    await eventually(async () =>
      expect(await only(webhooks)).toMatchObject({ state: "succeeded", attempts: 3 }),
    );
    expect(
      new Set(receiver.received.map(({ headers, body }) => `${headers["webhook-id"]} ${body}`)).size,
    ).toBe(1);
    await webhooks.endpoints.disable(world.caller, endpoint.id);
    await expect(webhooks.deliveries.redeliver(world.caller, id)).rejects.toThrow(
      /is disabled \(by_hand\)\. Enable it first/,
    );
    await expect(webhooks.deliveries.test(world.caller, endpoint.id)).rejects.toThrow(/disabled/);
    await expect(webhooks.deliveries.redeliver(world.caller, "whd_nope")).rejects.toThrow(
      /no webhook delivery "whd_nope"/,
    );
  });

  test("all that failed since an instant begin anew; the same request again changes nothing", async () => {
    let status = 410;
    const receiver = await receive(() => ({ status }));
    const webhooks = open();
    const { endpoint } = await endpointAt(webhooks, receiver.url, { concurrencyMax: 1 });
    for (const [n, after] of [0, hour, hour].entries()) {
      world.clock.advance(after);
      await publish(webhooks, message(`inv_${n}`));
      await eventually(async () =>
        expect(await deliveries(webhooks, { state: "failed" })).toHaveLength(n + 1),
      );
      await eventually(async () => expect((await standing(webhooks, endpoint.id)).state).toBe("disabled"));
      await webhooks.endpoints.enable(world.caller, endpoint.id);
    }
    status = 200;
    const since = (start + hour) as Instant;
    const again = () =>
      webhooks.deliveries.redeliverFailed(world.caller, { endpoint: endpoint.id, since }, "once");
    expect(await again()).toBe(2);
    await eventually(async () => expect(await deliveries(webhooks, { state: "succeeded" })).toHaveLength(2));
    expect(await again()).toBe(2);
    expect(await deliveries(webhooks, { state: "failed" })).toHaveLength(1);
    expect(receiver.received).toHaveLength(5);
  });
});

test("messages go after thirty days with all that became of them, and a deleted endpoint's row with the last of them", async () => {
  const receiver = await receive();
  const webhooks = open();
  const { endpoint } = await endpointAt(webhooks, receiver.url);
  await publish(webhooks, ...Array.from({ length: 1_200 }, (_, n) => message(`old_${n}`)));
  await webhooks.endpoints.delete(world.caller, endpoint.id);
  world.clock.advance(20 * day);
  const kept = await endpointAt(webhooks, receiver.url);
  await publish(webhooks, message("young"));
  await eventually(async () =>
    expect(await deliveries(webhooks, { endpoint: kept.endpoint.id, state: "succeeded" })).toHaveLength(1),
  );
  await webhooks.retention.sweep();
  expect(await deliveries(webhooks, { endpoint: endpoint.id })).toHaveLength(1_000); // a page
  world.clock.advance(10 * day + second);
  expect(await webhooks.retention.sweep()).toBeGreaterThanOrEqual(1_200);
  const rows = await world.postgres.inOrganization(world.caller.organization, async (sql) => {
    const [row] = await sql<Record<string, string>[]>`
      SELECT (SELECT count(*) FROM webhook_messages) AS messages, (SELECT count(*) FROM webhook_deliveries) AS deliveries,
             (SELECT count(*) FROM webhook_endpoints) AS endpoints, (SELECT count(*) FROM webhook_endpoint_secrets) AS secrets,
             (SELECT count(*) FROM webhook_endpoint_health) AS health`;
    return row;
  });
  expect(rows).toEqual({ messages: "1", deliveries: "1", endpoints: "1", secrets: "1", health: "1" });
}, 120_000);

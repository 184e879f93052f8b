// Deliveries on a real database, to real receivers, on a clock of the test's own.
import { describe, expect, test, vi } from "vitest";
import { Webhook } from "standardwebhooks";
import { listAudit } from "../../src/audit/index.js";
import { createSecrets, MasterKey } from "../../src/engines/secrets/index.js";
import { sameClock, systemClock } from "../../src/kernel/clock.js";
import { day, minute } from "../../src/kernel/instant.js";
import { silentLog } from "../../src/kernel/log.js";
import { openWebhooks } from "../../src/webhooks/index.js";
import { selfSigned } from "../support/self-signed.js";
import { eventually, message, secrets, start, webhookWorld } from "../support/webhook-world.js";

const world = webhookWorld();
const { open, receive, endpointAt, publish, deliveries, only, standing } = world;

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
    world.clock.advance(minute - 1);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(receiver.received).toHaveLength(5);
    world.clock.advance(1);
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
    world.clock.advance(2 * minute);
    await eventually(async () => expect(await deliveries(webhooks, { state: "succeeded" })).toHaveLength(20));
    expect((await standing(webhooks, endpoint.id)).health).toEqual({
      breaker: { failures: 0, openings: 0, until: undefined },
      failingSince: undefined,
    });
  }, 120_000);

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
    const test = await webhooks.deliveries.test(world.caller, endpoint.id);
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
    world.clock.advance(5 * day);
    await publish(webhooks, message("inv_2"));
    await eventually(async () =>
      expect(await standing(webhooks, endpoint.id)).toMatchObject({
        state: "disabled",
        disabledReason: "failing",
        disabledAt: start + 5 * day,
      }),
    );
    const { entries } = await listAudit(world.postgres, world.caller.organization, {
      target: endpoint.id,
      action: "webhook_endpoint.disable",
    });
    expect(entries).toMatchObject([{ actor: "system", after: { state: "disabled", reason: "failing" } }]);
    await publish(webhooks, message("inv_3"));
    world.clock.advance(day);
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect((await deliveries(webhooks)).map(({ state }) => state)).toEqual(["pending", "pending"]);
    broken = false;
    await webhooks.endpoints.enable(world.caller, endpoint.id);
    await eventually(async () => expect(await deliveries(webhooks, { state: "succeeded" })).toHaveLength(2));
    expect((await standing(webhooks, endpoint.id)).health.failingSince).toBeUndefined();
  }, 120_000);

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

describe("by hand", () => {
  test("a secret is exchanged: both sign for a day, then the new one alone; with no overlap the old one ends at once", async () => {
    const receiver = await receive();
    const webhooks = open({}, { clock: world.clock });
    const { endpoint, secret: old } = await endpointAt(webhooks, receiver.url);
    const signatures = async (key: string) => {
      await publish(webhooks, message(key));
      const count = receiver.received.length;
      await eventually(() => expect(receiver.received.length).toBeGreaterThan(count));
      return receiver.received.at(-1)!;
    };
    const valid = (secret: string, got: Awaited<ReturnType<typeof signatures>>) => {
      // The library compares with real time.
      vi.useFakeTimers({ now: world.clock.now() / 1000, toFake: ["Date"] });
      try {
        new Webhook(secret).verify(got.body, got.headers);
        return true;
      } catch {
        return false;
      } finally {
        vi.useRealTimers();
      }
    };
    const { secret: fresh, endpoint: rotated } = await webhooks.endpoints.rotate(world.caller, {
      endpoint: endpoint.id,
    });
    expect(fresh).not.toBe(old);
    expect(rotated.oldSecretsUntil).toBe(start + day);
    const both = await signatures("inv_1");
    expect(both.headers["webhook-signature"]!.split(" ")).toHaveLength(2);
    expect([valid(old, both), valid(fresh, both)]).toEqual([true, true]);
    world.clock.advance(day);
    const after = await signatures("inv_2");
    expect([valid(old, after), valid(fresh, after)]).toEqual([false, true]);
    const { secret: last } = await webhooks.endpoints.rotate(world.caller, {
      endpoint: endpoint.id,
      overlapHours: 0,
    });
    const alone = await signatures("inv_3");
    expect([valid(fresh, alone), valid(last, alone)]).toEqual([false, true]);
    expect((await webhooks.endpoints.reveal(world.caller, endpoint.id)).secret).toBe(last);
    for (let n = 0; n < 4; n += 1) await webhooks.endpoints.rotate(world.caller, { endpoint: endpoint.id });
    await expect(webhooks.endpoints.rotate(world.caller, { endpoint: endpoint.id })).rejects.toThrow(
      /has 5 secrets that sign/,
    );
    await expect(
      webhooks.endpoints.rotate(world.caller, { endpoint: endpoint.id, overlapHours: 1000 }),
    ).rejects.toThrow(/0 to 168/);
  });

  test("secrets rest sealed, for their place alone, and are sealed anew when another master key comes first", async () => {
    const receiver = await receive();
    const webhooks = open({}, { clock: systemClock });
    const { endpoint, secret } = await endpointAt(webhooks, receiver.url);
    const stored = async () => {
      const [row] = await world.postgres.inOrganization(
        world.caller.organization,
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
      Buffer.from(
        secrets.open(before, `webhook_endpoints:${world.caller.organization}:${endpoint.id}`),
      ).equals(plain),
    ).toBe(true);
    await webhooks.stop();
    const rotated = createSecrets([new MasterKey(Buffer.alloc(32, 6)), new MasterKey(Buffer.alloc(32, 5))]);
    const later = openWebhooks({
      postgres: world.postgres,
      secrets: rotated,
      clock: systemClock,
      clocks: sameClock(systemClock),
      log: silentLog,
      executor: "one",
      sending: { allowPrivate: true },
    });
    world.stopAfter(later);
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
    const made = await webhooks.endpoints.create(world.caller, {
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
      .create(world.caller, {
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
    const [endpoint] = await webhooks.endpoints.list(world.caller.organization, { limit: 1 });
    await webhooks.endpoints.delete(world.caller, endpoint!.id);
    expect(await webhooks.endpoints.find(world.caller.organization, endpoint!.id)).toBeUndefined();
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
    const renamed = await webhooks.endpoints.update(world.caller, {
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
    const moved = await webhooks.endpoints.update(world.caller, {
      endpoint: endpoint.id,
      url: "http://127.0.0.1:1/",
    });
    expect(moved).toMatchObject({ eventTypes: ["invoice.*"], concurrencyMax: 1 });
    const { entries } = await listAudit(world.postgres, world.caller.organization, {
      target: endpoint.id,
      action: "webhook_endpoint.update",
    });
    const changes = entries.map((entry) => [entry.before, entry.after]);
    expect(changes).toContainEqual([
      expect.objectContaining({ url: receiver.url }),
      expect.objectContaining({ url: "http://127.0.0.1:1/" }),
    ]);
    await expect(
      webhooks.endpoints.update(world.caller, { endpoint: "whe_nope", url: "http://a/" }),
    ).rejects.toThrow(/no webhook endpoint "whe_nope"/);
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { createSecrets, MasterKey } from "../../src/engines/secrets/index.js";
import type { Postgres } from "../../src/engines/postgres/index.js";
import { openIdentity, type Caller } from "../../src/identity/index.js";
import { FixedClock, sameClock, systemClock, type Clock } from "../../src/kernel/clock.js";
import type { ApiKeyId } from "../../src/kernel/ids.js";
import { parseInstant, type Instant } from "../../src/kernel/instant.js";
import { silentLog } from "../../src/kernel/log.js";
import {
  openWebhooks,
  type EndpointInput,
  type NewMessage,
  type Webhooks,
  type WebhooksOptions,
} from "../../src/webhooks/index.js";
import { startWebhookReceiver, type Behaviour, type WebhookReceiver } from "./webhook-receiver.js";
import { openTestPostgres } from "../integration/embedded-postgres.js";

export const start = parseInstant("2026-03-01T12:00:00Z") as Instant;
export const secrets = createSecrets([new MasterKey(Buffer.alloc(32, 5))]);

export const message = (key: string, data: NewMessage["data"] = { key }): NewMessage => ({
  type: "invoice.finalized",
  key,
  data,
});
export const eventually = <T>(check: () => T | Promise<T>, timeout = 60_000) =>
  vi.waitFor(check, { timeout, interval: 20 });

/**
 * Webhooks on a real database, for an organization of each test's own, on a clock that the test moves. What it opens and
 * receives ends with the test.
 */
export function webhookWorld() {
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
      (sql) =>
        sql`UPDATE webhook_endpoints SET state = 'deleted', disabled_at = NULL, disabled_reason = NULL`,
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
  const standing = async (webhooks: Webhooks, id: string) =>
    (await webhooks.endpoints.find(caller.organization, id))!;

  return {
    get postgres() {
      return postgres;
    },
    get caller() {
      return caller;
    },
    get clock() {
      return clock;
    },
    open,
    receive,
    endpointAt,
    publish,
    deliveries,
    only,
    attemptsOf,
    standing,
    /** Has one that a test made itself stopped with the test. */
    stopAfter(webhooks: Webhooks): void {
      running.push(webhooks);
    },
  };
}

import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Secrets } from "../engines/secrets/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { Log } from "../kernel/log.js";
import { Courier } from "./courier.js";
import { Publisher, type NewMessage } from "./publisher.js";
import { Sender, type SenderOptions } from "./sender.js";
import { WebhookDeliveries } from "./webhook-deliveries.js";
import { WebhookEndpoints } from "./webhook-endpoints.js";
import { WebhookRetention } from "./webhook-retention.js";

export interface WebhooksOptions {
  readonly postgres: Postgres;
  readonly secrets: Secrets;
  /** Real time: receivers live by it. */
  readonly clock: Clock;
  readonly clocks: Clocks;
  readonly log: Log;
  /** Names this process, after a restart too. */
  readonly executor: string;
  readonly sending: SenderOptions;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/** Webhooks to organizations' own receivers. */
export interface Webhooks {
  readonly endpoints: WebhookEndpoints;
  readonly deliveries: WebhookDeliveries;
  readonly retention: WebhookRetention;
  /** Tells what happened, in its transaction: delivered after the commit, at least once, to whoever wants it. */
  publish(sql: Sql, organization: OrganizationId, message: NewMessage): Promise<void>;
  /** The same for many: one statement when nobody listens. */
  publishAll(sql: Sql, organization: OrganizationId, messages: readonly NewMessage[]): Promise<void>;
  /** Figures of this process. */
  stats(): { readonly attemptsInFlight: number; readonly endpointsServed: number };
  /** Begins to deliver. */
  start(): void;
  stop(): Promise<void>;
}

export function openWebhooks(options: WebhooksOptions): Webhooks {
  const { allowPrivate } = options.sending;
  const sender = new Sender(options.sending);
  const courier = new Courier({ ...options, sender });
  const nudge = courier.nudge.bind(courier);
  const publisher = new Publisher({ ...options, nudge });
  const retention = new WebhookRetention(options);
  return {
    endpoints: new WebhookEndpoints({ ...options, sender, allowPrivate, nudge }),
    deliveries: new WebhookDeliveries({ ...options, nudge }),
    retention,
    publish: (sql, organization, message) => publisher.publishAll(sql, organization, [message]),
    publishAll: (sql, organization, messages) => publisher.publishAll(sql, organization, messages),
    stats: () => courier.stats(),
    start() {
      if (allowPrivate)
        options.log.warn("webhooks may go to http and to private addresses; this is for development only", {
          setting: "WEIR_WEBHOOKS_ALLOW_PRIVATE",
        });
      courier.start();
      retention.start();
    },
    async stop() {
      await retention.stop();
      await courier.stop();
    },
  };
}

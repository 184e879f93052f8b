import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { newId, type OrganizationId, type WebhookDeliveryId, type WebhookEndpointId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { halfOpened, test_event_type } from "./core/index.js";
import type { WebhookAttempt, WebhookDelivery, WebhookMessage } from "./delivery.js";
import type { WebhookEndpoint } from "./endpoint.js";
import { messageOf } from "./publisher.js";
import { listAttempts } from "./store/attempts.js";
import {
  findDelivery,
  listDeliveries,
  redeliver,
  redeliverFailed,
  type DeliveryFilter,
} from "./store/deliveries.js";
import { updateHealth } from "./store/endpoint-health.js";
import { findMessage, insertMessages, listMessages } from "./store/messages.js";
import { mustFindEndpoint } from "./webhook-endpoints.js";

export interface WebhookDeliveriesOptions {
  readonly postgres: Postgres;
  /** Real time. */
  readonly clock: Clock;
  readonly clocks: Clocks;
  readonly nudge: (organization: OrganizationId, endpoints: readonly WebhookEndpointId[]) => void;
}

export interface Page {
  readonly after?: string;
  readonly limit: number;
}

/** So many deliveries begin anew at one go. */
export const redeliveries_max = 10_000;
const attempts_shown_max = 100;

/** What was told to whom, and what became of it: listed, tried again by hand, tested. */
export class WebhookDeliveries {
  readonly #on: WebhookDeliveriesOptions;

  constructor(options: WebhookDeliveriesOptions) {
    this.#on = options;
  }

  /** Newest first. */
  listMessages(
    organization: OrganizationId,
    page: Page & { readonly type?: string | undefined },
  ): Promise<WebhookMessage[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listMessages(sql, page));
  }

  findMessage(organization: OrganizationId, id: string): Promise<WebhookMessage | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findMessage(sql, id));
  }

  /** Newest first. */
  list(organization: OrganizationId, page: Page & DeliveryFilter): Promise<WebhookDelivery[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listDeliveries(sql, page));
  }

  find(organization: OrganizationId, id: string): Promise<WebhookDelivery | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findDelivery(sql, id));
  }

  /** The last hundred, in their order. */
  attempts(organization: OrganizationId, delivery: WebhookDeliveryId): Promise<WebhookAttempt[]> {
    return this.#on.postgres.inOrganization(organization, (sql) =>
      listAttempts(sql, delivery, attempts_shown_max),
    );
  }

  /**
   * Sends an event of type webhook.test to an endpoint, whatever it has chosen, at once, also while its breaker is open.
   * @throws Refusal 404; 409 for one that is disabled
   */
  async test(caller: Caller, endpointId: string, idempotencyKey?: string): Promise<WebhookDelivery> {
    const { organization } = caller;
    const { postgres, clock, clocks, nudge } = this.#on;
    const delivery = await postgres.inOrganization(organization, async (sql) => {
      const request = {
        organization,
        idempotencyKey,
        action: "webhook_endpoint.test",
        input: { endpoint: endpointId },
      };
      const id = await runOnce(sql, request, async () => {
        const at = clock.now();
        const { id: endpoint } = await mustFindEnabled(sql, endpointId, at);
        const delivered = newId("whd", at);
        const message = messageOf(
          {
            type: test_event_type,
            key: delivered,
            data: { endpoint, message: "This is a test of the endpoint; nothing has happened." },
            at: clocks.of(organization).now(),
          },
          at,
        );
        const deliveries = [{ id: delivered, message: message.id, endpoint }];
        await insertMessages(sql, organization, [message], deliveries, { at, byHand: true });
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "webhook_endpoint.test",
          target: endpoint,
          before: undefined,
          after: { delivery: delivered },
          at,
        });
        return delivered;
      });
      return mustFindDelivery(sql, id);
    });
    nudge(organization, [delivery.endpoint]);
    return delivery;
  }

  /**
   * Sends a message to an endpoint again, at once, whether it has arrived or not: the same id and bytes.
   * @throws Refusal 404; 409 when the endpoint is disabled or deleted
   */
  async redeliver(caller: Caller, deliveryId: string, idempotencyKey?: string): Promise<WebhookDelivery> {
    const { organization } = caller;
    const { postgres, clock, nudge } = this.#on;
    const delivery = await postgres.inOrganization(organization, async (sql) => {
      const request = {
        organization,
        idempotencyKey,
        action: "webhook_delivery.redeliver",
        input: { delivery: deliveryId },
      };
      const id = await runOnce(sql, request, async () => {
        const at = clock.now();
        const before = await mustFindDelivery(sql, deliveryId);
        await mustFindEnabled(sql, before.endpoint, at);
        await redeliver(sql, [before.id], at);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "webhook_delivery.redeliver",
          target: before.id,
          before: { state: before.state, attempts: before.attempts },
          after: { state: "pending" },
          at,
        });
        return before.id;
      });
      return mustFindDelivery(sql, id);
    });
    nudge(organization, [delivery.endpoint]);
    return delivery;
  }

  /**
   * Begins anew what failed for good since an instant, the oldest first, at most 10,000 deliveries at one go; the endpoint's breaker lets one
   * through at once.
   * @returns how many; when that is the most there may be, ask again
   * @throws Refusal 404; 409 for an endpoint that is disabled
   */
  async redeliverFailed(
    caller: Caller,
    input: { readonly endpoint: string; readonly since: Instant },
    idempotencyKey?: string,
  ): Promise<number> {
    const { organization } = caller;
    const { postgres, clock, nudge } = this.#on;
    const count = await postgres.inOrganization(organization, (sql) => {
      const action = "webhook_delivery.redeliver_failed";
      return runOnce(sql, { organization, idempotencyKey, action, input }, async () => {
        const at = clock.now();
        const endpoint = await mustFindEnabled(sql, input.endpoint, at, true);
        const { id, health } = endpoint;
        const begun = await redeliverFailed(sql, id, {
          since: input.since,
          now: at,
          limit: redeliveries_max,
        });
        await updateHealth(sql, id, { ...health, breaker: halfOpened(health.breaker, at) });
        const after = { since: formatInstant(input.since), deliveries: begun };
        await recordAudit(sql, {
          organization,
          actor: caller,
          action,
          target: id,
          before: undefined,
          after,
          at,
        });
        return begun;
      });
    });
    nudge(organization, [input.endpoint as WebhookEndpointId]);
    return count;
  }
}

async function mustFindDelivery(sql: Sql, id: string): Promise<WebhookDelivery> {
  const found = await findDelivery(sql, id);
  if (found !== undefined) return found;
  const detail = `There is no webhook delivery "${id.slice(0, 64)}". Messages are kept for 30 days.`;
  throw new Refusal(makeProblem("webhook-delivery-not-found", 404, "No such webhook delivery", detail));
}

async function mustFindEnabled(sql: Sql, id: string, now: Instant, hold = false): Promise<WebhookEndpoint> {
  const endpoint = await mustFindEndpoint(sql, id, now, hold);
  if (endpoint.state === "enabled") return endpoint;
  const detail = `Webhook endpoint ${id} is disabled (${endpoint.disabledReason ?? "by_hand"}). Enable it first; what is pending for it then goes on.`;
  throw new Refusal(
    makeProblem("webhook-endpoint-disabled", 409, "The webhook endpoint is disabled", detail),
  );
}

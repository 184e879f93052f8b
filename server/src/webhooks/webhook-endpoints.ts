import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Secrets } from "../engines/secrets/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import { newId, type OrganizationId, type WebhookEndpointId } from "../kernel/ids.js";
import { formatInstant, hour, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { checkEndpoint } from "./check-endpoint.js";
import { closed_breaker } from "./core/index.js";
import type { EndpointInput, WebhookEndpoint } from "./endpoint.js";
import { addSecret, readSecret } from "./endpoint-secrets.js";
import type { Sender } from "./sender.js";
import { updateHealth } from "./store/endpoint-health.js";
import { deleteSecrets, selectSigning } from "./store/endpoint-secrets.js";
import {
  countEndpoints,
  findEndpoint,
  insertEndpoint,
  listEndpoints,
  markEndpointDeleted,
  updateEndpoint,
} from "./store/endpoints.js";

export interface WebhookEndpointsOptions {
  readonly postgres: Postgres;
  readonly secrets: Secrets;
  /** Real time. */
  readonly clock: Clock;
  readonly sender: Sender;
  /** WEIR_WEBHOOKS_ALLOW_PRIVATE */
  readonly allowPrivate: boolean;
  readonly nudge: (organization: OrganizationId, endpoints: readonly WebhookEndpointId[]) => void;
}

/** An endpoint with its secret: when it is made, exchanged, or asked for. */
export interface EndpointWithSecret {
  readonly endpoint: WebhookEndpoint;
  /** whsec_… */
  readonly secret: string;
}

export const endpoints_max = 100;
/** How long an exchanged secret signs too, unless the caller says otherwise. */
export const overlap_hours_default = 24;
const overlap_hours_max = 168;
const secrets_max = 5;

/** Where an organization's webhooks go: made, changed, switched off and on by people. Every change is audited. */
export class WebhookEndpoints {
  readonly #on: WebhookEndpointsOptions;

  constructor(options: WebhookEndpointsOptions) {
    this.#on = options;
  }

  list(organization: OrganizationId, page: { after?: string; limit: number }): Promise<WebhookEndpoint[]> {
    const now = this.#on.clock.now();
    return this.#on.postgres.inOrganization(organization, (sql) => listEndpoints(sql, { ...page, now }));
  }

  find(organization: OrganizationId, id: string): Promise<WebhookEndpoint | undefined> {
    const now = this.#on.clock.now();
    return this.#on.postgres.inOrganization(organization, (sql) => findEndpoint(sql, id, { now }));
  }

  /** @throws Refusal 400 listing every fault by field; 409 beyond 100 endpoints */
  async create(caller: Caller, input: EndpointInput, idempotencyKey?: string): Promise<EndpointWithSecret> {
    const { organization } = caller;
    const { postgres, secrets, clock } = this.#on;
    const terms = await checkEndpoint(input, undefined, this.#on);
    await secrets.ready();
    return postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "webhook_endpoint.create", input };
      const id = await runOnce(sql, request, async () => {
        if ((await countEndpoints(sql)) >= endpoints_max) throw tooMany();
        const at = clock.now();
        const endpoint = newId("whe", at);
        await insertEndpoint(sql, organization, { ...terms, id: endpoint, createdAt: at, updatedAt: at });
        await addSecret(sql, secrets, { organization, endpoint }, { at, oldUntil: at });
        const after = { ...terms, state: "enabled" };
        await this.#audit(sql, caller, "create", endpoint, undefined, after, at);
        return endpoint;
      });
      return this.#withSecret(sql, organization, id);
    });
  }

  /** What is not given stays. @throws Refusal 404; 400 listing every fault by field */
  async update(
    caller: Caller,
    { endpoint: id, ...input }: EndpointInput & { readonly endpoint: string },
    idempotencyKey?: string,
  ): Promise<WebhookEndpoint> {
    const { organization } = caller;
    const known = await this.find(organization, id);
    if (known === undefined) throw unknownEndpoint(id);
    // Outside of the transaction: a name may take seconds to look up.
    const terms = await checkEndpoint(input, known, this.#on);
    return this.#change(
      caller,
      "update",
      { endpoint: id, ...input },
      idempotencyKey,
      async (sql, before, at) => {
        const given = Object.fromEntries(
          Object.keys(input).map((name) => [name, terms[name as keyof typeof terms]]),
        );
        const after: WebhookEndpoint = { ...before, ...given, updatedAt: at };
        await updateEndpoint(sql, after);
        // Another receiver: how the last one answered says nothing of it.
        if (after.url !== before.url)
          await updateHealth(sql, before.id, { breaker: closed_breaker, failingSince: undefined });
        return { before: describe(before), after: describe(after) };
      },
    );
  }

  /**
   * Makes another secret; the one before signs too for so many hours, so that a receiver can be told in between.
   * @throws Refusal 404; 400 for hours out of range; 409 when five sign already
   */
  async rotate(
    caller: Caller,
    input: { readonly endpoint: string; readonly overlapHours?: number },
    idempotencyKey?: string,
  ): Promise<EndpointWithSecret> {
    const { overlapHours = overlap_hours_default } = input;
    if (!Number.isInteger(overlapHours) || overlapHours < 0 || overlapHours > overlap_hours_max)
      throw invalidOverlap();
    const { organization } = caller;
    await this.#on.secrets.ready();
    const endpoint = await this.#change(
      caller,
      "rotate_secret",
      input,
      idempotencyKey,
      async (sql, before, at) => {
        const oldUntil = (at + overlapHours * hour) as Instant;
        const signing = await selectSigning(sql, before.id, at);
        if (overlapHours > 0 && signing.length >= secrets_max) throw tooManySecrets(before.id);
        await addSecret(sql, this.#on.secrets, { organization, endpoint: before.id }, { at, oldUntil });
        return { before: undefined, after: { oldSecretsUntil: formatInstant(oldUntil) } };
      },
    );
    return this.#on.postgres.inOrganization(organization, (sql) =>
      this.#withSecret(sql, organization, endpoint.id),
    );
  }

  /** Shows the secret that counts, which the audit log tells. @throws Refusal 404 */
  async reveal(caller: Caller, id: string): Promise<EndpointWithSecret> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const at = this.#on.clock.now();
      const endpoint = await mustFindEndpoint(sql, id, at);
      await this.#audit(sql, caller, "reveal_secret", endpoint.id, undefined, undefined, at);
      return this.#withSecret(sql, organization, endpoint.id);
    });
  }

  /** Nothing more is written for it or sent to it; what is pending waits. Again changes nothing. @throws Refusal 404 */
  disable(caller: Caller, id: string, idempotencyKey?: string): Promise<WebhookEndpoint> {
    return this.#change(caller, "disable", { endpoint: id }, idempotencyKey, async (sql, before, at) => {
      if (before.state === "disabled") return undefined;
      const reason = "by_hand" as const;
      await updateEndpoint(sql, {
        ...before,
        state: "disabled",
        disabledReason: reason,
        disabledAt: at,
        updatedAt: at,
      });
      return { before: { state: "enabled" }, after: { state: "disabled", reason } };
    });
  }

  /** Goes on with what is pending, as if it had never failed. Again changes nothing. @throws Refusal 404 */
  async enable(caller: Caller, id: string, idempotencyKey?: string): Promise<WebhookEndpoint> {
    const endpoint = await this.#change(
      caller,
      "enable",
      { endpoint: id },
      idempotencyKey,
      async (sql, before, at) => {
        if (before.state === "enabled") return undefined;
        const { disabledReason: reason } = before;
        await updateEndpoint(sql, {
          ...before,
          state: "enabled",
          disabledReason: undefined,
          disabledAt: undefined,
          updatedAt: at,
        });
        await updateHealth(sql, before.id, { breaker: closed_breaker, failingSince: undefined });
        return { before: { state: "disabled", reason }, after: { state: "enabled" } };
      },
    );
    this.#on.nudge(caller.organization, [endpoint.id]);
    return endpoint;
  }

  /** Deletes it with its secrets, for good; its log stays for as long as messages are kept. @throws Refusal 404 */
  async delete(caller: Caller, id: string, idempotencyKey?: string): Promise<WebhookEndpointId> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = {
        organization,
        idempotencyKey,
        action: "webhook_endpoint.delete",
        input: { endpoint: id },
      };
      const deleted = await runOnce(sql, request, async () => {
        const at = this.#on.clock.now();
        const before = await mustFindEndpoint(sql, id, at, true);
        await markEndpointDeleted(sql, before.id, at);
        await deleteSecrets(sql, before.id);
        await this.#audit(sql, caller, "delete", before.id, describe(before), undefined, at);
        return before.id;
      });
      return deleted;
    });
  }

  async #change(
    caller: Caller,
    verb: string,
    input: { readonly endpoint: string },
    idempotencyKey: string | undefined,
    work: (
      sql: Sql,
      before: WebhookEndpoint,
      at: Instant,
    ) => Promise<{ before: unknown; after: unknown } | undefined>,
  ): Promise<WebhookEndpoint> {
    const { organization } = caller;
    const { postgres, clock } = this.#on;
    return postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: `webhook_endpoint.${verb}`, input };
      const id = await runOnce(sql, request, async () => {
        const at = clock.now();
        const endpoint = await mustFindEndpoint(sql, input.endpoint, at, true);
        const change = await work(sql, endpoint, at);
        if (change !== undefined)
          await this.#audit(sql, caller, verb, endpoint.id, change.before, change.after, at);
        return endpoint.id;
      });
      return mustFindEndpoint(sql, id, clock.now());
    });
  }

  async #withSecret(sql: Sql, organization: OrganizationId, id: string): Promise<EndpointWithSecret> {
    const now = this.#on.clock.now();
    const endpoint = await mustFindEndpoint(sql, id, now);
    const place = { organization, endpoint: endpoint.id };
    return { endpoint, secret: await readSecret(sql, this.#on.secrets, place, now) };
  }

  #audit(
    sql: Sql,
    actor: Caller,
    verb: string,
    target: WebhookEndpointId,
    before: unknown,
    after: unknown,
    at: Instant,
  ): Promise<void> {
    const { organization } = actor;
    return recordAudit(sql, {
      organization,
      actor,
      action: `webhook_endpoint.${verb}`,
      target,
      before,
      after,
      at,
    });
  }
}

/** @throws Refusal 404 */
export async function mustFindEndpoint(
  sql: Sql,
  id: string,
  now: Instant,
  hold = false,
): Promise<WebhookEndpoint> {
  const found = await findEndpoint(sql, id, { now, hold });
  if (found === undefined) throw unknownEndpoint(id);
  return found;
}

function describe(endpoint: WebhookEndpoint) {
  const { url, description, eventTypes, concurrencyMax, ratePerSecondMax, state } = endpoint;
  return { url, description, eventTypes, concurrencyMax, ratePerSecondMax, state };
}

function unknownEndpoint(id: string): Refusal {
  const detail = `There is no webhook endpoint "${id.slice(0, 64)}".`;
  return new Refusal(makeProblem("webhook-endpoint-not-found", 404, "No such webhook endpoint", detail));
}

function tooMany(): Refusal {
  const detail = `An organization has at most ${endpoints_max} webhook endpoints. Delete some, or have one of them pass things on.`;
  return new Refusal(makeProblem("too-many-webhook-endpoints", 409, "Too many webhook endpoints", detail));
}

function tooManySecrets(id: string): Refusal {
  const detail = `Endpoint ${id} has ${secrets_max} secrets that sign. Wait until the oldest does not any more, or rotate with an overlap of 0 hours, which ends them all.`;
  return new Refusal(makeProblem("too-many-webhook-secrets", 409, "Too many secrets sign", detail));
}

function invalidOverlap(): Refusal {
  const message = `a whole number from 0 to ${overlap_hours_max}`;
  const errors = [{ field: "overlapHours", message }];
  return new Refusal(
    makeProblem("invalid-webhook-endpoint", 400, "The overlap is not valid", `overlapHours: ${message}`, {
      errors,
    }),
  );
}

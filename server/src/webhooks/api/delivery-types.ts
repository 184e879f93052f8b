import { builder } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import type { WebhookAttempt, WebhookDelivery, WebhookMessage } from "../index.js";
import { WebhookEndpointType } from "./endpoint-types.js";

export const DeliveryStateEnum = builder.enumType("WebhookDeliveryState", {
  description: "failed: tried as often as it is, or answered by 410. It can be begun anew by hand.",
  values: ["pending", "succeeded", "failed"] as const,
});

const WebhookAttemptType = builder.objectRef<WebhookAttempt>("WebhookAttempt").implement({
  description: "One try to deliver. It never changes.",
  fields: (t) => ({
    number: t.exposeInt("number"),
    at: t.expose("at", { type: "Instant" }),
    durationMs: t.exposeInt("duration_ms"),
    status: t.int({
      nullable: true,
      description: "Of the answer; null when there was none.",
      resolve: ({ status }) => status ?? null,
    }),
    error: t.string({
      nullable: true,
      description: "Why it is no success.",
      resolve: ({ error }) => error ?? null,
    }),
    response: t.string({
      nullable: true,
      description: "The first 4 KiB of the answer's body.",
      resolve: ({ response }) => response ?? null,
    }),
  }),
});

export const WebhookMessageType = builder.objectRef<WebhookMessage>("WebhookMessage");

export const WebhookDeliveryType = builder.objectRef<WebhookDelivery>("WebhookDelivery").implement({
  description: "A message on its way to one endpoint. Instants are real time.",
  fields: (t) => ({
    id: t.exposeID("id"),
    type: t.exposeString("type"),
    message: t.field({
      type: WebhookMessageType,
      nullable: true,
      complexity: 5,
      resolve: async ({ message }, _args, { caller, services }) =>
        (await services.webhooks.deliveries.findMessage(caller.organization, message)) ?? null,
    }),
    messageId: t.id({ description: "The webhook-id header.", resolve: ({ message }) => message }),
    endpoint: t.field({
      type: WebhookEndpointType,
      nullable: true,
      complexity: 5,
      description: "Null once it is deleted.",
      resolve: async ({ endpoint }, _args, { caller, services }) =>
        (await services.webhooks.endpoints.find(caller.organization, endpoint)) ?? null,
    }),
    endpointId: t.id({ resolve: ({ endpoint }) => endpoint }),
    state: t.field({ type: DeliveryStateEnum, resolve: ({ state }) => state }),
    attemptCount: t.exposeInt("attempts", { description: "In all, also before it was begun anew." }),
    attempts: t.field({
      type: [WebhookAttemptType],
      complexity: 20,
      description: "The last 100, oldest first.",
      resolve: ({ id }, _args, { caller, services }) =>
        services.webhooks.deliveries.attempts(caller.organization, id),
    }),
    nextAttemptAt: t.field({
      type: "Instant",
      nullable: true,
      description:
        "Not before; later while the endpoint is disabled or its breaker is open. Null when it is not pending.",
      resolve: ({ nextAttemptAt }) => nextAttemptAt ?? null,
    }),
    lastStatus: t.int({ nullable: true, resolve: ({ lastStatus }) => lastStatus ?? null }),
    lastError: t.string({ nullable: true, resolve: ({ lastError }) => lastError ?? null }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    endedAt: t.field({ type: "Instant", nullable: true, resolve: ({ endedAt }) => endedAt ?? null }),
  }),
});

WebhookMessageType.implement({
  description: "Something that happened, as receivers are told.",
  fields: (t) => ({
    id: t.exposeID("id", {
      description: "The webhook-id header: the same at each attempt and each endpoint.",
    }),
    type: t.exposeString("type"),
    key: t.exposeString("key", { description: "What it is about; of one type there is each key once." }),
    body: t.exposeString("body", { description: "What is sent: JSON of { type, timestamp, data }." }),
    occurredAt: t.expose("occurredAt", { type: "Instant", description: "In the organization's time." }),
    createdAt: t.expose("createdAt", { type: "Instant", description: "In real time." }),
    deliveries: t.connection({
      type: WebhookDeliveryType,
      resolve: ({ id }, args, { caller, services }) =>
        forwardConnection(args, (page) =>
          services.webhooks.deliveries.list(caller.organization, { ...page, message: id }),
        ),
    }),
  }),
});

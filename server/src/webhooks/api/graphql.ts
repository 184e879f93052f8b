import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import type { EndpointInput } from "../index.js";
import { event_types, redeliveries_max } from "../index.js";
import { DeliveryStateEnum, WebhookDeliveryType, WebhookMessageType } from "./delivery-types.js";
import { EndpointWithSecretType, WebhookEndpointType } from "./endpoint-types.js";

const EventTypeType = builder.objectRef<{ name: string; description: string }>("WebhookEventType").implement({
  description: "Something that receivers can be told.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "Such as invoice.finalized." }),
    description: t.exposeString("description"),
  }),
});

const RedeliveriesType = builder.objectRef<{ count: number }>("WebhookRedeliveries").implement({
  fields: (t) => ({
    count: t.exposeInt("count", { description: "Deliveries that begin anew." }),
    mayBeMore: t.boolean({
      description: `At most ${redeliveries_max} begin at one go: ask again.`,
      resolve: ({ count }) => count >= redeliveries_max,
    }),
  }),
});

builder.queryFields((t) => ({
  webhookEventTypes: t.field({
    type: [EventTypeType],
    description: "What there is to be told; the same for every organization.",
    resolve: () => Object.entries(event_types).map(([name, description]) => ({ name, description })),
  }),
  webhookEndpoints: t.connection({
    type: WebhookEndpointType,
    description: "Oldest first.",
    resolve: (_root, args, { caller, services }) =>
      forwardConnection(args, (page) => services.webhooks.endpoints.list(caller.organization, page)),
  }),
  webhookEndpoint: t.field({
    type: WebhookEndpointType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.webhooks.endpoints.find(caller.organization, id)) ?? null,
  }),
  webhookMessages: t.connection({
    type: WebhookMessageType,
    description: "What was told, newest first; only what somebody listened to. Kept for 30 days.",
    args: { type: t.arg.string({ description: "Only these, such as invoice.finalized." }) },
    resolve: (_root, { type, ...args }, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.webhooks.deliveries.listMessages(caller.organization, { ...page, type: type ?? undefined }),
      ),
  }),
  webhookMessage: t.field({
    type: WebhookMessageType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.webhooks.deliveries.findMessage(caller.organization, id)) ?? null,
  }),
  webhookDeliveries: t.connection({
    type: WebhookDeliveryType,
    description: "Messages on their way to endpoints, newest first. Kept for 30 days.",
    args: {
      endpoint: t.arg.id(),
      message: t.arg.id(),
      state: t.arg({ type: DeliveryStateEnum }),
    },
    resolve: (_root, { endpoint, message, state, ...args }, { caller, services }) => {
      const filter = {
        endpoint: endpoint ?? undefined,
        message: message ?? undefined,
        state: state ?? undefined,
      };
      return forwardConnection(args, (page) =>
        services.webhooks.deliveries.list(caller.organization, { ...page, ...filter }),
      );
    },
  }),
  webhookDelivery: t.field({
    type: WebhookDeliveryType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.webhooks.deliveries.find(caller.organization, id)) ?? null,
  }),
}));

const limits = {
  concurrency: "Attempts at once, 1 to 20; 5 for a new endpoint.",
  rate: "Attempts begun per second, 1 to 1000; 100 for a new endpoint.",
  types: "Event types, wildcards such as invoice.*, or * for all.",
  url: "https only; its address must be a public one.",
};

builder.mutationFields((t) => ({
  createWebhookEndpoint: t.field({
    type: EndpointWithSecretType,
    description: "Adds a receiver. What happens from now on, of the types that it chooses, is told to it.",
    errors: {},
    args: {
      url: t.arg.string({ required: true, description: limits.url }),
      eventTypes: t.arg.stringList({ required: true, description: limits.types }),
      description: t.arg.string(),
      concurrencyMax: t.arg.int({ description: limits.concurrency }),
      ratePerSecondMax: t.arg.int({ description: limits.rate }),
    },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      return context.services.webhooks.endpoints.create(context.caller, given(input), context.idempotencyKey);
    },
  }),
  updateWebhookEndpoint: t.field({
    type: WebhookEndpointType,
    description: "Changes what is given. Another URL begins with a closed breaker.",
    errors: {},
    args: {
      endpoint: t.arg.id({ required: true }),
      url: t.arg.string({ description: limits.url }),
      eventTypes: t.arg.stringList({ description: limits.types }),
      description: t.arg.string({ description: "None when empty." }),
      concurrencyMax: t.arg.int({ description: limits.concurrency }),
      ratePerSecondMax: t.arg.int({ description: limits.rate }),
    },
    resolve: (_root, { endpoint, ...input }, context) => {
      requireSecretKey(context);
      const change = { ...given(input), endpoint };
      return context.services.webhooks.endpoints.update(context.caller, change, context.idempotencyKey);
    },
  }),
  rotateWebhookSecret: t.field({
    type: EndpointWithSecretType,
    description:
      "Makes another secret. The one before signs too for a while, so that no message is refused in between.",
    errors: {},
    args: {
      endpoint: t.arg.id({ required: true }),
      overlapHours: t.arg.int({
        description: "0 to 168; 24 when left out. 0 after the old one was disclosed.",
      }),
    },
    resolve: (_root, { endpoint, overlapHours }, context) => {
      requireSecretKey(context);
      const input = { endpoint, ...(overlapHours == null ? {} : { overlapHours }) };
      return context.services.webhooks.endpoints.rotate(context.caller, input, context.idempotencyKey);
    },
  }),
  revealWebhookSecret: t.field({
    type: EndpointWithSecretType,
    description: "Shows the secret that counts; the audit log tells that it was shown.",
    errors: {},
    args: { endpoint: t.arg.id({ required: true }) },
    resolve: (_root, { endpoint }, context) => {
      requireSecretKey(context);
      return context.services.webhooks.endpoints.reveal(context.caller, endpoint);
    },
  }),
  disableWebhookEndpoint: t.field({
    type: WebhookEndpointType,
    description:
      "Tells it nothing more. What is pending waits until it is enabled, at most as long as messages are kept.",
    errors: {},
    args: { endpoint: t.arg.id({ required: true }) },
    resolve: (_root, { endpoint }, context) => {
      requireSecretKey(context);
      return context.services.webhooks.endpoints.disable(context.caller, endpoint, context.idempotencyKey);
    },
  }),
  enableWebhookEndpoint: t.field({
    type: WebhookEndpointType,
    description: "Goes on with what is pending. What happened while it was disabled is not told.",
    errors: {},
    args: { endpoint: t.arg.id({ required: true }) },
    resolve: (_root, { endpoint }, context) => {
      requireSecretKey(context);
      return context.services.webhooks.endpoints.enable(context.caller, endpoint, context.idempotencyKey);
    },
  }),
  deleteWebhookEndpoint: t.field({
    type: "ID",
    description:
      "Deletes it with its secrets, for good. What was delivered stays in the log for its 30 days.",
    errors: {},
    args: { endpoint: t.arg.id({ required: true }) },
    resolve: (_root, { endpoint }, context) => {
      requireSecretKey(context);
      return context.services.webhooks.endpoints.delete(context.caller, endpoint, context.idempotencyKey);
    },
  }),
  testWebhookEndpoint: t.field({
    type: WebhookDeliveryType,
    description:
      "Sends it an event of type webhook.test, also while its breaker is open. Ask for the delivery to see how it went.",
    errors: {},
    args: { endpoint: t.arg.id({ required: true }) },
    resolve: (_root, { endpoint }, context) => {
      requireSecretKey(context);
      return context.services.webhooks.deliveries.test(context.caller, endpoint, context.idempotencyKey);
    },
  }),
  redeliverWebhook: t.field({
    type: WebhookDeliveryType,
    description:
      "Sends a message to an endpoint again, whether it has arrived or not: the same webhook-id, the same bytes.",
    errors: {},
    args: { delivery: t.arg.id({ required: true }) },
    resolve: (_root, { delivery }, context) => {
      requireSecretKey(context);
      return context.services.webhooks.deliveries.redeliver(context.caller, delivery, context.idempotencyKey);
    },
  }),
  redeliverFailedWebhooks: t.field({
    type: RedeliveriesType,
    description: "Begins anew what failed for good since an instant, of one endpoint, the oldest first.",
    errors: {},
    args: {
      endpoint: t.arg.id({ required: true }),
      since: t.arg({ type: "Instant", required: true, description: "When it failed, in real time." }),
    },
    resolve: async (_root, input, context) => {
      requireSecretKey(context);
      const { webhooks } = context.services;
      return {
        count: await webhooks.deliveries.redeliverFailed(context.caller, input, context.idempotencyKey),
      };
    },
  }),
}));

/** Without what is null or undefined. */
function given(input: {
  readonly [K in keyof EndpointInput]: EndpointInput[K] | null | undefined;
}): EndpointInput {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value != null));
}

import { builder } from "../../graphql/builder.js";
import { phaseOf, type EndpointWithSecret, type WebhookEndpoint } from "../index.js";

const EndpointStateEnum = builder.enumType("WebhookEndpointState", {
  values: ["enabled", "disabled"] as const,
});

const DisabledReasonEnum = builder.enumType("WebhookDisabledReason", {
  description: "gone: it answered 410. failing: it only failed for 5 days.",
  values: ["by_hand", "gone", "failing"] as const,
});

const BreakerEnum = builder.enumType("WebhookBreaker", {
  description:
    "open: after 5 failures in a row, deliveries wait. half_open: one at a time is tried, and decides. No delivery loses an attempt by it.",
  values: ["closed", "open", "half_open"] as const,
});

export const WebhookEndpointType = builder.objectRef<WebhookEndpoint>("WebhookEndpoint").implement({
  description: "A receiver of webhooks. Instants are real time.",
  fields: (t) => ({
    id: t.exposeID("id"),
    url: t.exposeString("url"),
    description: t.string({ nullable: true, resolve: ({ description }) => description ?? null }),
    eventTypes: t.stringList({ resolve: ({ eventTypes }) => [...eventTypes] }),
    concurrencyMax: t.exposeInt("concurrencyMax", { description: "Attempts at once." }),
    ratePerSecondMax: t.exposeInt("ratePerSecondMax", { description: "Attempts begun per second." }),
    state: t.field({ type: EndpointStateEnum, resolve: ({ state }) => state }),
    disabledReason: t.field({
      type: DisabledReasonEnum,
      nullable: true,
      resolve: ({ disabledReason }) => disabledReason ?? null,
    }),
    disabledAt: t.field({
      type: "Instant",
      nullable: true,
      resolve: ({ disabledAt }) => disabledAt ?? null,
    }),
    breaker: t.field({
      type: BreakerEnum,
      resolve: ({ health }, _args, { services }) => phaseOf(health.breaker, services.clock.now()),
    }),
    breakerOpenUntil: t.field({
      type: "Instant",
      nullable: true,
      description: "When one delivery is tried; null when closed.",
      resolve: ({ health }) => health.breaker.until ?? null,
    }),
    failures: t.int({
      description: "One after the other, up to the last attempt.",
      resolve: ({ health }) => health.breaker.failures,
    }),
    failingSince: t.field({
      type: "Instant",
      nullable: true,
      description: "It only failed since. After 5 days it is disabled.",
      resolve: ({ health }) => health.failingSince ?? null,
    }),
    oldSecretsUntil: t.field({
      type: "Instant",
      nullable: true,
      description: "Until then messages are signed with an older secret too.",
      resolve: ({ oldSecretsUntil }) => oldSecretsUntil ?? null,
    }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    updatedAt: t.expose("updatedAt", { type: "Instant" }),
  }),
});

export const EndpointWithSecretType = builder
  .objectRef<EndpointWithSecret>("WebhookEndpointWithSecret")
  .implement({
    fields: (t) => ({
      endpoint: t.field({ type: WebhookEndpointType, resolve: ({ endpoint }) => endpoint }),
      secret: t.exposeString("secret", {
        description: "whsec_…, for the receiver to verify signatures with. Not shown by any query.",
      }),
    }),
  });

import type { PaymentProvider, ProviderAccount } from "../../provider.js";
import { stripeCharging } from "./stripe-charging.js";
import { StripeClients, type StripeTransport } from "./stripe-clients.js";
import { declineOf } from "./stripe-decline.js";
import { stripeDisputes } from "./stripe-disputes.js";
import { stripeEvents } from "./stripe-events.js";
import { checkStripeAccount, isTestKey, stripeCallsPerSecond, stripeFields } from "./stripe-fields.js";
import { stripeMethods, stripeSetupPages } from "./stripe-methods.js";
import { stripeRefunds } from "./stripe-refunds.js";

const hour_ms = 3_600_000;

/**
 * Stripe, by its official SDK: payment intents that are created first and confirmed off-session when their id is stored.
 * The SDK's own retries are off, since whoever calls knows what a repetition means; only a connection that was closed under a
 * request it tries once more by itself, under the same key.
 */
export function stripeProvider(transport: StripeTransport = {}): PaymentProvider {
  const clients = new StripeClients(transport);
  const clientOf = (account: ProviderAccount) => clients.of(account);
  return {
    name: "stripe",
    title: "Stripe",
    isRemote: true,
    callsPerSecond: stripeCallsPerSecond,
    // "At least 24 hours" (docs.stripe.com/api/idempotent_requests), less an hour for clocks and queues.
    keyWindow_ms: 23 * hour_ms,
    fields: stripeFields,
    files: { side: "provider", identifiersOf: () => [] },
    without: {},
    isTest: ({ secrets }) => isTestKey(secrets["secretKey"]),
    checkAccount: checkStripeAccount,
    declineFor: (code) => declineOf({ code }),
    charging: stripeCharging(clientOf),
    methods: stripeMethods(clientOf),
    setupPages: stripeSetupPages(clientOf),
    refunds: stripeRefunds(clientOf),
    disputes: stripeDisputes(clientOf),
    webhooks: stripeEvents(clientOf),
  };
}

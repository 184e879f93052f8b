import Stripe from "stripe";
import { instantFromMs, msOf, type Instant } from "../../../kernel/instant.js";
import type { EventTelling, ProviderEvent, ProviderObject } from "../../provider.js";
import { attemptOf, chargeReplyOf, expandMovement } from "./stripe-charge.js";
import type { ClientOf } from "./stripe-clients.js";
import { answered } from "./stripe-failure.js";
import { idOf, reportedDispute, reportedMethod, reportedPayout, reportedRefund } from "./stripe-objects.js";
import { expandRefundMovements } from "./stripe-refunds.js";

const webhook_tolerance_s = 300;
const list_page = 100;
/**
 * What Weir acts on, and so all that it asks the list of events for; Stripe takes 20 types at most. Of events that come in pairs
 * one is enough, since each only hints at its object.
 */
const event_types = [
  "payment_intent.requires_action",
  "payment_intent.succeeded",
  "payment_intent.payment_failed",
  "payment_intent.canceled",
  // When the charge has its balance transaction, which Stripe makes a moment later.
  "charge.updated",
  "refund.created",
  "refund.updated",
  "refund.failed",
  "charge.dispute.created",
  "charge.dispute.updated",
  "charge.dispute.funds_reinstated",
  "charge.dispute.closed",
  "payout.created",
  "payout.updated",
  "payout.paid",
  "payout.failed",
  "payout.canceled",
  "payment_method.automatically_updated",
  "payment_method.detached",
  "setup_intent.succeeded",
];
const event_pages_max = 50;

/** Webhooks, the objects that they hint at, and the list of events. */
export function stripeEvents(clientOf: ClientOf): EventTelling {
  return {
    readWebhook(account, headers, body, now) {
      const secret = account.secrets["webhookSecret"];
      if (secret === undefined) return { ok: false, reason: "the account has no webhook secret" };
      const signature = headers["stripe-signature"];
      if (typeof signature !== "string") return { ok: false, reason: "there is no Stripe-Signature header" };
      try {
        const event = Stripe.webhooks.constructEvent(
          Buffer.from(body),
          signature,
          secret,
          webhook_tolerance_s,
          undefined,
          msOf(now),
        );
        // The SDK looks only for what is too old.
        const signed_s = Number(/(?:^|,)t=(\d+)/.exec(signature)?.[1]);
        if (signed_s - msOf(now) / 1000 > webhook_tolerance_s)
          return { ok: false, reason: "it was signed in the future" };
        return { ok: true, event: eventOf(event) };
      } catch (error) {
        return {
          ok: false,
          reason: error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error),
        };
      }
    },

    fetch: (account, object) => answered(() => fetchObject(clientOf(account), object)),

    eventsAfter: (account, from) => answered(() => eventsAfter(clientOf(account), from)),
  };
}

async function fetchObject(
  stripe: Stripe,
  { type, id }: { type: string; id: string },
): Promise<ProviderObject> {
  switch (type) {
    case "payment_intent": {
      const intent = await stripe.paymentIntents.retrieve(id, { expand: expandMovement });
      return { kind: "charge", attempt: attemptOf(intent.metadata), reply: chargeReplyOf(intent) };
    }
    case "charge": {
      const intent = idOf((await stripe.charges.retrieve(id)).payment_intent);
      return intent === undefined
        ? { kind: "irrelevant" }
        : fetchObject(stripe, { type: "payment_intent", id: intent });
    }
    case "refund":
      return reportedRefund(await stripe.refunds.retrieve(id, { expand: expandRefundMovements }));
    case "dispute": {
      const dispute = await stripe.disputes.retrieve(id);
      return dispute.payment_intent === null
        ? { kind: "irrelevant" }
        : { kind: "dispute", dispute: reportedDispute(dispute) };
    }
    case "payout":
      return { kind: "payout", payout: reportedPayout(await stripe.payouts.retrieve(id)) };
    case "payment_method":
      return { kind: "method", method: reportedMethod(await stripe.paymentMethods.retrieve(id)) };
    case "setup_intent":
      return methodOf(stripe, await stripe.setupIntents.retrieve(id));
    case "checkout.session": {
      const { setup_intent: setup } = await stripe.checkout.sessions.retrieve(id, {
        expand: ["setup_intent"],
      });
      return setup === null || typeof setup === "string" ? { kind: "irrelevant" } : methodOf(stripe, setup);
    }
    default:
      return { kind: "irrelevant" };
  }
}

async function methodOf(stripe: Stripe, setup: Stripe.SetupIntent): Promise<ProviderObject> {
  const method = idOf(setup.payment_method);
  if (setup.status !== "succeeded" || method === undefined) return { kind: "irrelevant" };
  return { kind: "method", method: reportedMethod(await stripe.paymentMethods.retrieve(method)) };
}

async function eventsAfter(
  stripe: Stripe,
  { cursor, since }: { cursor: string | undefined; since: Instant },
): Promise<{ events: ProviderEvent[]; cursor: string | undefined; hasMore: boolean }> {
  // Stripe lists the newest first; before a cursor it gives those that come right after it in time.
  const page = cursor === undefined ? undefined : await pageBefore(stripe, cursor);
  if (page !== undefined) {
    const events = page.data.map(eventOf).reverse();
    return { events, cursor: events.at(-1)?.id ?? cursor, hasMore: page.has_more };
  }
  const events: ProviderEvent[] = [];
  for await (const event of stripe.events.list({
    created: { gte: Math.floor(msOf(since) / 1000) },
    types: event_types,
    limit: list_page,
  })) {
    events.push(eventOf(event));
    if (events.length >= event_pages_max * list_page) break;
  }
  events.reverse();
  return { events, cursor: events.at(-1)?.id, hasMore: false };
}

/** Undefined when the cursor's event is no longer listed: Stripe keeps events for 30 days. */
async function pageBefore(stripe: Stripe, cursor: string): Promise<Stripe.ApiList<Stripe.Event> | undefined> {
  try {
    return await stripe.events.list({ ending_before: cursor, types: event_types, limit: list_page });
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError && error.code === "resource_missing") return undefined;
    throw error;
  }
}

function eventOf(event: Stripe.Event): ProviderEvent {
  const object = event.data.object as { readonly id?: string; readonly object?: string };
  return {
    id: event.id,
    type: event.type,
    objectType: object.object ?? "",
    objectId: object.id ?? "",
    happenedAt: instantFromMs(event.created * 1000),
  };
}

import Stripe from "stripe";
import { instantFromMs, msOf, type Instant } from "../../../kernel/instant.js";
import { formatMoney } from "../../../kernel/money.js";
import type {
  ChargeQuestion,
  ChargeReply,
  NewCharge,
  NewRefund,
  PaymentProvider,
  ProviderAccount,
  ProviderEvent,
  ProviderObject,
  RefundQuestion,
  RefundReply,
} from "../../provider.js";
import { ProviderUnanswered } from "../../provider-failure.js";
import { attempt_key, attemptOf, chargeReplyOf, refund_key } from "./stripe-charge.js";
import { StripeClients, type StripeTransport } from "./stripe-clients.js";
import { declineOf } from "./stripe-decline.js";
import { stripeFailure } from "./stripe-failure.js";
import { checkStripeAccount, isTestKey, stripeFields } from "./stripe-fields.js";
import {
  idOf,
  refundReplyOf,
  reportedDispute,
  reportedMethod,
  reportedPayout,
  reportedRefund,
} from "./stripe-objects.js";
import { stripeAmountFault, toStripeAmount } from "./stripe-amount.js";

const hour_ms = 3_600_000;
const webhook_tolerance_s = 300;
const list_page = 100;
/** Charges of one customer that a look-up without an id goes through at most. */
const looked_through_max = 1_000;
const event_pages_max = 50;
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
/** Clocks differ: charges of so long before an attempt may be its. */
const clock_tolerance_ms = 300_000;
const expandRefundMovements = ["balance_transaction", "failure_balance_transaction"];
const expandMovement = ["latest_charge.balance_transaction"];

/**
 * Stripe, by its official SDK: payment intents that are created first and confirmed off-session when their id is stored.
 * The SDK's own retries are off, since whoever calls knows what a repetition means; only a connection that was closed under a
 * request it tries once more by itself, under the same key.
 */
export function stripeProvider(transport: StripeTransport = {}): PaymentProvider {
  const clients = new StripeClients(transport);
  const clientOf = (account: ProviderAccount) => clients.of(account);

  async function confirm(
    account: ProviderAccount,
    charge: NewCharge & { ref: string },
  ): Promise<ChargeReply> {
    try {
      return chargeReplyOf(
        await clientOf(account).paymentIntents.confirm(
          charge.ref,
          { off_session: true, payment_method: charge.methodRef, expand: expandMovement },
          { idempotencyKey: `weir:${charge.attempt}:confirm` },
        ),
      );
    } catch (error) {
      if (error instanceof Stripe.errors.StripeCardError) {
        return { kind: "declined", ref: error.payment_intent?.id ?? charge.ref, decline: declineOf(error) };
      }
      throw stripeFailure(error);
    }
  }

  return {
    name: "stripe",
    title: "Stripe",
    // "At least 24 hours" (docs.stripe.com/api/idempotent_requests), less an hour for clocks and queues.
    keyWindow_ms: 23 * hour_ms,
    fields: stripeFields,
    isTest: ({ secrets }) => isTestKey(secrets["secretKey"]),
    checkAccount: checkStripeAccount,
    amountFault: stripeAmountFault,

    createCustomer: (account, { id, name, email }) =>
      answered(async () => {
        const made = await clientOf(account).customers.create(
          { name, ...(email === undefined ? {} : { email }), metadata: { weir_customer: id } },
          { idempotencyKey: `weir:${account.id}:${id}` },
        );
        return made.id;
      }),

    attachMethod: (account, customerRef, methodRef) =>
      answered(async () =>
        reportedMethod(await clientOf(account).paymentMethods.attach(methodRef, { customer: customerRef })),
      ),

    detachMethod: (account, methodRef) =>
      answered(async () => {
        await clientOf(account).paymentMethods.detach(methodRef);
      }),

    setupPage: (account, { customerRef, returnUrl }) =>
      answered(async () => {
        const session = await clientOf(account).checkout.sessions.create({
          mode: "setup",
          customer: customerRef,
          success_url: returnUrl,
          cancel_url: returnUrl,
        });
        if (session.url === null)
          throw new ProviderUnanswered(`Stripe made session ${session.id} without a page`);
        return { ref: session.id, url: session.url };
      }),

    create: (account, charge) =>
      answered(async () =>
        chargeReplyOf(
          await clientOf(account).paymentIntents.create(
            {
              amount: toStripeAmount(charge.amount),
              currency: charge.amount.currency.toLowerCase(),
              customer: charge.customerRef,
              payment_method: charge.methodRef,
              // Nobody is there to be sent to another page and back.
              automatic_payment_methods: { enabled: true, allow_redirects: "never" },
              description: charge.description,
              metadata: {
                [attempt_key]: charge.attempt,
                weir_target: charge.target,
                weir_amount: formatMoney(charge.amount),
              },
            },
            { idempotencyKey: `weir:${charge.attempt}:create` },
          ),
        ),
      ),

    confirm,

    lookUp: (account, question) => answered(() => lookUp(clientOf(account), question)),

    cancel: (account, { attempt, ref }) =>
      answered(async () => {
        try {
          return chargeReplyOf(
            await clientOf(account).paymentIntents.cancel(
              ref,
              {},
              { idempotencyKey: `weir:${attempt}:cancel` },
            ),
          );
        } catch (error) {
          // It cannot be canceled any more: what it is says why.
          if (error instanceof Stripe.errors.StripeInvalidRequestError) {
            const intent = await clientOf(account).paymentIntents.retrieve(ref, { expand: expandMovement });
            const reply = chargeReplyOf(intent);
            if (reply.kind !== "created") return reply;
          }
          throw error;
        }
      }),

    refund: (account, { refund, chargeRef, amount }: NewRefund) =>
      answered(async () =>
        refundReplyOf(
          await clientOf(account).refunds.create(
            {
              payment_intent: chargeRef,
              amount: toStripeAmount(amount),
              metadata: { [refund_key]: refund },
              expand: expandRefundMovements,
            },
            { idempotencyKey: `weir:${refund}` },
          ),
        ),
      ),

    lookUpRefund: (account, question) => answered(() => lookUpRefund(clientOf(account), question)),

    submitEvidence: (account, { ref, evidence, submit }) =>
      answered(async () =>
        reportedDispute(await clientOf(account).disputes.update(ref, { evidence: { ...evidence }, submit })),
      ),

    acceptDispute: (account, ref) =>
      answered(async () => reportedDispute(await clientOf(account).disputes.close(ref))),

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

async function lookUp(
  stripe: Stripe,
  { attempt, ref, customerRef, sentAt }: ChargeQuestion,
): Promise<ChargeReply | "not_found"> {
  if (ref !== undefined)
    return chargeReplyOf(await stripe.paymentIntents.retrieve(ref, { expand: expandMovement }));
  const since = Math.floor((msOf(sentAt) - clock_tolerance_ms) / 1000);
  let seen = 0;
  for await (const intent of stripe.paymentIntents.list({
    customer: customerRef,
    created: { gte: since },
    limit: list_page,
  })) {
    if (attemptOf(intent.metadata) === attempt)
      return chargeReplyOf(await stripe.paymentIntents.retrieve(intent.id, { expand: expandMovement }));
    seen += 1;
    if (seen >= looked_through_max)
      throw new ProviderUnanswered(
        `none of ${looked_through_max} charges of the customer is this one, and there are more`,
      );
  }
  return "not_found";
}

async function lookUpRefund(
  stripe: Stripe,
  { refund, ref, chargeRef }: RefundQuestion,
): Promise<RefundReply | "not_found"> {
  const expand = expandRefundMovements;
  if (ref !== undefined) return refundReplyOf(await stripe.refunds.retrieve(ref, { expand }));
  for await (const one of stripe.refunds.list({ payment_intent: chargeRef, limit: list_page })) {
    if (one.metadata?.[refund_key] === refund)
      return refundReplyOf(await stripe.refunds.retrieve(one.id, { expand }));
  }
  return "not_found";
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
  if (cursor !== undefined) {
    const page = await stripe.events.list({
      ending_before: cursor,
      types: event_types,
      limit: list_page,
    });
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

async function answered<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw stripeFailure(error);
  }
}

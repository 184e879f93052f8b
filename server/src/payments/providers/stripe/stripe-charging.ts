import Stripe from "stripe";
import { msOf } from "../../../kernel/instant.js";
import { formatMoney } from "../../../kernel/money.js";
import type { ChargeQuestion, ChargeReply, Charging, NewCharge, ProviderAccount } from "../../provider.js";
import { ProviderUnanswered } from "../../provider-failure.js";
import { stripeAmountFault, toStripeAmount } from "./stripe-amount.js";
import { attempt_key, attemptOf, chargeReplyOf, expandMovement } from "./stripe-charge.js";
import type { ClientOf } from "./stripe-clients.js";
import { declineOf } from "./stripe-decline.js";
import { answered, stripeFailure } from "./stripe-failure.js";

const list_page = 100;
/** Charges of one customer that a look-up without an id goes through at most. */
const looked_through_max = 1_000;
/** Clocks differ: charges of so long before an attempt may be its. */
const clock_tolerance_ms = 300_000;

/** Payment intents. */
export function stripeCharging(clientOf: ClientOf): Charging {
  return {
    amountFault: stripeAmountFault,

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

    confirm: (account, charge) => confirm(clientOf, account, charge),

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
  };
}

async function confirm(
  clientOf: ClientOf,
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

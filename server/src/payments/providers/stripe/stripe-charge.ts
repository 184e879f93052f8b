import type Stripe from "stripe";
import type { PaymentAttemptId } from "../../../kernel/ids.js";
import type { ChargeReply, SettledAmounts } from "../../provider.js";
import { declineOf } from "./stripe-decline.js";
import { fromStripeAmount } from "./stripe-amount.js";

/** Where a payment intent names our attempt. */
export const attempt_key = "weir_attempt";
export const refund_key = "weir_refund";

/** A payment intent with what it did to the balance. */
export const expandMovement = ["latest_charge.balance_transaction"];

/** What a payment intent says, its latest charge and that one's balance transaction expanded where there are any. */
export function chargeReplyOf(intent: Stripe.PaymentIntent): ChargeReply {
  const { id: ref } = intent;
  switch (intent.status) {
    case "succeeded":
      return {
        kind: "succeeded",
        ref,
        captured: fromStripeAmount(intent.amount_received, intent.currency),
        settled: settledOf(intent),
      };
    case "processing":
    case "requires_capture":
      return { kind: "processing", ref };
    case "requires_action":
      return { kind: "requires_action", ref, url: intent.next_action?.redirect_to_url?.url ?? undefined };
    case "canceled":
      return { kind: "canceled", ref };
    case "requires_confirmation":
    case "requires_payment_method":
      // After a decline the intent waits for another method, which it never gets from us.
      return intent.last_payment_error
        ? { kind: "declined", ref, decline: declineOf(intent.last_payment_error) }
        : { kind: "created", ref };
    default:
      // A status of a newer API: it has taken nothing that we know of, and is asked for again.
      return { kind: "processing", ref };
  }
}

export function attemptOf(metadata: Stripe.Metadata | null): PaymentAttemptId | undefined {
  return metadata?.[attempt_key] as PaymentAttemptId | undefined;
}

function settledOf({ latest_charge: charge }: Stripe.PaymentIntent): SettledAmounts | undefined {
  if (charge === null || typeof charge === "string") return undefined;
  return movementOf(charge.balance_transaction);
}

/** A movement of Stripe's balance, when it was expanded and is known. */
export function movementOf(
  movement: string | Stripe.BalanceTransaction | null | undefined,
): SettledAmounts | undefined {
  if (movement === null || movement === undefined || typeof movement === "string") return undefined;
  return {
    ref: movement.id,
    gross: fromStripeAmount(movement.amount, movement.currency),
    fee: fromStripeAmount(movement.fee, movement.currency),
    rate: movement.exchange_rate === null ? undefined : String(movement.exchange_rate),
  };
}

import type Stripe from "stripe";
import type { NewRefund, RefundQuestion, RefundReply, RefundSending } from "../../provider.js";
import { stripeAmountFault, toStripeAmount } from "./stripe-amount.js";
import { refund_key } from "./stripe-charge.js";
import type { ClientOf } from "./stripe-clients.js";
import { answered } from "./stripe-failure.js";
import { refundReplyOf } from "./stripe-objects.js";

const list_page = 100;
export const expandRefundMovements = ["balance_transaction", "failure_balance_transaction"];

export function stripeRefunds(clientOf: ClientOf): RefundSending {
  return {
    to: "charge",
    amountFault: stripeAmountFault,

    refund: (account, refund) =>
      answered(async () =>
        refundReplyOf(
          await clientOf(account).refunds.create(
            {
              payment_intent: chargeOf(refund),
              amount: toStripeAmount(refund.amount),
              metadata: { [refund_key]: refund.refund },
              expand: expandRefundMovements,
            },
            { idempotencyKey: `weir:${refund.refund}` },
          ),
        ),
      ),

    lookUpRefund: (account, question) => answered(() => lookUpRefund(clientOf(account), question)),
  };
}

async function lookUpRefund(stripe: Stripe, question: RefundQuestion): Promise<RefundReply | "not_found"> {
  const { refund, ref } = question;
  if (ref !== undefined)
    return refundReplyOf(await stripe.refunds.retrieve(ref, { expand: expandRefundMovements }));
  for await (const one of stripe.refunds.list({ payment_intent: chargeOf(question), limit: list_page })) {
    if (one.metadata?.[refund_key] === refund)
      return refundReplyOf(await stripe.refunds.retrieve(one.id, { expand: expandRefundMovements }));
  }
  return "not_found";
}

function chargeOf({ refund, chargeRef }: Pick<NewRefund, "refund" | "chargeRef">): string {
  if (chargeRef === undefined) throw new RangeError(`refund ${refund} is of no charge`);
  return chargeRef;
}

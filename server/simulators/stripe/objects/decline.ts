/** Why an issuer, or Stripe, says no: what stands in the error, the charge and its outcome. */
export interface Decline {
  readonly code: string;
  readonly declineCode: string;
  readonly message: string;
  readonly param?: string;
  /** What Stripe advises: "do_not_try_again", "try_again_later", "confirm_card_data". */
  readonly advice?: string;
  /** Stripe itself refused, before the issuer was asked. */
  readonly isBlocked?: boolean;
}

const declined = "Your card was declined.";

/** The declines that test cards give, and that a fault may name. */
export const declines = {
  generic_decline: {
    code: "card_declined",
    declineCode: "generic_decline",
    message: declined,
    advice: "try_again_later",
  },
  insufficient_funds: {
    code: "card_declined",
    declineCode: "insufficient_funds",
    message: "Your card has insufficient funds.",
    advice: "try_again_later",
  },
  lost_card: {
    code: "card_declined",
    declineCode: "lost_card",
    message: declined,
    advice: "do_not_try_again",
  },
  stolen_card: {
    code: "card_declined",
    declineCode: "stolen_card",
    message: declined,
    advice: "do_not_try_again",
  },
  card_velocity_exceeded: {
    code: "card_declined",
    declineCode: "card_velocity_exceeded",
    message:
      "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    advice: "try_again_later",
  },
  do_not_honor: {
    code: "card_declined",
    declineCode: "do_not_honor",
    message: declined,
    advice: "try_again_later",
  },
  pickup_card: {
    code: "card_declined",
    declineCode: "pickup_card",
    message: declined,
    advice: "do_not_try_again",
  },
  fraudulent: { code: "card_declined", declineCode: "fraudulent", message: declined, isBlocked: true },
  expired_card: {
    code: "expired_card",
    declineCode: "expired_card",
    message: "Your card has expired.",
    param: "exp_month",
    advice: "confirm_card_data",
  },
  incorrect_cvc: {
    code: "incorrect_cvc",
    declineCode: "incorrect_cvc",
    message: "Your card's security code is incorrect.",
    param: "cvc",
    advice: "confirm_card_data",
  },
  processing_error: {
    code: "processing_error",
    declineCode: "processing_error",
    message: "An error occurred while processing your card. Try again in a little bit.",
    advice: "try_again_later",
  },
  account_closed: {
    code: "payment_method_provider_decline",
    declineCode: "account_closed",
    message: "The customer's bank account has been closed.",
  },
  debit_not_authorized: {
    code: "debit_not_authorized",
    declineCode: "debit_not_authorized",
    message: "The customer has notified their bank that this payment was unauthorized.",
  },
  authentication_required: {
    code: "authentication_required",
    declineCode: "authentication_required",
    message: "Your card was declined. This transaction requires authentication.",
  },
} as const satisfies Record<string, Decline>;

export type DeclineName = keyof typeof declines;

export const declineNames = Object.keys(declines) as readonly DeclineName[];

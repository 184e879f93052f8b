import type { Decline } from "../../core/index.js";

/*
 * Codes after which the same card will not do (docs.stripe.com/declines/codes; those of "Stripe won't retry" in
 * docs.stripe.com/billing/revenue-recovery/smart-retries, and those that say that the card is no good any more).
 */
const hard = new Set([
  "authentication_required",
  "authentication_not_handled",
  "card_not_supported",
  "expired_card",
  "fraudulent",
  "highest_risk_level",
  "incorrect_number",
  "invalid_account",
  "invalid_number",
  "lost_card",
  "merchant_blacklist",
  "new_account_information_available",
  "not_permitted",
  "pickup_card",
  "restricted_card",
  "revocation_of_all_authorizations",
  "revocation_of_authorization",
  "security_violation",
  "stolen_card",
  "stop_payment_order",
  "transaction_not_allowed",
]);
const setup = new Set(["currency_not_supported", "amount_too_large", "amount_too_small", "testmode_decline"]);

/** What a card's decline means for trying again. The more precise of Stripe's two codes counts. */
export function declineOf(error: {
  readonly code?: string | null | undefined;
  readonly decline_code?: string | null | undefined;
  readonly message?: string | null | undefined;
}): Decline {
  const code = error.decline_code ?? error.code ?? "declined";
  const message = error.message ?? "The payment was declined.";
  return { code, hardness: setup.has(code) ? "setup" : hard.has(code) ? "hard" : "soft", message };
}

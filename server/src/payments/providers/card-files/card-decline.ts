import type { Decline } from "../../core/index.js";

type Known = Pick<Decline, "code" | "hardness" | "message">;

const hard = (code: string, message: string): Known => ({ code, hardness: "hard", message });
const soft = (code: string, message: string): Known => ({ code, hardness: "soft", message });
const setup = (code: string, message: string): Known => ({ code, hardness: "setup", message });

/** ISO 8583:1987, data element 39, as the schemes use it; the names are those by which dunning chooses its times. */
const responses: Readonly<Record<string, Known>> = {
  "01": soft("call_issuer", "The issuer wants to be called."),
  "03": setup("invalid_merchant", "The acquirer does not know the merchant."),
  "04": hard("pickup_card", "The issuer wants the card back."),
  "05": soft("do_not_honor", "The issuer declines without a reason."),
  "06": soft("processing_error", "Something went wrong at the issuer."),
  "07": hard("pickup_card", "The issuer wants the card back."),
  "12": setup("invalid_transaction", "The card does not take such a transaction."),
  "13": setup("invalid_amount", "The amount is not valid."),
  "14": hard("invalid_number", "There is no such card."),
  "15": hard("invalid_number", "There is no such issuer."),
  "19": soft("reenter_transaction", "The issuer asks to try again."),
  "30": setup("format_error", "The acquirer cannot read the item."),
  "41": hard("lost_card", "The card was lost."),
  "43": hard("stolen_card", "The card was stolen."),
  "46": hard("closed_account", "The account is closed."),
  "51": soft("insufficient_funds", "The account has too little."),
  "54": hard("expired_card", "The card has expired."),
  "57": hard("transaction_not_allowed", "The cardholder may not do this."),
  "59": hard("fraudulent", "The issuer suspects fraud."),
  "61": soft("card_velocity_exceeded", "The card's limit for amounts is reached."),
  "62": hard("restricted_card", "The card is restricted."),
  "65": soft("withdrawal_count_limit_exceeded", "The card was used too often."),
  "78": hard("invalid_number", "The card was never activated, or there is no such account."),
  "91": soft("issuer_not_available", "The issuer does not answer."),
  "96": soft("processing_error", "A system does not work."),
  R0: hard("stop_payment_order", "The cardholder stopped this payment."),
  R1: hard("revocation_of_authorization", "The cardholder stopped all payments to the merchant."),
  R3: hard("revocation_of_all_authorizations", "The cardholder stopped all payments."),
};

/** What a code of an acquirer's response, or our name for it, means for trying again; one that is not known may pass. */
export function cardDecline(code: string): Decline {
  const named = Object.values(responses).find((each) => each.code === code.toLowerCase());
  return (
    responses[code.toUpperCase()] ?? named ?? soft(code.toLowerCase(), `The acquirer declined it: ${code}.`)
  );
}

import type { PaymentMethodRecord } from "../account.js";

/** Whether the issuer wants the owner to prove who they are before a payment. */
export function needsAuthentication(method: PaymentMethodRecord, isOffSession: boolean): boolean {
  switch (method.instrument.authentication) {
    case "never":
      return false;
    case "always":
      return true;
    case "unless_set_up":
      return !method.isSetUp;
    case "on_session":
      return !isOffSession;
  }
}

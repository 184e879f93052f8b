/** Kinds of wakes and runs of this domain. */

/** Makes a payment attempt: of an invoice that was finalized, of a retry, of a top-up. */
export const charge_kind = "charge";
/** Asks the provider what became of an attempt. */
export const repair_kind = "payment-repair";
/** The end of dunning, by the organization's schedule. */
export const dunning_end_kind = "dunning-end";
/** Acts on an event that a provider told us of. */
export const provider_event_kind = "provider-event";
/** Sends a refund. */
export const refund_kind = "refund";

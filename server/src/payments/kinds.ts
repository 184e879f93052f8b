/** Kinds of wakes and runs of this domain. */

/** Makes a payment attempt: of an invoice that was finalized, of a retry, of a top-up. */
export const charge_kind = "charge";
/** Asks the provider what became of an attempt. */
export const repair_kind = "payment-repair";
/** The end of dunning, by the organization's schedule. */
export const dunning_end_kind = "dunning-end";
/** Acts on an event that a provider told us of. */
export const provider_event_kind = "provider-event";
/** Reads a provider's list of events for those that never came. */
export const event_look_kind = "provider-event-look";
/** Closes the open batch of a provider account. */
export const payment_batch_kind = "payment-batch";
/** Makes the file of a batch that was closed. */
export const payment_batch_file_kind = "payment-batch-file";
/** Sends a refund. */
export const refund_kind = "refund";

import Stripe from "stripe";
import { ProviderBusy, ProviderRefusal, ProviderUnanswered } from "../../provider-failure.js";

const busy_ms = 2_000;
const busy_ms_max = 60_000;

/** What a failed call of Stripe's SDK means for us. A declined card is no failure: its caller has looked at it before. */
export function stripeFailure(error: unknown): Error {
  if (!(error instanceof Stripe.errors.StripeError))
    return error instanceof Error ? error : new Error(String(error));
  const { message, statusCode } = error;
  const code = error.code ?? error.type;
  if (error instanceof Stripe.errors.StripeRateLimitError || statusCode === 429)
    return new ProviderBusy(`Stripe is busy: ${message}`, waitOf(error));
  // A key that is in use, or that stands for another request: what it did is to be looked up.
  if (error instanceof Stripe.errors.StripeIdempotencyError || statusCode === 409)
    return new ProviderUnanswered(`Stripe: ${message}`, { cause: error });
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new ProviderRefusal({ code, hardness: "setup", message });
  return new ProviderUnanswered(`Stripe did not answer: ${message}`, { cause: error });
}

function waitOf(error: { readonly headers?: Readonly<Record<string, string>> | undefined }): number {
  const seconds = Number(error.headers?.["retry-after"]);
  if (!Number.isFinite(seconds) || seconds < 0) return busy_ms;
  return Math.min(seconds * 1000, busy_ms_max);
}

/** Waits for Stripe's answer. @throws what `stripeFailure` makes of a failure */
export async function answered<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw stripeFailure(error);
  }
}

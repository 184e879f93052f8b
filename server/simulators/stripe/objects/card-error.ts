import { ApiError, type ErrorBody } from "../api/api-error.js";
import type { Decline } from "./decline.js";

/** 402: the card said no. `details` name what the request was about. */
export function cardError(
  decline: Decline,
  details: Partial<Pick<ErrorBody, "charge" | "payment_intent" | "payment_method" | "setup_intent">>,
): ApiError {
  const body = { type: "card_error", ...declineFields(decline), ...details } as const;
  return new ApiError(402, body, { isStored: true });
}

/** A decline as it stands in an error and in `last_payment_error`. */
export function declineFields(decline: Decline): {
  readonly code: string;
  readonly decline_code: string;
  readonly message: string;
  readonly param?: string;
  readonly advice_code?: string;
} {
  return {
    code: decline.code,
    decline_code: decline.declineCode,
    message: decline.message,
    ...(decline.param !== undefined && { param: decline.param }),
    ...(decline.advice !== undefined && { advice_code: decline.advice }),
  };
}

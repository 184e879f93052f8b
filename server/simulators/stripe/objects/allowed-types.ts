import { badParameter } from "../api/api-error.js";
import type { Parameters } from "../api/parameters.js";

const known = ["card", "us_bank_account"] as const;
export type MethodType = (typeof known)[number];

/**
 * The types of payment methods that a request allows, of those that the simulator has; undefined for all.
 * @throws ApiError 400 for others, and for the parameter that the pinned version does not have any more
 */
export function readAllowedTypes(
  params: Parameters,
  supported: readonly MethodType[] = known,
): MethodType[] | undefined {
  if (params.has("payment_method_types"))
    throw badParameter(
      "payment_method_types",
      "Received unknown parameter: payment_method_types. Use allowed_payment_method_types, as this API version does.",
      "parameter_unknown",
    );
  const given = params.texts("allowed_payment_method_types");
  return given?.map((name) => {
    const type = supported.find((candidate) => candidate === name);
    if (type === undefined)
      throw badParameter(
        "allowed_payment_method_types",
        `The payment method type "${name}" is not among those that the simulator has here: ${supported.join(", ")}.`,
      );
    return type;
  });
}

/** The allowed types that go with a currency. */
export function typesFor(allowed: readonly MethodType[] | undefined, currency: string): MethodType[] {
  return (allowed ?? known).filter((type) => type === "card" || currency === "usd");
}

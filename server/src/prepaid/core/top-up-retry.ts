import { hour, type Instant } from "../../kernel/instant.js";

/** Why an attempt took nothing; undefined when it was canceled, which says nothing of the card. */
export type TopUpDecline = { readonly hardness: "hard" | "soft" | "setup" } | undefined;

/** After each soft decline, in the organization's time. */
export const retry_waits: readonly number[] = [hour, 6 * hour, 24 * hour];

export type AfterDecline =
  | { readonly kind: "retry"; readonly at: Instant }
  /** The same card will not do, or not in a day: nothing more is charged by itself. */
  | { readonly kind: "fail" }
  | { readonly kind: "cancel" };

/**
 * What becomes of a top-up whose attempt took nothing.
 * @param number  of the attempt: 1 for the first
 */
export function afterDecline(
  decline: TopUpDecline,
  { number, isAutomatic }: { readonly number: number; readonly isAutomatic: boolean },
  now: Instant,
): AfterDecline {
  if (decline === undefined) return { kind: "cancel" };
  const wait = retry_waits[number - 1];
  if (!isAutomatic || decline.hardness !== "soft" || wait === undefined) return { kind: "fail" };
  return { kind: "retry", at: (now + wait) as Instant };
}

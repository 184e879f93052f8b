import type { Instant } from "../../kernel/instant.js";
import type { Decline } from "./decline.js";

/** docs/spec/payment-attempt.md */
export const attempt_states = [
  "pending",
  "processing",
  "requires_action",
  "unknown",
  "succeeded",
  "failed",
  "canceled",
] as const;
export type AttemptState = (typeof attempt_states)[number];

/** States in which money may still move: an invoice has at most one attempt in them. */
export const open_attempt_states = ["pending", "processing", "requires_action", "unknown"] as const;

/** What became known of an attempt, from a reply, a look-up or a webhook's object: all are told the same way. */
export type AttemptInput =
  /** The provider knows the charge and has taken nothing yet. */
  | { readonly kind: "created"; readonly ref: string }
  | { readonly kind: "processing"; readonly ref: string }
  /** The customer has to do something first, such as 3-D Secure. */
  | { readonly kind: "requires_action"; readonly ref: string; readonly url: string | undefined }
  | { readonly kind: "succeeded"; readonly ref: string }
  /** Tried, and proven that nothing was taken nor will be. */
  | { readonly kind: "declined"; readonly ref: string | undefined; readonly decline: Decline }
  | { readonly kind: "canceled"; readonly ref: string | undefined }
  /** The provider refused the request itself, so that nothing was taken by it. */
  | { readonly kind: "refused"; readonly decline: Decline }
  /** No reply, or one that leaves it open whether money was taken. */
  | { readonly kind: "unanswered"; readonly error: string }
  /** A look-up that sees every charge there is found none of this attempt. */
  | { readonly kind: "not_found" };

export type AttemptInputKind = AttemptInput["kind"];

/** What of an attempt its transitions depend on and change. */
export interface AttemptStatus {
  readonly state: AttemptState;
  /** The provider's id of the charge, once known. */
  readonly ref: string | undefined;
  readonly decline: Decline | undefined;
  /** Where the customer can do what is required. */
  readonly actionUrl: string | undefined;
  /** Since when the outcome is unknown. */
  readonly unknownSince: Instant | undefined;
}

/** What is to be done with a transition, in its transaction. */
export type AttemptEffect =
  /** Money was taken: post it, and count it towards the invoice. */
  | "capture"
  /** Proven that none was taken: the invoice is free for another attempt, and dunning goes on. */
  | "release"
  /** Tell the customer what to do. */
  | "ask_customer"
  /** See to it soon: ask the provider until it is known, and end what nobody goes on with. */
  | "look_up"
  /** Money was taken by an attempt that had ended without: a person looks at it. */
  | "report_late_capture";

export type AttemptTransition =
  | { readonly kind: "accepted"; readonly next: AttemptStatus; readonly effects: readonly AttemptEffect[] }
  /** Nothing new. */
  | { readonly kind: "ignored" }
  /** Older than what is known. */
  | { readonly kind: "stale" }
  /** Contradicts what is known: the charge is another one. Nothing changes, and a person looks at it. */
  | { readonly kind: "contradicts"; readonly detail: string };

type Cell = AttemptState | "ignored" | "stale";

/*
 * Every state by every input. Money that was taken is a fact whatever was known before; that none was taken is believed only
 * while nothing says otherwise; and an ended attempt is not opened again.
 */
const transitions: Readonly<Record<AttemptState, Readonly<Record<AttemptInputKind, Cell>>>> = {
  pending: {
    created: "pending",
    processing: "processing",
    requires_action: "requires_action",
    succeeded: "succeeded",
    declined: "failed",
    canceled: "canceled",
    refused: "failed",
    unanswered: "unknown",
    // It may be on its way: only an attempt whose sender is known to be gone is looked up.
    not_found: "ignored",
  },
  processing: {
    created: "stale",
    processing: "ignored",
    requires_action: "requires_action",
    succeeded: "succeeded",
    declined: "failed",
    canceled: "canceled",
    // A refusal says that this request took nothing, not what became of the one before.
    refused: "unknown",
    unanswered: "unknown",
    not_found: "ignored",
  },
  requires_action: {
    created: "stale",
    processing: "processing",
    requires_action: "ignored",
    succeeded: "succeeded",
    declined: "failed",
    canceled: "canceled",
    refused: "unknown",
    unanswered: "unknown",
    not_found: "ignored",
  },
  unknown: {
    created: "pending",
    processing: "processing",
    requires_action: "requires_action",
    succeeded: "succeeded",
    declined: "failed",
    canceled: "canceled",
    refused: "ignored",
    unanswered: "ignored",
    not_found: "failed",
  },
  succeeded: {
    created: "stale",
    processing: "stale",
    requires_action: "stale",
    succeeded: "ignored",
    declined: "stale",
    canceled: "stale",
    refused: "ignored",
    unanswered: "ignored",
    not_found: "ignored",
  },
  failed: {
    created: "stale",
    processing: "stale",
    requires_action: "stale",
    succeeded: "succeeded",
    declined: "ignored",
    canceled: "ignored",
    refused: "ignored",
    unanswered: "ignored",
    not_found: "ignored",
  },
  canceled: {
    created: "stale",
    processing: "stale",
    requires_action: "stale",
    succeeded: "succeeded",
    declined: "ignored",
    canceled: "ignored",
    refused: "ignored",
    unanswered: "ignored",
    not_found: "ignored",
  },
};

/** What an input makes of an attempt. */
export function onAttemptInput(status: AttemptStatus, input: AttemptInput, now: Instant): AttemptTransition {
  const ref = "ref" in input ? input.ref : undefined;
  if (ref !== undefined && status.ref !== undefined && ref !== status.ref) {
    return { kind: "contradicts", detail: `the attempt is charge ${status.ref}, not ${ref}` };
  }
  // A charge that was seen is not proven gone by being out of sight.
  if (input.kind === "not_found" && status.ref !== undefined) return { kind: "ignored" };
  const cell = transitions[status.state][input.kind];
  if (cell === "ignored" || cell === "stale") return { kind: cell };
  const next: AttemptStatus = {
    state: cell,
    ref: ref ?? status.ref,
    decline: cell === "failed" ? declineOf(input) : undefined,
    actionUrl: input.kind === "requires_action" ? input.url : undefined,
    unknownSince: cell === "unknown" ? now : undefined,
  };
  if (cell === status.state && next.ref === status.ref) return { kind: "ignored" };
  return { kind: "accepted", next, effects: effectsOf(status.state, cell) };
}

export function isOpen(state: AttemptState): boolean {
  return (open_attempt_states as readonly AttemptState[]).includes(state);
}

function effectsOf(before: AttemptState, after: AttemptState): AttemptEffect[] {
  switch (after) {
    case "succeeded":
      return isOpen(before) ? ["capture"] : ["capture", "report_late_capture"];
    case "failed":
    case "canceled":
      return ["release"];
    case "requires_action":
      return ["ask_customer"];
    case "unknown":
      return ["look_up"];
    case "pending":
      // Nothing was taken, and whoever was to take it may be gone: it is looked after until it has ended.
      return before === "unknown" ? ["look_up"] : [];
    case "processing":
      return [];
  }
}

function declineOf(input: AttemptInput): Decline {
  if (input.kind === "declined" || input.kind === "refused") return input.decline;
  return {
    code: "not_sent",
    hardness: "soft",
    message: "The charge never reached the provider.",
  };
}

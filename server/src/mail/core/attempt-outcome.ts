import { second, minute, hour, day, type Instant } from "../../kernel/instant.js";

/** What an SMTP server made of a mail. */
export type AttemptOutcome =
  /** 2xx after the data: it is the server's from now on. */
  | { readonly kind: "accepted"; readonly reply: string }
  /** 5xx: it will never take it. */
  | { readonly kind: "rejected"; readonly reply: string }
  /** 4xx: not now. */
  | { readonly kind: "deferred"; readonly reply: string }
  /** Nothing was given to it: it was not reached, or let nobody in. */
  | { readonly kind: "unreachable"; readonly error: string }
  /** The connection was lost on the way: it may have taken the mail. */
  | { readonly kind: "unknown"; readonly error: string };

export interface AttemptedMail {
  /** This one included. */
  readonly attempts: number;
  /** When it was queued, or last sent again by a person. */
  readonly queuedAt: Instant;
}

/** What becomes of a mail after an attempt. */
export type AttemptDecision =
  | { readonly state: "sent"; readonly reply: string }
  | { readonly state: "failed"; readonly reply: string | undefined; readonly reason: string }
  | {
      readonly state: "queued";
      readonly reply: string | undefined;
      readonly reason: string;
      readonly dueAt: Instant;
    };

/** A mail that was not taken for so long is given up. */
export const give_up_after = 3 * day;
const wait_first = 5 * second;
const wait_max = 4 * hour;
/** How long nothing is tried after a server could not be reached. */
const pause_max = 5 * minute;

/**
 * Accepted is sent, 5xx is failed at once; everything else is tried again, 5 s after the first attempt and doubling up to
 * 4 h, shortened by chance by up to a half, until 3 days after it was queued.
 *
 * @param random from 0 up to 1
 */
export function decideAttempt(
  mail: AttemptedMail,
  outcome: AttemptOutcome,
  now: Instant,
  random: number,
): AttemptDecision {
  if (outcome.kind === "accepted") return { state: "sent", reply: outcome.reply };
  if (outcome.kind === "rejected")
    return { state: "failed", reply: outcome.reply, reason: "The server refused it for good." };
  const reply = outcome.kind === "deferred" ? outcome.reply : undefined;
  const reason = reasonOf(outcome);
  if (now - mail.queuedAt >= give_up_after)
    return { state: "failed", reply, reason: `Given up after 3 days. ${reason}` };
  const wait = Math.min(wait_first * 2 ** Math.min(mail.attempts - 1, 30), wait_max);
  const dueAt = (now + Math.ceil(wait * (1 - random / 2))) as Instant;
  return { state: "queued", reply, reason, dueAt };
}

/** How long to try nothing after so many failures in a row to reach the server. */
export function pauseAfter(failures: number): number {
  return Math.min(wait_first * 2 ** Math.min(failures - 1, 30), pause_max);
}

function reasonOf(outcome: Exclude<AttemptOutcome, { kind: "accepted" | "rejected" }>): string {
  switch (outcome.kind) {
    case "deferred":
      return "The server asked to try again later.";
    case "unreachable":
      return `The server was not reached: ${outcome.error}`;
    case "unknown":
      return `The connection was lost, so the server may have taken it: ${outcome.error}`;
  }
}

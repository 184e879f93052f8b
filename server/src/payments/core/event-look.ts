import { day, hour, second } from "../../kernel/instant.js";

/** What a look into a provider's list of events came to. */
export interface EventLook {
  /** Whether something was found that never came by itself; undefined when the provider did not answer. */
  readonly found: boolean | undefined;
  /** Whether the list goes on: a look reads so many pages and no more. */
  readonly hasMore: boolean;
  /** Whether something is under way at the provider that ends there: an attempt, a refund, a dispute, a payout. */
  readonly isOpen: boolean;
  readonly isArchived: boolean;
  /** On a test clock, which is to pass over months in which nothing happens. */
  readonly isTest: boolean;
  /** How many looks in a row, before this one, found nothing. */
  readonly quiet: number;
}

// Stripe repeats a webhook for 3 days and lists events for 30: an hour is soon enough, and 24 calls a day for each account.
const live_every = hour;
const test_every = day;
const test_every_max = 8 * day;
const unanswered_max = 3;

/** When the next look is due: so long after this one, in the organization's time; undefined when it needs none before something happens. */
export function nextEventLook(
  look: EventLook,
): { readonly after: number; readonly quiet: number } | undefined {
  if (look.hasMore) return { after: second, quiet: 0 };
  const quiet = look.found === true ? 0 : look.quiet + 1;
  const isLeft = look.found === undefined && quiet <= unanswered_max;
  const isNeeded = look.found === true || look.isOpen || isLeft || !(look.isTest || look.isArchived);
  if (!isNeeded) return undefined;
  if (!look.isTest) return { after: live_every, quiet };
  // What stays open for months is looked at ever more rarely.
  return { after: Math.min(test_every * 2 ** Math.max(quiet - 1, 0), test_every_max), quiet };
}

/** The first look after something happened. */
export function firstEventLook({ isTest }: Pick<EventLook, "isTest">): number {
  return isTest ? test_every : live_every;
}

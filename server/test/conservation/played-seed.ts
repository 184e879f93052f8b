import type { Boundaries } from "./boundaries.js";
import { happen, type Outcome } from "./actions.js";
import { violations } from "./oracle.js";
import type { Plan } from "./plan.js";
import { play_h } from "./seeded-plan.js";
import type { SimulatedOrganization } from "./simulated-organization.js";

/** What came of a plan. */
export interface PlayedSeed {
  readonly plan: Plan;
  /** What does not hold; empty when all does. */
  readonly violations: readonly string[];
  readonly outcomes: readonly Outcome[];
  /** How many boundaries its work came to, and those at which the process died under it. */
  readonly boundaries: number;
  readonly deaths: Boundaries["deaths"];
}

/** After the last fault: all looks of an unknown outcome lie within a day. */
const rest_h = 30;

/** In real time: some hundred times what it takes. */
const play_ms_max = 180_000;

/** Plays a plan to its end, lets everything come to rest, and looks. */
export async function playSeed(of: SimulatedOrganization): Promise<PlayedSeed> {
  const outcomes: Outcome[] = [];
  const found: string[] = [];
  const limit = setTimeout(() => void of.giveUp(), play_ms_max);
  try {
    await of.untilGivenUp(play(of, outcomes));
    found.push(...(await of.untilGivenUp(rest(of))));
  } catch (error) {
    found.push(
      `it does not go on: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  } finally {
    clearTimeout(limit);
  }
  of.boundaries.stop();
  const { plan, boundaries } = of;
  return { plan, violations: found, outcomes, boundaries: boundaries.count, deaths: boundaries.deaths };
}

async function play(of: SimulatedOrganization, outcomes: Outcome[]): Promise<void> {
  const { steps } = of.plan;
  for (let index = 0; index < steps.length; ) {
    const at_h = steps[index]?.at_h ?? 0;
    const together = steps.filter((step) => step.at_h === at_h);
    index += together.length;
    await of.moveTo(of.hoursLater(at_h));
    // What is due at this instant, and what people do at it, come at once.
    const came = await Promise.all([of.settle(), ...together.map((step) => happen(of, step))]);
    outcomes.push(...(came.slice(1) as Outcome[]));
  }
  await of.moveTo(of.hoursLater(play_h));
  await of.settle();
}

async function rest(of: SimulatedOrganization): Promise<string[]> {
  of.provider.clearFaults(of.keptFaults);
  const backfill = () => of.ask(({ money }) => money.payments.inbox.backfill(of.organization, of.account));
  await backfill();
  await of.moveTo(of.hoursLater(play_h + rest_h));
  await of.settle();
  await backfill();
  await of.settle();
  const found = await violations(of);
  if (of.keptFaults.size === 0 || found.length > 0) return found;
  // The provider talks again: a person asks about what was parked.
  of.keptFaults.clear();
  of.provider.clearFaults(of.keptFaults);
  await backfill();
  await of.settle();
  for (const { id } of await of.rows(
    (sql) => sql<{ id: string }[]>`SELECT id FROM payment_attempts WHERE state = 'unknown'`,
  ))
    await of.ask(({ money }) => money.payments.charges.lookUp(of.caller, id));
  for (const { event } of await of.rows(
    (sql) => sql<{ event: string }[]>`SELECT event FROM webhook_inbox WHERE state = 'failed'`,
  ))
    await of.ask(({ money }) =>
      money.payments.inbox.replay(of.caller, { account: of.account, event }, `replay ${event}`),
    );
  await of.moveTo(of.hoursLater(play_h + 3 * rest_h));
  await of.settle();
  return violations(of);
}

import type { WorkflowContext, Workflows } from "../engines/workflow/index.js";
import type { Sql } from "../engines/postgres/index.js";
import type { Clocks } from "../kernel/clock.js";
import type { InvoiceId, OrganizationId, PaymentAttemptId } from "../kernel/ids.js";
import { day, hour, minute, second, type Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import { Refusal } from "../kernel/problem.js";
import type { Wakes } from "../time/index.js";
import { mustFindAttempt, type AttemptNews, type Attempts } from "./attempts.js";
import { isOpen, type AttemptState } from "./core/index.js";
import { charge_kind, dunning_end_kind, repair_kind } from "./kinds.js";
import type { BillingPort } from "./ports.js";
import type { ProviderCalls } from "./provider-calls.js";
import type { Dunning } from "./dunning.js";
import { isUnanswered } from "./provider-failure.js";
import { fromStepJson, stepJson } from "./step-json.js";
import type { PaymentAttempt } from "./store/attempts.js";

export interface ChargeRunsDependencies {
  readonly attempts: Attempts;
  readonly calls: ProviderCalls;
  readonly dunning: Dunning;
  readonly billing: BillingPort;
  readonly clocks: Clocks;
}

const charges_queue = "charges";
// Most of a charge is waiting for its provider, some 300 ms a call, with no connection of the pool held: 8 at once would be 13
// charges a second. With a provider that answers at once, 32 took as many as 8 did (bench, charges).
const charges_at_once = 32;
/** The organization's time between looks at what became of an attempt that was not answered. */
const looks: readonly number[] = [
  10 * second,
  minute,
  5 * minute,
  30 * minute,
  2 * hour,
  6 * hour,
  12 * hour,
  day,
];
/** An outcome that is unknown for so long is for a person. */
export const unknown_max = day;
/** What a provider works on for days, such as a bank debit, is asked for once a day. */
const processing_look = day;

const busy = { attemptsMax: 8, wait_ms: 500, wait_ms_max: 30_000 };

/** Charging: `charge:{target}:{attempt number}`, and the looks at attempts of which it is not known what became. */
export function registerChargeRuns(
  on: ChargeRunsDependencies,
  { workflows, wakes }: { readonly workflows: Workflows; readonly wakes: Wakes },
): void {
  workflows.register({
    kind: charge_kind,
    version: 1,
    queue: charges_queue,
    stepsAtOnce: charges_at_once,
    retry: busy,
    async run(
      context,
      { invoice, attempt, number }: { invoice?: string; attempt?: string; number?: number },
    ) {
      const begun = await context.transaction("begin", async (sql) => {
        if (attempt !== undefined) return { attempt: stepJson(await mustFindAttempt(sql, attempt)) };
        return beginInvoice(on, sql, context.organization, invoice as InvoiceId, number);
      });
      if (!("attempt" in begun)) return begun;
      const { id } = fromStepJson<PaymentAttempt>(begun.attempt);
      return charge(on, context, id, answeredThenRecorded);
    },
  });
  // An answer and what comes of it are one step, and an attempt that was begun before is not read by a step of its own.
  workflows.register({
    kind: charge_kind,
    version: 2,
    queue: charges_queue,
    stepsAtOnce: charges_at_once,
    retry: busy,
    async run(
      context,
      { invoice, attempt, number }: { invoice?: string; attempt?: string; number?: number },
    ) {
      if (attempt !== undefined) return charge(on, context, attempt as PaymentAttemptId, answeredAndRecorded);
      const begun = await context.transaction("begin", (sql) =>
        beginInvoice(on, sql, context.organization, invoice as InvoiceId, number),
      );
      if (!("attempt" in begun)) return begun;
      const { id } = fromStepJson<PaymentAttempt>(begun.attempt);
      return charge(on, context, id, answeredAndRecorded);
    },
  });
  wakes.register({
    kind: charge_kind,
    act: (_organization, { key, payload }) => ({
      start: {
        kind: charge_kind,
        id: `${charge_kind}:${key}:${numberOf(payload)}`,
        input: inputOf(key, payload),
      },
    }),
  });

  workflows.register({
    kind: repair_kind,
    version: 1,
    queue: charges_queue,
    stepsAtOnce: charges_at_once,
    retry: busy,
    run: (context, { attempt }: { attempt: string }) =>
      repair(on, context, wakes, attempt as PaymentAttemptId),
  });
  wakes.register({
    kind: repair_kind,
    act: (_organization, { key, at }) => ({
      start: { kind: repair_kind, id: `${repair_kind}:${key}:${at}`, input: { attempt: key } },
    }),
  });

  workflows.register({
    kind: dunning_end_kind,
    version: 1,
    async run(context, { invoice }: { invoice: string }) {
      const subscriptions = await context.transaction("end", async (sql) => [
        ...(await on.dunning.end(sql, context.organization, invoice as InvoiceId)),
      ]);
      for (const subscription of subscriptions)
        await context.step(`cancel ${subscription}`, () =>
          on.billing.cancelSubscription(context.organization, subscription, `dunning:${invoice}`),
        );
    },
  });
  wakes.register({
    kind: dunning_end_kind,
    act: (_organization, { key, at }) => ({
      start: { kind: dunning_end_kind, id: `${dunning_end_kind}:${key}:${at}`, input: { invoice: key } },
    }),
  });
}

/** Create, store the provider's id, confirm, record; a look at once when it is not known what became of a call. */
async function charge(
  on: ChargeRunsDependencies,
  context: WorkflowContext,
  id: PaymentAttemptId,
  callAndRecord: CallAndRecord,
): Promise<{ attempt: string; state: AttemptState }> {
  const { organization } = context;
  let attempt = await callAndRecord(on, context, "create", id, () => on.calls.create(organization, id));
  const call = async (name: string, ask: () => Promise<AttemptNews>) => {
    attempt = await callAndRecord(on, context, name, id, ask);
    return attempt.state;
  };
  const confirm = (name: string) => call(name, () => on.calls.confirm(organization, attempt));
  const lookUp = (name: string) => call(name, () => on.calls.lookUp(organization, attempt));
  let { state } = attempt;
  if (state === "unknown") state = await lookUp("look up creation");
  if (state === "pending") state = await confirm("confirm");
  if (state === "unknown") state = await lookUp("look up");
  // Known to the provider, and nothing taken: the same confirmation again takes it once.
  if (state === "pending") state = await confirm("confirm again");
  if (state === "unknown") state = await lookUp("look up again");
  // Asked twice and nothing taken: ended at the provider, so that a new attempt cannot meet this one.
  if (state === "pending") state = await call("cancel", () => on.calls.cancel(organization, attempt));
  // What is not known yet has its wake: a run that waited for it would keep others from being started.
  return { attempt: attempt.id, state };
}

/** Asks a provider about an attempt and records what became known: the attempt as it is by then. */
type CallAndRecord = (
  on: ChargeRunsDependencies,
  context: WorkflowContext,
  name: string,
  attempt: PaymentAttemptId,
  ask: () => Promise<AttemptNews>,
) => Promise<PaymentAttempt>;

/** In two steps: charge 1. */
const answeredThenRecorded: CallAndRecord = async (on, context, name, attempt, ask) =>
  record(on, context, `record ${name}`, attempt, await answer(context, name, ask));

/** In one: the provider's key and the attempt's state make an answer that was not recorded, and is asked for again, the same. */
const answeredAndRecorded: CallAndRecord = async (on, context, name, attempt, ask) => {
  try {
    const after = await context.exchange(name, ask, async (sql, news) =>
      stepJson(await on.attempts.record(sql, context.organization, attempt, news)),
    );
    return fromStepJson<PaymentAttempt>(after);
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    return record(on, context, `record ${name}`, attempt, unansweredBy(error));
  }
};

/** One look, and the next as long as the outcome is open. */
async function repair(
  on: ChargeRunsDependencies,
  context: WorkflowContext,
  wakes: Wakes,
  id: PaymentAttemptId,
): Promise<{ attempt: string; state: AttemptState }> {
  const { organization } = context;
  const stored = await context.transaction("begin", async (sql) => stepJson(await mustFindAttempt(sql, id)));
  let attempt = fromStepJson<PaymentAttempt>(stored);
  const ask = async (name: string) => {
    // Pending is what a run that is gone left: nothing was taken, and nothing will be.
    const isLeft = attempt.state === "pending";
    const news = await answer(context, name, () =>
      isLeft ? on.calls.cancel(organization, attempt) : on.calls.lookUp(organization, attempt),
    );
    attempt = await record(on, context, `record ${name}`, id, news);
  };
  if (isOpen(attempt.state)) await ask("look up");
  if (attempt.state === "pending") await ask("cancel");
  if (isOpen(attempt.state))
    await context.transaction("look again", async (sql) => {
      const now = on.clocks.of(organization).now();
      const { state, unknownSince = now } = attempt;
      if (state === "unknown" && now - unknownSince >= unknown_max)
        return on.attempts.park(sql, organization, id);
      if (state === "processing" && !(await on.calls.isAsked(sql, organization, attempt))) return;
      const wait = state === "unknown" ? waitAfter(now - unknownSince) : processing_look;
      await wakes.wake(sql, organization, (now + wait) as Instant, repair_kind, id);
    });
  return { attempt: id, state: attempt.state };
}

/** The next look so long after the outcome became unknown; the last one is when a person is asked. */
function waitAfter(age: number): number {
  const next = looks.find((at) => at > age) ?? unknown_max;
  return Math.max(next - age, 10 * second);
}

async function beginInvoice(
  on: ChargeRunsDependencies,
  sql: Sql,
  organization: OrganizationId,
  invoice: InvoiceId,
  number: number | undefined,
): Promise<{ attempt: JsonValue } | { skipped: string }> {
  try {
    return {
      attempt: stepJson(
        await on.attempts.begin(sql, organization, { target: { kind: "invoice", invoice }, number }),
      ),
    };
  } catch (error) {
    // Paid meanwhile, or there is no way to pay any more: what a person would have been refused is nothing to do here.
    if (error instanceof Refusal) return { skipped: error.slug };
    throw error;
  }
}

/** A provider's answer as a step. One that is too busy for too long was not asked: that is no answer. */
async function answer(
  context: WorkflowContext,
  name: string,
  ask: () => Promise<AttemptNews>,
): Promise<AttemptNews> {
  try {
    return fromStepJson<AttemptNews>(await context.step(name, async () => stepJson(await ask())));
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    return unansweredBy(error);
  }
}

function unansweredBy({ message }: Error): AttemptNews {
  return { input: { kind: "unanswered", error: message } };
}

async function record(
  on: ChargeRunsDependencies,
  context: WorkflowContext,
  name: string,
  attempt: PaymentAttemptId,
  news: AttemptNews,
): Promise<PaymentAttempt> {
  const after = await context.transaction(name, async (sql) =>
    stepJson(await on.attempts.record(sql, context.organization, attempt, news)),
  );
  return fromStepJson<PaymentAttempt>(after);
}

function numberOf(payload: JsonValue): string {
  const { number, attempt } = payload as { number?: number; attempt?: string };
  return attempt ?? String(number);
}

function inputOf(key: string, payload: JsonValue): JsonValue {
  const { number, attempt } = payload as { number?: number; attempt?: string };
  return attempt === undefined ? { invoice: key, number: number ?? 1 } : { attempt };
}

import type { WorkflowContext, Workflows } from "../engines/workflow/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
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
  readonly postgres: Postgres;
  readonly attempts: Attempts;
  readonly calls: ProviderCalls;
  readonly dunning: Dunning;
  readonly billing: BillingPort;
  readonly clocks: Clocks;
}

const charges_queue = "charges";
/** The organization's time between looks at what became of an attempt that was not answered. */
const looks: readonly number[] = [10 * second, minute, 5 * minute, 30 * minute, 2 * hour, 6 * hour, 12 * hour, day];
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
    retry: busy,
    async run(
      context,
      { invoice, attempt, number }: { invoice?: string; attempt?: string; number?: number },
    ) {
      const begun = await context.transaction("begin", async (sql) => {
        if (attempt !== undefined) return { attempt };
        return beginInvoice(on, sql, context.organization, invoice as InvoiceId, number);
      });
      if (!("attempt" in begun)) return begun;
      return charge(on, context, begun.attempt as PaymentAttemptId);
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
): Promise<{ attempt: string; state: AttemptState }> {
  const call = async (name: string, ask: (attempt: PaymentAttempt) => Promise<AttemptNews>) => {
    const news = await answer(on, context, name, id, ask);
    return record(on, context, `record ${name}`, id, news);
  };
  const { organization } = context;
  const create = (name: string) => call(name, (attempt) => on.calls.create(organization, attempt));
  const confirm = (name: string) => call(name, (attempt) => on.calls.confirm(organization, attempt));
  const lookUp = (name: string) => call(name, (attempt) => on.calls.lookUp(organization, attempt));
  let state = await create("create");
  if (state === "unknown") state = await lookUp("look up creation");
  if (state === "pending") state = await confirm("confirm");
  if (state === "unknown") state = await lookUp("look up");
  // Known to the provider, and nothing taken: the same confirmation again takes it once.
  if (state === "pending") state = await confirm("confirm again");
  if (state === "unknown") state = await lookUp("look up again");
  // Asked twice and nothing taken: ended at the provider, so that a new attempt cannot meet this one.
  if (state === "pending") state = await call("cancel", (attempt) => on.calls.cancel(organization, attempt));
  // What is not known yet has its wake: a run that waited for it would keep others from being started.
  return { attempt: id, state };
}

/** One look, and the next as long as the outcome is open. */
async function repair(
  on: ChargeRunsDependencies,
  context: WorkflowContext,
  wakes: Wakes,
  id: PaymentAttemptId,
): Promise<{ attempt: string; state: AttemptState }> {
  const { organization } = context;
  const news = await answer(on, context, "look up", id, async (attempt) => {
    if (!isOpen(attempt.state)) return { input: { kind: "not_found" } };
    // A run that is gone left it: nothing was taken, and nothing will be.
    return attempt.state === "pending"
      ? on.calls.cancel(organization, attempt)
      : on.calls.lookUp(organization, attempt);
  });
  const state = await record(on, context, "record", id, news);
  if (!isOpen(state)) return { attempt: id, state };
  const found =
    state === "pending"
      ? await answer(on, context, "cancel", id, (one) => on.calls.cancel(organization, one))
      : news;
  await context.transaction("look again", async (sql) => {
    const attempt =
      state === "pending"
        ? await on.attempts.record(sql, organization, id, found)
        : await mustFindAttempt(sql, id);
    if (!isOpen(attempt.state)) return;
    const now = on.clocks.of(organization).now();
    const since = attempt.unknownSince ?? now;
    if (attempt.state === "unknown" && now - since >= unknown_max)
      return on.attempts.park(sql, organization, id);
    const wait = attempt.state === "unknown" ? waitAfter(now - since) : processing_look;
    await wakes.wake(sql, organization, (now + wait) as Instant, repair_kind, id);
  });
  return { attempt: id, state };
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
): Promise<{ attempt: string } | { skipped: string }> {
  try {
    return {
      attempt: (await on.attempts.begin(sql, organization, { target: { kind: "invoice", invoice }, number }))
        .id,
    };
  } catch (error) {
    // Paid meanwhile, or there is no way to pay any more: what a person would have been refused is nothing to do here.
    if (error instanceof Refusal) return { skipped: error.slug };
    throw error;
  }
}

/** A provider's answer as a step. One that is too busy for too long was not asked: that is no answer. */
async function answer(
  on: ChargeRunsDependencies,
  context: WorkflowContext,
  name: string,
  id: PaymentAttemptId,
  ask: (attempt: PaymentAttempt) => Promise<AttemptNews>,
): Promise<AttemptNews> {
  try {
    const given = await context.step(name, async () => {
      const attempt = await on.postgres.inOrganization(context.organization, (sql) =>
        mustFindAttempt(sql, id),
      );
      return stepJson(await ask(attempt));
    });
    return fromStepJson<AttemptNews>(given);
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    return { input: { kind: "unanswered", error: error.message } };
  }
}

async function record(
  on: ChargeRunsDependencies,
  context: WorkflowContext,
  name: string,
  id: PaymentAttemptId,
  news: AttemptNews,
): Promise<AttemptState> {
  return context.transaction(
    name,
    async (sql) => (await on.attempts.record(sql, context.organization, id, news)).state,
  );
}

function numberOf(payload: JsonValue): string {
  const { number, attempt } = payload as { number?: number; attempt?: string };
  return attempt ?? String(number);
}

function inputOf(key: string, payload: JsonValue): JsonValue {
  const { number, attempt } = payload as { number?: number; attempt?: string };
  return attempt === undefined ? { invoice: key, number: number ?? 1 } : { attempt };
}

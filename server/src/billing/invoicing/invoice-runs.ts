import type { Sql } from "../../engines/postgres/index.js";
import type { WorkflowContext, Workflows } from "../../engines/workflow/index.js";
import type { InvoiceId, OrganizationId, SubscriptionId } from "../../kernel/ids.js";
import { day, hour, type Instant } from "../../kernel/instant.js";
import type { Wakes } from "../../time/index.js";
import { nextBoundary, scheduledAfter, type Subscription } from "../core/index.js";
import { readProgress } from "../store/billing-progress.js";
import { hasSpendThreshold } from "../store/plan-subscriptions.js";
import type { SubscriptionChanged } from "../subscriptions.js";
import type { BoundariesDone, DueInvoices, RunOutcome, ThresholdsChecked } from "./due-invoices.js";
import type { OrderedSection } from "./invoice-order.js";
import type { DraftsNoted } from "./write-invoices.js";

/*
 * The billing schedule. Each subscription has one wake, at its next boundary; those of one instant go together into a run
 * that bills them and sets the wakes of their next boundaries. A draft has a wake at the end of its grace.
 */

/** Bills subscriptions at a boundary. */
export const invoice_run_kind = "invoice-run";
/** Finalizes drafts after their grace. */
export const finalization_kind = "invoice-finalization";
/** Looks for late usage after a subscription has ended. */
export const closing_kind = "invoice-closing";
/** Looks, at each full hour, whether usage so far has come to a plan's spend threshold. */
export const threshold_kind = "spend-threshold";

export const chunk_subscriptions = 500;
/** After the end of a subscription; within the time in which late usage is looked for. */
export const closing_days = 31;
const billing_queue = "billing";

/** Sets the wakes that billing needs, in the transactions of what they follow from. */
export function billingWakes(wakes: Wakes): {
  readonly subscriptionChanged: SubscriptionChanged;
  readonly boundariesDone: BoundariesDone;
  readonly draftsNoted: DraftsNoted;
  readonly thresholdsChecked: ThresholdsChecked;
} {
  const schedule = async (
    sql: Sql,
    organization: OrganizationId,
    subscriptions: readonly { subscription: Subscription; after: Instant }[],
  ) => {
    const next = subscriptions.flatMap(({ subscription, after }) => {
      const at = nextBoundary(subscription, after);
      return at === undefined ? [] : [{ key: subscription.id, at }];
    });
    await wakes.wakeAll(sql, organization, invoice_run_kind, next);
    const over = subscriptions.filter(
      ({ subscription: { endsAt }, after }) => endsAt !== undefined && endsAt <= after,
    );
    await wakes.wakeAll(
      sql,
      organization,
      closing_kind,
      over.map(({ subscription: { id, endsAt = 0 } }) => ({
        key: id,
        at: (endsAt + closing_days * day) as Instant,
      })),
    );
  };
  return {
    async subscriptionChanged(sql, organization, subscription) {
      const progress = await readProgress(sql, [subscription.id]);
      const after = progress.get(subscription.id)?.doneUntil ?? scheduledAfter(subscription);
      await wakes.cancelWake(sql, invoice_run_kind, subscription.id);
      await schedule(sql, organization, [{ subscription, after }]);
      if (await hasSpendThreshold(sql, subscription.id))
        await wakes.wake(sql, organization, subscription.startedAt, threshold_kind, subscription.id);
    },
    thresholdsChecked: (sql, organization, subscriptions, now) =>
      wakes.wakeAll(
        sql,
        organization,
        threshold_kind,
        subscriptions.map(({ id }) => ({ key: id, at: ((Math.floor(now / hour) + 1) * hour) as Instant })),
      ),
    boundariesDone: (sql, organization, subscriptions, boundary) =>
      schedule(
        sql,
        organization,
        subscriptions.map((subscription) => ({ subscription, after: boundary })),
      ),
    draftsNoted: (sql, organization, drafts) =>
      wakes.wakeAll(
        sql,
        organization,
        finalization_kind,
        drafts.map(({ invoice, issueAt }) => ({ key: invoice, at: issueAt })),
      ),
  };
}

/** What the wakes set going. */
export function registerInvoiceRuns(
  due: DueInvoices,
  { workflows, wakes }: { readonly workflows: Workflows; readonly wakes: Wakes },
): void {
  const register = (
    kind: string,
    work: (organization: OrganizationId, keys: readonly string[], at: Instant) => Promise<RunOutcome>,
  ) => {
    workflows.register({
      kind,
      version: 1,
      queue: billing_queue,
      run: async (context, { at }: { at: number }) => {
        const keys = await takeKeys(context, wakes);
        const outcome = await context.step("bill", () =>
          work(context.organization, keys, at as Instant).then(outcomeJson),
        );
        // One by one, so that each failure is seen as what it is, and is tried again by itself.
        for (const id of outcome.failed) {
          await context.step(`bill ${id}`, async () => {
            const again = await work(context.organization, [id], at as Instant);
            const [failure] = again.failed;
            if (failure !== undefined) throw new Error(failure.error);
            return outcomeJson(again);
          });
        }
        return outcome;
      },
    });
    wakes.register({ kind, grouped: { workflow: kind, chunk_max: chunk_subscriptions } });
  };
  register(invoice_run_kind, (organization, keys, at) =>
    due.billAt(organization, keys as readonly SubscriptionId[], at),
  );
  register(finalization_kind, (organization, keys) =>
    due.finalizeDue(organization, keys as readonly InvoiceId[]),
  );
  register(threshold_kind, (organization, keys) =>
    due.billThresholds(organization, keys as readonly SubscriptionId[]),
  );
  register(closing_kind, (organization, keys, at) =>
    due.billSections(
      organization,
      keys.map(
        (id): OrderedSection => ({
          subscription: id as SubscriptionId,
          kind: "closing",
          period: { start: at, end: at },
        }),
      ),
    ),
  );
}

/** What the run is for, once: recorded in its first step. */
function takeKeys(context: WorkflowContext, wakes: Wakes): Promise<string[]> {
  return context.transaction("take", async (sql) => [...(await wakes.take(sql, context.run))]);
}

function outcomeJson({ finalized, drafts, failed }: RunOutcome) {
  return { finalized, drafts, failed: failed.map(({ id }) => id) };
}

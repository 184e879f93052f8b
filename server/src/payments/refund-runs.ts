import type { Sql } from "../engines/postgres/index.js";
import type { WorkflowContext, Workflows } from "../engines/workflow/index.js";
import type { Clocks } from "../kernel/clock.js";
import type { OrganizationId, RefundId } from "../kernel/ids.js";
import { day, hour, minute, type Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import type { Wakes } from "../time/index.js";
import { refund_kind } from "./kinds.js";
import type { RefundReply } from "./provider.js";
import { isUnanswered } from "./provider-failure.js";
import type { RefundCalls } from "./refund-calls.js";
import { mustFindRefund, type RefundOutcomes } from "./refund-outcomes.js";
import { fromStepJson, stepJson } from "./step-json.js";

export interface RefundRunsDependencies {
  readonly outcomes: RefundOutcomes;
  readonly calls: RefundCalls;
  readonly clocks: Clocks;
}

/** An outcome that is unknown for so long is for a person. */
const unknown_max = day;

/** `refund:{refund}:{instant}`: sends it, and asks again as long as it is not known what came of it. */
export function registerRefundRuns(
  on: RefundRunsDependencies,
  { workflows, wakes }: { readonly workflows: Workflows; readonly wakes: Wakes },
): void {
  workflows.register({
    kind: refund_kind,
    version: 1,
    queue: refund_kind,
    retry: { attemptsMax: 8, wait_ms: 500, wait_ms_max: 30_000 },
    async run(context: WorkflowContext, { refund }: { refund: string }) {
      const { organization } = context;
      const id = refund as RefundId;
      const sent = await sendStep(context, () => on.calls.send(organization, id));
      return context.transaction("record", async (sql) => {
        const reply = fromStepJson<RefundReply | "unanswered">(sent);
        const state =
          reply === "unanswered" ? "pending" : await on.outcomes.record(sql, organization, id, reply);
        if (state === "pending") await lookAgain(on, sql, organization, wakes, id);
        return state;
      });
    },
  });
  wakes.register({
    kind: refund_kind,
    act: (_organization, { key, at }) => ({
      start: { kind: refund_kind, id: `${refund_kind}:${key}:${at}`, input: { refund: key } },
    }),
  });
}

/** Not known for too long: a person looks at it. In the caller's transaction. */
async function lookAgain(
  { outcomes, calls, clocks }: RefundRunsDependencies,
  sql: Sql,
  organization: OrganizationId,
  wakes: Wakes,
  id: RefundId,
): Promise<void> {
  const refund = await mustFindRefund(sql, id, { lock: true });
  if (refund.state !== "pending") return;
  if (refund.ref !== undefined && !(await calls.isAsked(sql, organization, refund))) return;
  const now = clocks.of(organization).now();
  const age = now - refund.createdAt;
  if (age >= unknown_max && refund.ref === undefined) return outcomes.park(sql, organization, refund);
  const wait = refund.ref !== undefined ? day : age < hour ? 5 * minute : 2 * hour;
  await wakes.wake(sql, organization, (now + wait) as Instant, refund_kind, id);
}

/** A provider that is too busy for too long was not asked: that is no answer. */
async function sendStep(
  context: WorkflowContext,
  send: () => Promise<RefundReply | "unanswered">,
): Promise<JsonValue> {
  try {
    return await context.step("send", async () => stepJson(await send()));
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    return "unanswered";
  }
}

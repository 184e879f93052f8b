import type { Sql } from "../engines/postgres/index.js";
import type { RetryPolicy, Workflows } from "../engines/workflow/index.js";
import type { Clocks } from "../kernel/clock.js";
import type { MailId, OrganizationId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import type { Wakes } from "../time/index.js";
import type { Deliveries, NextMails } from "./deliveries.js";

/**
 * Sees to it that mails are delivered; in the transaction that queues them.
 * @param key tells this from every other time, such as the id of the first mail
 */
export type DeliveryNoted = (
  sql: Sql,
  organization: OrganizationId,
  key: string,
  at: Instant,
) => Promise<void>;

const kind = "mail-delivery";
/** The wake of what is tried again; those of new mails are named after the first of them. */
const again_key = "again";
/** A run's history stays short: what is left then is another's. */
const rounds_max = 50;

// Outlasts an outage of PostgreSQL of most of a day.
const retry: RetryPolicy = { attemptsMax: 1_000, wait_ms: 500, wait_ms_max: 60_000 };

/** Writes a wake of its own for each transaction that queues mails, so that no two of them wait for one row. */
export function noteDeliveryBy(wakes: Wakes): DeliveryNoted {
  return (sql, organization, key, at) => wakes.wake(sql, organization, at, kind, key);
}

/**
 * What happens then: a run delivers what is due, unless another one is at it, and ends. It does not wait for what is to be tried
 * again, which gets a wake: runs that wait keep others from being started.
 */
export function registerMailDelivery(
  deliveries: Deliveries,
  { workflows, wakes, clocks }: { workflows: Workflows; wakes: Wakes; clocks: Clocks },
): void {
  workflows.register({
    kind,
    version: 1,
    queue: kind,
    retry,
    async run(context) {
      const { organization } = context;
      let [sent, failed, later] = [0, 0, 0];
      const wakeAt = (sql: Sql, at: Instant) => wakes.wake(sql, organization, at, kind, again_key);
      for (let round = 0; round < rounds_max; round += 1) {
        const next = await context.transaction("take mails", async (sql) => {
          const found = await deliveries.next(sql, organization, context.run);
          if (found.kind === "end" && found.next !== undefined) await wakeAt(sql, found.next);
          return nextJson(found);
        });
        if (next.kind !== "deliver") return { sent, failed, later };
        const mails = next.mails as MailId[];
        const done = await context.step("deliver", async () => ({
          ...(await deliveries.deliver(organization, mails)),
        }));
        sent += done.sent;
        failed += done.failed;
        later += done.later;
        if (done.pause_ms === 0) continue;
        await context.transaction("pause", async (sql) => {
          await deliveries.release(sql, context.run);
          await wakeAt(sql, after(clocks, organization, done.pause_ms));
        });
        return { sent, failed, later };
      }
      await context.transaction("leave the rest", async (sql) => {
        const rest = await deliveries.leave(sql, context.run);
        // Named after the next mail: the clock may stand still, and a wake of the same name and instant is the same run.
        if (rest !== undefined)
          await wakes.wake(sql, organization, clocks.of(organization).now(), kind, `rest:${rest}`);
      });
      return { sent, failed, later };
    },
  });
  wakes.register({
    kind,
    act: (organization, { key, at }) => ({
      start: { kind, id: `${kind}:${organization}:${key}:${formatInstant(at)}`, input: null },
    }),
  });
}

function after(clocks: Clocks, organization: OrganizationId, wait_ms: number): Instant {
  return (clocks.of(organization).now() + Math.ceil(wait_ms * 1_000)) as Instant;
}

/** What the step keeps. */
function nextJson(next: NextMails) {
  return next.kind === "deliver"
    ? { kind: next.kind, mails: [...next.mails] }
    : { kind: next.kind, mails: [] };
}

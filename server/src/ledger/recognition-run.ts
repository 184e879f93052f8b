import type { Workflows } from "../engines/workflow/index.js";
import type { Wakes } from "../time/index.js";
import type { LedgerMonth } from "./core/index.js";
import { recognized_at_once_max, type MonthEndNoted, type Revenue } from "./revenue.js";

/*
 * An organization that has deferred something has one wake, at the end of the present month of its books. A run then
 * recognises the month, after it has set the wake of the next.
 */

const kind = "revenue-recognition";
const key = "month";

/** Sets the wake, unless there is one. */
export function noteMonthEndBy(wakes: Wakes): MonthEndNoted {
  return (sql, organization, month, end) => wakes.wakeUnlessSet(sql, organization, end, kind, key, { month });
}

export function registerRecognition(
  revenue: Revenue,
  { workflows, wakes }: { readonly workflows: Workflows; readonly wakes: Wakes },
): void {
  workflows.register({
    kind,
    version: 1,
    async run(context, { month: text }: { month: string }) {
      const { organization } = context;
      const month = text as LedgerMonth;
      await context.transaction("set the next wake", async (sql) => {
        const next = await revenue.nextMonth(sql, month);
        await wakes.wake(sql, organization, next.end, kind, key, { month: next.month });
      });
      let recognized = 0;
      for (;;) {
        const count = await context.transaction("recognize", (sql) =>
          revenue.recognize(sql, organization, month),
        );
        recognized += count;
        if (count < recognized_at_once_max) return { recognized };
      }
    },
  });
  wakes.register({
    kind,
    act: (organization, { payload }) => {
      const { month } = payload as { month: string };
      return { start: { kind, id: `${kind}:${organization}:${month}`, input: { month } } };
    },
  });
}

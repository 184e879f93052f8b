import type { RetryPolicy, Workflows } from "../engines/workflow/index.js";
import { formatInstant } from "../kernel/instant.js";
import { formatDate, type LocalDate } from "../kernel/local-date.js";
import type { Wakes } from "../time/index.js";
import { report_kind } from "./kinds.js";
import type { Reconciliation } from "./reconciliation.js";

const retry: RetryPolicy = { attemptsMax: 1_000, wait_ms: 500, wait_ms_max: 60_000 };

/** At the end of every day: looks for what should have turned up, and compares the day. */
export function registerReports(
  reconciliation: Reconciliation,
  { workflows, wakes }: { readonly workflows: Workflows; readonly wakes: Wakes },
): void {
  workflows.register({
    kind: report_kind,
    version: 1,
    queue: report_kind,
    retry,
    async run(context, { date }: { date: number }) {
      const { organization } = context;
      await context.transaction("look for what is missing", (sql) =>
        reconciliation.lookForMissing(sql, organization, date as LocalDate),
      );
      await context.transaction("make the report", (sql) =>
        reconciliation.report(sql, organization, date as LocalDate),
      );
    },
  });
  wakes.register({
    kind: report_kind,
    act(organization, { at, payload }) {
      const { date } = payload as { date: number };
      // The day too: in another zone, another day may end at that instant.
      const id = `${report_kind}:${organization}:${formatDate(date as LocalDate)}:${formatInstant(at)}`;
      return { start: { kind: report_kind, id, input: { date } } };
    },
  });
}

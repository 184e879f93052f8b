import type { Workflows } from "../engines/workflow/index.js";
import type { PaymentBatchId, ProviderAccountId } from "../kernel/ids.js";
import type { Wakes } from "../time/index.js";
import type { Batches } from "./batches.js";
import { payment_batch_file_kind, payment_batch_kind } from "./kinds.js";

// Outlasts a disk that is full for most of a day.
const file_retry = { attemptsMax: 1_000, wait_ms: 500, wait_ms_max: 60_000 };

/** `payment-batch:{account}:{instant}` closes what is open at its hour; `payment-batch-file:{batch}` makes the file of what was closed. */
export function registerBatchRuns(
  batches: Batches,
  { workflows, wakes }: { readonly workflows: Workflows; readonly wakes: Wakes },
): void {
  workflows.register({
    kind: payment_batch_kind,
    version: 1,
    async run(context, { account }: { account: string }) {
      await context.transaction("close", (sql) =>
        batches.closeDue(sql, context.organization, account as ProviderAccountId),
      );
    },
  });
  wakes.register({
    kind: payment_batch_kind,
    act: (_organization, { key, at }) => ({
      start: { kind: payment_batch_kind, id: `${payment_batch_kind}:${key}:${at}`, input: { account: key } },
    }),
  });

  workflows.register({
    kind: payment_batch_file_kind,
    version: 1,
    queue: payment_batch_file_kind,
    retry: file_retry,
    async run(context, { batch }: { batch: string }) {
      const id = batch as PaymentBatchId;
      const made = await context.step("make the file", async () => {
        const file = await batches.makeFile(context.organization, id);
        return file === undefined ? null : { ...file };
      });
      if (made !== null) await context.transaction("record", (sql) => batches.recordFile(sql, id, made));
    },
  });
  wakes.register({
    kind: payment_batch_file_kind,
    act: (_organization, { key }) => ({
      start: {
        kind: payment_batch_file_kind,
        id: `${payment_batch_file_kind}:${key}`,
        input: { batch: key },
      },
    }),
  });
}

import type { RetryPolicy, WorkflowContext, Workflows } from "../engines/workflow/index.js";
import type { OrganizationId, SettlementFileId } from "../kernel/ids.js";
import type { Wakes } from "../time/index.js";
import type { FileProcessing, Hold } from "./file-processing.js";
import { file_kind, runOf } from "./kinds.js";
import type { FileRefusal } from "./store/files.js";

// Outlasts an outage of most of a day: a full disk, or a database that is away.
const retry: RetryPolicy = { attemptsMax: 1_000, wait_ms: 500, wait_ms_max: 60_000 };

/**
 * Reads a landed file: stages its records, checks it as a whole, matches, posts. Every step is a transaction that commits with
 * its checkpoint, so that a run goes on behind the last, whatever happened.
 */
export function registerFileRuns(
  processing: FileProcessing,
  { workflows, wakes }: { readonly workflows: Workflows; readonly wakes: Wakes },
): void {
  workflows.register({
    kind: file_kind,
    version: 1,
    queue: file_kind,
    retry,
    async run(context, input: { file: string; attempt: number }) {
      const id = input.file as SettlementFileId;
      const begun = await context.transaction(
        "begin",
        async (sql) => (await processing.begin(sql, id, input.attempt)) ?? null,
      );
      if (begun === null) return { outcome: "none" };
      if (begun === "discard") return refuse(context, processing, id, null);
      const { organization } = context;
      for (;;) {
        const { ended, refusal } = await context.transaction("stage records", async (sql) => {
          const staged = await processing.stage(sql, organization, id);
          return { ended: staged.ended, refusal: staged.refusal === null ? null : { ...staged.refusal } };
        });
        if (refusal !== null) return refuse(context, processing, id, refusal);
        if (ended) break;
      }
      const faults = await context.transaction("check the file", async (sql) =>
        holdsJson(await processing.check(sql, organization, id)),
      );
      if (faults.length > 0) return hold(context, processing, id, faults);
      for (let after = 0; after >= 0; ) {
        const from = after;
        after = await context.transaction("match records", (sql) =>
          processing.matchNamed(sql, organization, id, from),
        );
      }
      for (;;) {
        const { ended, holds } = await context.transaction("match the rest", async (sql) => {
          const rest = await processing.matchRest(sql, organization, id);
          return { ended: rest.ended, holds: holdsJson(rest.holds) };
        });
        if (holds.length > 0) return hold(context, processing, id, holds);
        if (ended) break;
      }
      while (!(await context.transaction("post records", (sql) => processing.post(sql, organization, id))));
      await context.transaction("finish", (sql) => processing.finish(sql, organization, id));
      return { outcome: "posted" };
    },
  });
  wakes.register({
    kind: file_kind,
    act(organization, { key }) {
      const [file = "", attempt = ""] = key.split(":");
      const input = { file, attempt: Number(attempt) };
      return { start: { kind: file_kind, id: runIdOf(organization, input), input } };
    },
  });
}

function runIdOf(organization: OrganizationId, { file, attempt }: { file: string; attempt: number }): string {
  return runOf(organization, { id: file as SettlementFileId, attempt });
}

async function refuse(
  context: WorkflowContext,
  processing: FileProcessing,
  id: SettlementFileId,
  refusal: FileRefusal | null,
) {
  await clear(context, processing, id);
  await context.transaction("refuse the file", (sql) =>
    processing.refuse(sql, context.organization, id, refusal ?? undefined),
  );
  return { outcome: "refused" };
}

async function hold(
  context: WorkflowContext,
  processing: FileProcessing,
  id: SettlementFileId,
  holds: readonly Hold[],
) {
  await clear(context, processing, id);
  await context.transaction("hold the file", (sql) => processing.hold(sql, context.organization, id, holds));
  return { outcome: "held" };
}

async function clear(
  context: WorkflowContext,
  processing: FileProcessing,
  id: SettlementFileId,
): Promise<void> {
  while (await context.transaction("delete staged records", (sql) => processing.clear(sql, id)));
}

/** Spread, since an interface is no JSON value to the compiler. */
function holdsJson(holds: readonly Hold[]) {
  return holds.map((each) => ({ ...each }));
}

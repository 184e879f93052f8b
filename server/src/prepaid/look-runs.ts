import type { WorkflowContext, Workflows } from "../engines/workflow/index.js";
import type { CustomerId } from "../kernel/ids.js";
import type { Wakes } from "../time/index.js";
import type { BalanceLooks } from "./balance-looks.js";
import { balance_look_kind, usage_look_kind } from "./kinds.js";

/** Balances that are read at once. */
const chunk_customers = 50;

/** What the wakes set going: `balance-look:…`, and `balance-usage-look:{organization}:{end of the window}`. */
export function registerLookRuns(
  looks: BalanceLooks,
  { workflows, wakes }: { readonly workflows: Workflows; readonly wakes: Wakes },
): void {
  workflows.register({
    kind: balance_look_kind,
    version: 1,
    queue: balance_look_kind,
    async run(context) {
      const taken = await context.transaction("take", async (sql) => [
        ...(await wakes.take(sql, context.run)),
      ]);
      return lookAt(context, looks, taken as CustomerId[]);
    },
  });
  wakes.register({
    kind: balance_look_kind,
    grouped: { workflow: balance_look_kind, chunk_max: chunk_customers },
  });
  workflows.register({
    kind: usage_look_kind,
    version: 1,
    queue: balance_look_kind,
    async run(context) {
      let acted = 0;
      for (let after = ""; ; ) {
        const page = await context.step(`list after ${after}`, async () => [
          ...(await looks.watched(context.organization, { after, limit: chunk_customers })),
        ]);
        acted += await lookAt(context, looks, page as CustomerId[]);
        const last = page.at(-1);
        if (last === undefined || page.length < chunk_customers) return acted;
        after = last;
      }
    },
  });
  wakes.register({
    kind: usage_look_kind,
    act: (organization, { key }) => ({
      start: { kind: usage_look_kind, id: `${usage_look_kind}:${organization}:${key}`, input: {} },
    }),
  });
}

/** @returns about how many balances there was something to do */
async function lookAt(
  context: WorkflowContext,
  looks: BalanceLooks,
  customers: readonly CustomerId[],
): Promise<number> {
  const [first] = customers;
  if (first === undefined) return 0;
  const readings = await context.step(`read from ${first}`, async () =>
    (await looks.read(context.organization, customers)).map((reading) =>
      "fault" in reading
        ? { ...reading }
        : {
            ...reading,
            progress: reading.progress.map(([id, version]) => [id, version] as [typeof id, number]),
          },
    ),
  );
  for (const reading of readings)
    await context.transaction(`act on ${reading.customer}`, (sql) =>
      looks.act(sql, context.organization, reading),
    );
  return readings.length;
}

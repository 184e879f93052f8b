import { run_states, type Run, type RunDetails, type RunStep } from "../../engines/workflow/index.js";
import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";

const RunStateEnum = builder.enumType("RunState", {
  description: "waiting: for a signal. canceled: it ends before its next step.",
  values: run_states,
});

const StepStateEnum = builder.enumType("RunStepState", {
  values: ["succeeded", "failed", "retrying", "waiting"] as const,
});

const RunStepType = builder.objectRef<RunStep>("RunStep").implement({
  description: "One named step of a run; what it gave is kept, and it is not done again.",
  fields: (t) => ({
    position: t.exposeInt("position"),
    name: t.exposeString("name"),
    state: t.field({ type: StepStateEnum, resolve: (step) => step.state }),
    attempts: t.exposeInt("attempts"),
    error: t.string({ nullable: true, resolve: (step) => step.error ?? null }),
    startedAt: t.expose("startedAt", { type: "Instant" }),
    endedAt: t.field({ type: "Instant", nullable: true, resolve: (step) => step.endedAt ?? null }),
    nextAttemptAt: t.field({
      type: "Instant",
      nullable: true,
      resolve: (step) => step.nextAttemptAt ?? null,
    }),
  }),
});

const RunType = builder.objectRef<Run>("WorkflowRun").implement({
  description:
    "A durable run of a workflow. Its id is the business's name for what it does: there is one of it.",
  fields: (t) => ({
    id: t.exposeID("id"),
    kind: t.exposeString("kind"),
    version: t.exposeInt("version", {
      description: "Of the workflow; a run keeps to the one that it began with.",
    }),
    state: t.field({ type: RunStateEnum, resolve: (run) => run.state }),
    waitsFor: t.string({
      nullable: true,
      description: "The signal that it waits for.",
      resolve: (run) => run.waitsFor ?? null,
    }),
    error: t.string({ nullable: true, resolve: (run) => run.error ?? null }),
    createdAt: t.expose("createdAt", { type: "Instant", description: "In real time, as all times of runs." }),
    updatedAt: t.expose("updatedAt", { type: "Instant" }),
    endedAt: t.field({ type: "Instant", nullable: true, resolve: (run) => run.endedAt ?? null }),
  }),
});

const RunDetailsType = builder.objectRef<RunDetails>("WorkflowRunDetails").implement({
  description: "A run with its input, its output and its steps.",
  fields: (t) => ({
    run: t.field({ type: RunType, resolve: (run) => run }),
    input: t.field({ type: "JSON", nullable: true, resolve: (run) => run.input }),
    output: t.field({ type: "JSON", nullable: true, resolve: (run) => run.output }),
    steps: t.field({ type: [RunStepType], resolve: (run) => [...run.steps] }),
    hasMoreSteps: t.exposeBoolean("hasMoreSteps"),
  }),
});

builder.queryFields((t) => ({
  runs: t.connection({
    type: RunType,
    description: "Workflow runs, newest first; of a state or kind when given.",
    args: { state: t.arg({ type: RunStateEnum }), kind: t.arg.string() },
    resolve: (_root, { state, kind, ...args }, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.runs.list(caller.organization, {
          ...page,
          ...(state == null ? {} : { state }),
          ...(kind == null ? {} : { kind }),
        }),
      ),
  }),
  run: t.field({
    type: RunDetailsType,
    nullable: true,
    complexity: 10,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, { caller, services }) =>
      (await services.runs.find(caller.organization, id)) ?? null,
  }),
}));

builder.mutationFields((t) => ({
  retryRun: t.field({
    type: RunDetailsType,
    description: "Goes on with a run that failed or was canceled: what succeeded stays.",
    errors: {},
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, context) => {
      requireSecretKey(context);
      return context.services.runs.retry(context.caller, id, context.idempotencyKey);
    },
  }),
  cancelRun: t.field({
    type: RunDetailsType,
    description: "Ends a run before its next step, or gives up one that failed.",
    errors: {},
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, context) => {
      requireSecretKey(context);
      return context.services.runs.cancel(context.caller, id, context.idempotencyKey);
    },
  }),
}));

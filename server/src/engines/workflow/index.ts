export { RunCanceled, WorkflowChanged, WorkflowUnknown } from "./errors.js";
export { openWorkflows, steps_shown_max, type WorkflowsOptions } from "./open-workflows.js";
export {
  run_states,
  type EndedRun,
  type NewRun,
  type RetryPolicy,
  type Run,
  type RunDetails,
  type RunFilter,
  type RunOutcome,
  type RunState,
  type RunStep,
  type Signal,
  type StartOutcome,
  type StepOptions,
  type StepOutput,
  type WorkflowContext,
  type WorkflowDefinition,
  type Workflows,
} from "./workflow.js";

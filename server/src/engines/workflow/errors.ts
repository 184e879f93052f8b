/** The workflow's code and a run's history do not agree: the step at a position has another name than when it was run. */
export class WorkflowChanged extends Error {
  override readonly name = "WorkflowChanged";
  readonly retry = false;

  constructor(kind: string, version: number, position: number, recorded: string, found: string) {
    super(
      `Workflow ${kind}, version ${version}: step ${position} of this run was "${recorded}", and is "${found}" now. ` +
        "A workflow must do the same steps in the same order when it is run again: register the change as a new version, " +
        "and keep this one for the runs that began with it.",
    );
  }
}

/** A run's kind or version is not registered in this Weir. */
export class WorkflowUnknown extends Error {
  override readonly name = "WorkflowUnknown";
  readonly retry = false;

  constructor(kind: string, version: number) {
    super(
      `This Weir has no workflow ${kind} in version ${version}. Install a release that has it, then retry the run.`,
    );
  }
}

/** The run was canceled while a step of it waited. */
export class RunCanceled extends Error {
  override readonly name = "RunCanceled";
  readonly retry = false;
}

/** Whether trying again is useless: the error says so itself, or it is a refusal. */
export function isFinal(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  if ("retry" in error) return error.retry === false;
  return error instanceof Error && error.name === "Refusal";
}

export function messageOf(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 4000);
}

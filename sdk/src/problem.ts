/** What Weir answers when it refuses (RFC 9457): what is wrong, where, and what to do. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly [extension: string]: unknown;
}

/** Weir refused a request, or could not be reached (status 0) after every retry. */
export class WeirError extends Error {
  override readonly name = "WeirError";
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail === "" ? problem.title : problem.detail, options);
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }

  /** The last part of the problem's type, such as "rate-limited". */
  get code(): string {
    return this.problem.type.slice(this.problem.type.lastIndexOf("/") + 1);
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    const parsed: unknown = JSON.parse(text);
    if (isProblem(parsed)) return parsed;
  } catch {
    // Not from Weir itself: a proxy's page, say.
  }
  return {
    type: "about:blank",
    title: response.statusText || "Error",
    status: response.status,
    detail: text.slice(0, 1000),
  };
}

function isProblem(value: unknown): value is Problem {
  return (
    value !== null && typeof value === "object" && "title" in value && "status" in value && "detail" in value
  );
}

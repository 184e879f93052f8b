/** A problem document (RFC 9457): what is wrong, where, and what to do. */
export interface Problem {
  /** https://weir.dev/problems/<slug> */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly [extension: string]: unknown;
}

export function makeProblem(
  slug: string,
  status: number,
  title: string,
  detail: string,
  extensions: Readonly<Record<string, unknown>> = {},
): Problem {
  return { type: `https://weir.dev/problems/${slug}`, title, status, detail, ...extensions };
}

/** Thrown to answer with a problem document: an expected refusal that no caller in between can act on. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.title}: ${problem.detail}`);
    this.problem = problem;
  }

  /** The last part of the problem's type. */
  get slug(): string {
    return this.problem.type.slice(this.problem.type.lastIndexOf("/") + 1);
  }
}

/** An outage of a store: the same request may succeed later. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
  readonly retry = true;
  readonly retryAfterSeconds: number;

  constructor(message: string, options: { retryAfterSeconds?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.retryAfterSeconds = options.retryAfterSeconds ?? 1;
  }
}

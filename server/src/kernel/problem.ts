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

/** The last part of a problem's type. */
export function slugOf({ type }: Problem): string {
  return type.slice(type.lastIndexOf("/") + 1);
}

/** Thrown to answer with a problem document: an expected refusal that no caller in between can act on. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.title}: ${problem.detail}`);
    this.problem = problem;
  }

  get slug(): string {
    return slugOf(this.problem);
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

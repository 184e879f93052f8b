/** How much to measure. */
export interface BenchOptions {
  /** A few seconds for each figure, to see that it runs; its numbers are not for publishing. */
  readonly quick: boolean;
  readonly repetitions: number;
  readonly warmupSeconds: number;
  readonly loadSeconds: number;
  /** Keys in the index before the figure that wants many. */
  readonly indexKeys: number;
  /** Events of the query figure; a fifth of them belong to the customer who asks. */
  readonly queryEvents: number;
  /** A folder of this run's own. */
  readonly dir: string;
  readonly say: (text: string) => void;
}

/** One published number. */
export interface FigureRow {
  readonly name: string;
  readonly figure: number;
  readonly unit: string;
  /** What the issue asks for, such as "≥ 50,000"; "stated" where it asks for the number alone. */
  readonly target: string;
  /** Undefined when there is nothing to fail. */
  readonly met?: boolean;
  /** What the same run measured for comparison, and what that was. */
  readonly reference?: number;
  readonly referenceName?: string;
  /** figure / reference */
  readonly ratio?: number;
  /** Everything else that was seen, for the JSON file. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

export type Figure = (options: BenchOptions) => Promise<FigureRow[]>;

export function atLeast(figure: number, least: number): { target: string; met: boolean } {
  return { target: `≥ ${least.toLocaleString("en")}`, met: figure >= least };
}

export function below(figure: number, limit: number): { target: string; met: boolean } {
  return { target: `< ${limit.toLocaleString("en")}`, met: figure < limit };
}

export function against(figure: number, reference: number, referenceName: string) {
  return { reference, referenceName, ...(reference > 0 ? { ratio: figure / reference } : {}) };
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** The smallest value that at least `percent` of the values do not exceed; NaN of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

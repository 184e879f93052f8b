/** Whole local days of a service period, numbered from its first: `from` is in it, `to` is not. */
export interface DayRange {
  readonly from: number;
  readonly to: number;
}

export function countDays(ranges: readonly DayRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}
